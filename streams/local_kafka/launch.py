"""How to start one Kafka broker on this machine, with Docker or with Java; it starts none."""

import base64
import re
import shutil
import subprocess
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Final

from schemas.errors import UnavailableError
from streams.local_kafka.jars import kafka_jars
from streams.settings import Machine

IMAGE: Final = "apache/kafka:4.1.0"
JAVA_MIN: Final = 17
HEAP: Final = ("-Xms256m", "-Xmx768m")
ASK_S_MAX: Final = 10
FORMAT_S_MAX: Final = 60
PULL_S_MAX: Final = 900

# One node: what Kafka replicates by default to three stays on one, and nothing waits for members that never come.
BROKER_CONFIG: Final[Mapping[str, str]] = {
    "process.roles": "broker,controller",
    "node.id": "1",
    "controller.listener.names": "CONTROLLER",
    "offsets.topic.replication.factor": "1",
    "offsets.topic.num.partitions": "4",
    "transaction.state.log.replication.factor": "1",
    "transaction.state.log.min.isr": "1",
    "transaction.state.log.num.partitions": "4",
    "share.coordinator.state.topic.replication.factor": "1",
    "share.coordinator.state.topic.min.isr": "1",
    "group.initial.rebalance.delay.ms": "0",
    "auto.create.topics.enable": "false",
    # A killed broker is let in again only when its former session has run out; the default is 9 s.
    "broker.session.timeout.ms": "6000",
    # A killed worker's transaction holds its partitions until this scan finds it timed out; the default is 10 s.
    "transaction.abort.timed.out.transaction.cleanup.interval.ms": "1000",
    # The cleaner takes this much heap at once, whatever there is to clean; the default is 128 MiB.
    "log.cleaner.dedupe.buffer.size": "33554432",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Launch:
    """`start` runs in the foreground until the broker ends; `kill` and `forget` are further commands for those ends."""

    start: Sequence[str]
    kill: Sequence[Sequence[str]] = ()
    forget: Sequence[Sequence[str]] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Door:
    """One more address for clients: `port` listens, `advertised_port` is what they are told to connect to."""

    name: str
    port: int
    advertised_port: int
    protocol: str = "PLAINTEXT"


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a broker listens (on 127.0.0.1 only) and keeps its data; `config` goes before what we would set."""

    port: int
    controller_port: int
    folder: Path
    doors: Sequence[Door] = ()
    config: Mapping[str, str] = field(default_factory=dict)


def docker_launch(place: Place, *, progress: Callable[[str], None]) -> Launch:
    """Start the official image; the data is in a volume named after the folder, so that a new container finds it.

    Raises:
        UnavailableError: no engine answers, or the image cannot be had.
    """
    docker = find_docker()
    if docker is None:
        raise UnavailableError("no Docker engine answers")
    if not _succeeds([docker, "image", "inspect", IMAGE], timeout_s=ASK_S_MAX):
        progress(f"Pulling {IMAGE}, the first time only …")
        if not _succeeds([docker, "pull", "--quiet", IMAGE], timeout_s=PULL_S_MAX):
            raise UnavailableError(f"Docker cannot pull {IMAGE}")
    name = f"cio-kafka-{uuid.uuid5(uuid.NAMESPACE_URL, str(place.folder.resolve())).hex[:12]}"
    environment = docker_environment(place.port, place.doors, place.config)
    environment["CLUSTER_ID"] = _cluster_id(place.folder)
    options = [word for key, value in environment.items() for word in ("--env", f"{key}={value}")]
    published = {place.port: 9092} | {door.port: door.port for door in place.doors}
    ports = [word for port, inside in published.items() for word in ("--publish", f"127.0.0.1:{port}:{inside}")]
    volume = ["--volume", f"{name}:/var/lib/kafka/data"]
    return Launch(
        start=[docker, "run", "--rm", "--name", name, *ports, *volume, *options, IMAGE],
        kill=[[docker, "rm", "--force", name]],
        forget=[[docker, "rm", "--force", name], [docker, "volume", "rm", "--force", name]],
    )


def find_docker() -> str | None:
    """Give the path of Docker's command if an engine answers it."""
    docker = shutil.which("docker")
    return docker if docker and _succeeds([docker, "info"], timeout_s=ASK_S_MAX) else None


def docker_environment(
    port: int, doors: Sequence[Door] = (), config: Mapping[str, str] = MappingProxyType({})
) -> dict[str, str]:
    """Configure the image for clients on `port` of this machine; inside, the broker reaches itself by another one."""
    addresses = {"listeners": "HOST://:9092,INSIDE://localhost:9093,CONTROLLER://localhost:9094"}
    addresses["advertised.listeners"] = f"HOST://127.0.0.1:{port},INSIDE://localhost:9093"
    addresses["listener.security.protocol.map"] = "HOST:PLAINTEXT,INSIDE:PLAINTEXT,CONTROLLER:PLAINTEXT"
    all_config = {
        **BROKER_CONFIG,
        "log.dirs": "/var/lib/kafka/data",
        "controller.quorum.voters": "1@localhost:9094",
        "inter.broker.listener.name": "INSIDE",
        **_with_doors(addresses, doors, host=""),
        **config,
    }
    environment = {f"KAFKA_{_variable(key)}": value for key, value in all_config.items()}
    return environment | {"KAFKA_HEAP_OPTS": " ".join(HEAP)}


def _variable(key: str) -> str:
    """Spell a setting as the image's start script does."""
    return key.replace("_", "__").replace("-", "___").replace(".", "_").upper()


def _with_doors(addresses: Mapping[str, str], doors: Sequence[Door], *, host: str) -> dict[str, str]:
    more = {
        "listeners": [f"{door.name}://{host}:{door.port}" for door in doors],
        "advertised.listeners": [f"{door.name}://127.0.0.1:{door.advertised_port}" for door in doors],
        "listener.security.protocol.map": [f"{door.name}:{door.protocol}" for door in doors],
    }
    return {key: ",".join([address, *more[key]]) for key, address in addresses.items()}


def java_launch(place: Place, *, machine: Machine, progress: Callable[[str], None]) -> Launch:
    """Start the broker from its Maven artifacts, formatting its data folder first if that is new.

    Raises:
        UnavailableError: Java is missing or too old, the jars cannot be had, or the data folder cannot be formatted.
    """
    java = _java(machine)
    classes = str(kafka_jars(cache=machine.cache, progress=progress) / "*")
    quiet = ["-Dorg.slf4j.simpleLogger.defaultLogLevel=warn", "-Dlog4j2.level=WARN"]
    jvm = [java, *HEAP, "-XX:+ExitOnOutOfMemoryError", "-Djava.awt.headless=true", *quiet, "-cp", classes]
    config = place.folder / "server.properties"
    config.write_text("".join(f"{key}={value}\n" for key, value in java_config(place).items()))
    if not (place.folder / "data" / "meta.properties").exists():
        tool = [*jvm, "kafka.tools.StorageTool", "format", "-t", _cluster_id(place.folder), "-c", str(config)]
        if (complaint := _complaint(tool, timeout_s=FORMAT_S_MAX)) is not None:
            raise UnavailableError(f"Kafka cannot format its data folder {place.folder / 'data'}: {complaint}")
    return Launch(start=[*jvm, "kafka.Kafka", str(config)])


def java_config(place: Place) -> dict[str, str]:
    """Give the broker's settings as a process on this machine."""
    address, controller = f"PLAINTEXT://127.0.0.1:{place.port}", f"127.0.0.1:{place.controller_port}"
    addresses = {
        "listeners": f"{address},CONTROLLER://{controller}",
        "advertised.listeners": address,
        "listener.security.protocol.map": "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT",
    }
    return {
        **BROKER_CONFIG,
        "log.dirs": str(place.folder / "data"),
        "controller.quorum.voters": f"1@{controller}",
        **_with_doors(addresses, place.doors, host="127.0.0.1"),
        **place.config,
    }


def _java(machine: Machine) -> str:
    in_home = machine.java_home and shutil.which("java", path=machine.java_home / "bin")
    java = in_home or shutil.which("java")
    if java is None:
        raise UnavailableError("Java is not installed")
    try:
        shown = subprocess.run(  # noqa: S603 - as found on the path
            [java, "-version"], capture_output=True, text=True, check=False, timeout=ASK_S_MAX
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise UnavailableError(f"{java} does not run") from error
    version = re.search(r'version "(\d+)', shown.stderr + shown.stdout)
    if version is None or int(version[1]) < JAVA_MIN:
        raise UnavailableError(f"{java} is Java {version[1] if version else '?'}, Kafka needs {JAVA_MIN} or newer")
    return java


def _cluster_id(folder: Path) -> str:
    """Give a random id that stays with the folder; its fixed first byte keeps it from looking like an option."""
    path = folder / "cluster.id"
    if not path.exists():
        path.write_text(base64.urlsafe_b64encode(b"K" + uuid.uuid4().bytes[1:]).decode().rstrip("="))
    return path.read_text()


def _succeeds(command: Sequence[str], *, timeout_s: float) -> bool:
    return _complaint(command, timeout_s=timeout_s) is None


def _complaint(command: Sequence[str], *, timeout_s: float) -> str | None:
    """Run a command and give the last thing it said if it failed."""
    try:
        done = subprocess.run(  # noqa: S603 - our own commands, no shell
            command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False, timeout=timeout_s
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return type(error).__name__
    if done.returncode == 0:
        return None
    said = (done.stdout + done.stderr).split("\n")
    return next((line for line in said if "Exception" in line or "rror" in line), f"exit code {done.returncode}")
