"""How a broker would be started, without starting one: stand-in programs on the path answer instead."""

import base64
from collections.abc import Callable
from pathlib import Path

import pytest

from schemas.errors import UnavailableError
from streams.local_kafka import launch as kafka_launch
from streams.local_kafka.broker import FREE_PORTS, LocalKafka, free_ports, running_kafka
from streams.local_kafka.jars import POM, kafka_jars
from streams.local_kafka.launch import IMAGE, Place, docker_launch, find_docker, java_launch
from streams.settings import Machine, Settings

Programs = Callable[..., Path]


@pytest.fixture
def programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Programs:
    """Give a function that makes the path hold these shell scripts and the plainest tools, nothing else."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", str(folder))

    def make(**scripts: str) -> Path:
        for name, script in scripts.items():
            (folder / name).write_text(f"#!/bin/sh\n{script}\n")
            (folder / name).chmod(0o755)
        return folder

    return make


@pytest.fixture
def place(tmp_path: Path) -> Place:
    """Somewhere to put a broker."""
    (tmp_path / "broker").mkdir()
    return Place(port=19_999, controller_port=20_000, folder=tmp_path / "broker")


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    """A machine with an empty cache."""
    return Machine(cache=tmp_path / "cache", java_home=None)


JAVA_17 = 'case "$*" in *-version*) echo \'openjdk version "17.0.1" 2021\' >&2;; esac'
# What is asked for comes after `-DoutputDirectory=`; echo and the redirection are the shell's own.
MAVEN = (
    'for word in "$@"; do case "$word" in -DoutputDirectory=*) folder=${word#*=};; esac; done; /bin/mkdir -p "$folder"'
)


def ignore(_: str) -> None:
    """Take progress and do nothing with it."""


def test_no_docker_command_means_no_docker(programs: Programs, place: Place) -> None:
    """Without the program there is nothing to ask."""
    programs()

    assert find_docker() is None
    with pytest.raises(UnavailableError, match="no Docker engine"):
        docker_launch(place, progress=ignore)


def test_a_docker_command_without_engine_means_no_docker(programs: Programs) -> None:
    """The client alone is installed in many places."""
    programs(docker="exit 1")

    assert find_docker() is None


def test_docker_starts_the_official_image_on_the_port_of_this_machine(programs: Programs, place: Place) -> None:
    """Clients outside get the published port, the broker itself uses one inside; all data is in one named volume."""
    programs(docker="exit 0")

    launch = docker_launch(place, progress=ignore)
    command = list(launch.start)
    name = command[command.index("--name") + 1]

    assert command[1:3] == ["run", "--rm"]
    assert command[-1] == IMAGE
    assert "127.0.0.1:19999:9092" in command
    assert f"{name}:/var/lib/kafka/data" in command
    assert "KAFKA_ADVERTISED_LISTENERS=HOST://127.0.0.1:19999,INSIDE://localhost:9093" in command
    assert "KAFKA_INTER_BROKER_LISTENER_NAME=INSIDE" in command
    assert "KAFKA_TRANSACTION_ABORT_TIMED_OUT_TRANSACTION_CLEANUP_INTERVAL_MS=1000" in command
    assert [words[1:] for words in launch.forget] == [["rm", "--force", name], ["volume", "rm", "--force", name]]


def test_the_image_is_pulled_once_and_progress_says_so(programs: Programs, place: Place) -> None:
    """Only an image that is not there is pulled; an engine that cannot pull it is as good as none."""
    programs(docker='case "$1" in info) exit 0;; *) exit 1;; esac')
    said: list[str] = []

    with pytest.raises(UnavailableError, match="cannot pull"):
        docker_launch(place, progress=said.append)
    assert len(said) == 1


def test_java_is_configured_for_one_node(programs: Programs, place: Place, machine: Machine) -> None:
    """Clients and controller are on 127.0.0.1, and a killed worker's transaction is found soon."""
    programs(java=JAVA_17, mvn=MAVEN)

    launch = java_launch(place, machine=machine, progress=ignore)
    config = (place.folder / "server.properties").read_text().splitlines()

    assert launch.start[-2:] == ["kafka.Kafka", str(place.folder / "server.properties")]
    assert "listeners=PLAINTEXT://127.0.0.1:19999,CONTROLLER://127.0.0.1:20000" in config
    assert "transaction.abort.timed.out.transaction.cleanup.interval.ms=1000" in config
    assert "auto.create.topics.enable=false" in config


