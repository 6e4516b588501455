"""A real local broker is stopped, killed and left behind: it keeps its address and data, and never outlives us."""

import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from confluent_kafka.admin import AdminClient

from schemas.errors import UnavailableError
from streams.kafka import topics
from streams.kafka.clients import connected_admin
from streams.local_kafka.broker import LocalKafka, free_ports, running_kafka
from streams.settings import Settings

PREFIX = "kept."
GONE_S_MAX = 15.0

START_AND_WAIT = """
import sys, time
from streams.local_kafka.broker import LocalKafka
with LocalKafka(port=int(sys.argv[1])) as broker:
    print("up", flush=True)
    time.sleep(60)
"""


@pytest.fixture(scope="module")
def broker() -> Iterator[LocalKafka]:
    """One broker for the tests of this file; whoever stops it starts it again."""
    with LocalKafka() as running:
        yield running


def admin_of(broker: LocalKafka) -> tuple[AdminClient, Settings]:
    """Connect to it."""
    settings = Settings(kafka_bootstrap_servers=broker.bootstrap, topic_prefix=PREFIX, topic_partitions=1)
    return connected_admin(settings), settings


def is_listening(port: int) -> bool:
    """Say whether something takes connections there."""
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def test_data_and_address_survive_a_stop_and_a_kill(broker: LocalKafka) -> None:
    """A test can take the broker away, in order or like a power cut, and bring the same one back."""
    address = broker.bootstrap
    topics.create(*admin_of(broker))

    broker.restart()

    assert broker.bootstrap == address
    assert topics.check(*admin_of(broker)) == []

    broker.kill()

    assert not broker.is_running

    broker.start()

    assert topics.check(*admin_of(broker)) == []


def test_a_taken_port_is_said(broker: LocalKafka) -> None:
    """The second broker on a port names it and says what to do."""
    port = int(broker.bootstrap.rpartition(":")[2])

    with pytest.raises(UnavailableError, match=f"Port {port} is taken"), LocalKafka(port=port):
        pass


def test_temporary_data_is_removed_at_the_end() -> None:
    """Nothing is left in the temporary folder."""
    with LocalKafka() as running:
        folder = running.folder
        assert (folder / "kafka.log").exists()

    assert not folder.exists()


def test_a_folder_of_ones_own_is_kept(tmp_path: Path) -> None:
    """The next broker on it finds what the last one had."""
    with LocalKafka(folder=tmp_path / "kafka") as first:
        topics.create(*admin_of(first))
    with LocalKafka(folder=tmp_path / "kafka") as second:
        assert topics.check(*admin_of(second)) == []


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_the_broker_ends_with_whoever_started_it(how: signal.Signals) -> None:
    """Even kill -9 leaves neither the broker nor its data behind."""
    port, _ = free_ports()
    command = [sys.executable, "-c", START_AND_WAIT, str(port)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as starter:
        assert starter.stdout is not None
        assert starter.stdout.readline() == "up\n"
        assert is_listening(port)
        starter.send_signal(how)
        starter.wait()

    deadline = time.monotonic() + GONE_S_MAX
    while is_listening(port) and time.monotonic() < deadline:
        time.sleep(0.1)

    assert not is_listening(port)


def test_a_given_kafka_is_used_and_nothing_is_started(kafka: str) -> None:
    """With `KAFKA_BOOTSTRAP_SERVERS` set, that is the address, whatever port was asked for."""
    with running_kafka(Settings(kafka_bootstrap_servers=kafka), port=1) as bootstrap:
        assert bootstrap == kafka