@pytest.mark.parametrize(
    ("java", "reason"),
    [
        ("echo 'openjdk version \"11.0.2\"' >&2", "is Java 11, Kafka needs 17"),
        ("echo 'java version \"1.8.0_281\"' >&2", "is Java 1, Kafka needs 17"),
        ("echo nonsense", "Kafka needs 17"),
    ],
)
def test_an_old_java_is_refused(programs: Programs, place: Place, machine: Machine, java: str, reason: str) -> None:
    """The refusal says which one was found and which is needed."""
    programs(java=java)

    with pytest.raises(UnavailableError, match=reason):
        java_launch(place, machine=machine, progress=ignore)


def test_java_home_comes_before_the_path(programs: Programs, place: Place, machine: Machine, tmp_path: Path) -> None:
    """Whoever sets `JAVA_HOME` means it."""
    programs(java="exit 1", mvn=MAVEN)
    home = tmp_path / "jdk"
    (home / "bin").mkdir(parents=True)
    (home / "bin" / "java").write_text(f"#!/bin/sh\n{JAVA_17}\n")
    (home / "bin" / "java").chmod(0o755)

    launch = java_launch(place, machine=Machine(cache=machine.cache, java_home=home), progress=ignore)

    assert launch.start[0] == str(home / "bin" / "java")


def test_what_java_complains_about_is_said(programs: Programs, place: Place, machine: Machine) -> None:
    """A data folder that cannot be formatted comes with Kafka's own reason."""
    programs(java=f"{JAVA_17}\ncase \"$*\" in *StorageTool*) echo 'Exception: disk is full'; exit 1;; esac", mvn=MAVEN)

    with pytest.raises(UnavailableError, match="disk is full"):
        java_launch(place, machine=machine, progress=ignore)


def test_with_nothing_installed_one_error_says_what_to_install(
    programs: Programs, machine: Machine, tmp_path: Path
) -> None:
    """Each way is named with why it fails, then what to do."""
    programs()

    with pytest.raises(UnavailableError) as raised:
        LocalKafka(folder=tmp_path / "broker", machine=machine).start()
    for part in ("no Docker engine answers", "Java is not installed", "install Java 17", "KAFKA_BOOTSTRAP_SERVERS"):
        assert part in str(raised.value)


def test_without_maven_only_downloaded_jars_will_do(programs: Programs, machine: Machine) -> None:
    """Missing Maven matters the first time only."""
    programs()
    with pytest.raises(UnavailableError, match=r"Maven \(mvn\) is not installed"):
        kafka_jars(cache=machine.cache, progress=ignore)

    folder = programs(mvn=MAVEN)
    jars = kafka_jars(cache=machine.cache, progress=ignore)
    (folder / "mvn").unlink()

    assert kafka_jars(cache=machine.cache, progress=ignore) == jars


def test_a_failed_download_leaves_nothing_that_counts(programs: Programs, machine: Machine) -> None:
    """The next start downloads again, and the error is Maven's."""
    programs(mvn=f"{MAVEN}; echo '[ERROR] no route to the repository'; exit 1")

    with pytest.raises(UnavailableError, match="no route"):
        kafka_jars(cache=machine.cache, progress=ignore)

    assert [path.name for path in machine.cache.iterdir()] == ["download.lock"]


def test_other_versions_have_another_folder(programs: Programs, machine: Machine, tmp_path: Path) -> None:
    """A changed pom.xml is downloaded anew instead of taken for the old one."""
    programs(mvn=MAVEN)
    other = tmp_path / "pom.xml"
    other.write_text(POM.read_text().replace("4.1.0", "4.1.1"))

    assert kafka_jars(cache=machine.cache, progress=ignore) != kafka_jars(
        cache=machine.cache, progress=ignore, pom=other
    )


def test_a_cluster_id_never_looks_like_an_option(tmp_path: Path) -> None:
    """One in 64 random ids begins with a dash, and then Kafka's tool refuses to format the folder."""
    for number in range(500):
        folder = tmp_path / str(number)
        folder.mkdir()
        made = kafka_launch._cluster_id(folder)
        assert len(base64.urlsafe_b64decode(f"{made}==")) == 16
        assert not made.startswith("-")
        assert kafka_launch._cluster_id(folder) == made


def test_free_ports_are_two_and_outside_the_range_of_outgoing_connections() -> None:
    """A broker that comes back must find its port free."""
    first, second = free_ports()

    assert first != second
    assert {first, second} <= set(FREE_PORTS)
    assert FREE_PORTS.stop <= 32_768


def test_given_servers_are_used_as_they_are() -> None:
    """Nothing is started and nothing is asked."""
    with running_kafka(Settings(kafka_bootstrap_servers="kafka-1:9092,kafka-2:9092")) as bootstrap:
        assert bootstrap == "kafka-1:9092,kafka-2:9092"
