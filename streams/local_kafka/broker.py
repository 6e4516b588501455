"""A real Kafka broker on this machine, for `up`, for `kafka` and for tests; never a mock, and never outliving us."""

import contextlib
import logging
import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Final, Self

from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient

from schemas.errors import UnavailableError
from streams.kafka.clients import librdkafka_config
from streams.local_kafka import process_guard
from streams.local_kafka.launch import Door, Launch, Place, docker_launch, java_launch
from streams.settings import Machine, Settings, load_machine

READY_S_MAX: Final = 60.0
READY_POLL_S: Final = 0.1
STOP_S_MAX: Final = 6.0
LOG_LINES_SHOWN: Final = 3
# Below the range from which systems take the ports of outgoing connections: a client that retries a port of that range
# while the broker is down may be given the very same one, connect to itself, and keep the broker from coming back.
FREE_PORTS: Final = range(20_000, 32_000)


class LocalKafka:
    """One broker that can be stopped, killed and started again on the same port with the same data.

    Args:
        port: where it listens on 127.0.0.1; 0 takes a free one, which is kept over restarts.
        folder: keeps the data for the next time; None: a temporary folder, removed by `close`.
        progress: is told, in a few words, what takes time.
        doors: further addresses for clients.
        config: a broker's settings that differ from ours.
    """

    def __init__(
        self,
        *,
        port: int = 0,
        folder: Path | None = None,
        progress: Callable[[str], None] = lambda _: None,
        machine: Machine | None = None,
        doors: Sequence[Door] = (),
        config: Mapping[str, str] = MappingProxyType({}),
    ) -> None:
        self._progress = progress
        self._machine = machine or load_machine()
        self._is_temporary = folder is None
        folder = Path(tempfile.mkdtemp(prefix="cio-kafka-")) if folder is None else folder
        folder.mkdir(parents=True, exist_ok=True)
        free_port, controller_port = free_ports()
        self._place = Place(
            port=port or free_port, controller_port=controller_port, folder=folder, doors=doors, config=config
        )
        self._launch: Launch | None = None
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def bootstrap(self) -> str:
        """`host:port` for clients."""
        return f"127.0.0.1:{self._place.port}"

    @property
    def folder(self) -> Path:
        """Where its data and its log are."""
        return self._place.folder

    @property
    def is_running(self) -> bool:
        """Whether the broker's process lives."""
        return self._process is not None and self._process.poll() is None

    def start(self) -> None:
        """Start the broker and return when clients can use it: about 5 s, more when it must be downloaded first.

        Raises:
            UnavailableError: the port is taken, neither Docker nor Java can be had, or the broker does not come up.
        """
        _insist_on_free(self._place.port)
        self._launch = self._launch or self._choose()
        self._progress(f"Starting Kafka at {self.bootstrap} …")
        folders = [str(self.folder)] if self._is_temporary else []
        guarded = process_guard.spec(
            self._launch.start, last_commands=self._launch.forget if folders else self._launch.kill, folders=folders
        )
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(  # noqa: S603 - our own command, no shell
                [sys.executable, "-I", process_guard.__file__, guarded],
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=log,
                start_new_session=True,  # the terminal's Ctrl-C is for us, who then stop the broker in order
            )
        try:
            self._wait_until_ready()
        except BaseException:
            self.kill()
            raise

    def stop(self) -> None:
        """End the broker in order, within a few seconds; what it holds is on disk."""
        if self._process is not None:
            self._process.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(STOP_S_MAX)
        self.kill()

    def kill(self) -> None:
        """End the broker at once, as a power cut would."""
        if self._process is None or self._launch is None:
            return
        for command in self._launch.kill:
            subprocess.run(command, check=False, capture_output=True)  # noqa: S603 - our own command
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        if self._process.stdin is not None:
            self._process.stdin.close()
        self._process = None
        self._wait_until_gone()

    def restart(self) -> None:
        """Stop in order, then start again on the same port with the same data."""
        self.stop()
        self.start()

    def close(self) -> None:
        """End the broker for good; temporary data is removed, and for its sake nothing is written in order."""
        if not self._is_temporary:
            self.stop()
            return
        self.kill()
        for command in self._launch.forget if self._launch else ():
            subprocess.run(command, check=False, capture_output=True)  # noqa: S603 - our own command
        shutil.rmtree(self.folder, ignore_errors=True)

    def __enter__(self) -> Self:
        try:
            self.start()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def _log(self) -> Path:
        return self.folder / "kafka.log"

    def _choose(self) -> Launch:
        try:
            return docker_launch(self._place, progress=self._progress)
        except UnavailableError as error:
            without_docker = error
        try:
            return java_launch(self._place, machine=self._machine, progress=self._progress)
        except UnavailableError as error:
            raise UnavailableError(
                f"No Kafka can be started here ({without_docker}; {error}):"
                " start Docker, or install Java 17 and Maven, or set KAFKA_BOOTSTRAP_SERVERS"
            ) from error

    def _wait_until_ready(self) -> None:
        if not wait_until_ready(self.bootstrap, is_hopeless=lambda: not self.is_running):
            what = "does not come up" if self.is_running else "ended at its start"
            raise UnavailableError(f"The local Kafka {what}: {self.last_words()}")

    def _wait_until_gone(self) -> None:
        # The guard is our child and is gone by now; the broker is not, and may hold port and data a moment longer.
        deadline = time.monotonic() + STOP_S_MAX
        while not _is_free(self._place.port) and time.monotonic() < deadline:
            time.sleep(READY_POLL_S)

    def last_words(self) -> str:
        """The end of the broker's log, as much as fits an error's one line."""
        lines = self._log.read_text(errors="replace").splitlines()
        telling = [line for line in lines if "ERROR" in line or "Exception" in line] or lines
        return " | ".join(telling[-LOG_LINES_SHOWN:])[:600] or "it said nothing"


@contextlib.contextmanager
def running_kafka(
    settings: Settings,
    *,
    port: int = 9092,
    folder: Path | None = None,
    progress: Callable[[str], None] = lambda _: None,
) -> Iterator[str]:
    """Give the address of the Kafka to use: the settings' own, for which nothing is started, else a local broker's."""
    if settings.kafka_bootstrap_servers:
        yield settings.bootstrap
        return
    with LocalKafka(port=port, folder=folder, progress=progress) as kafka:
        yield kafka.bootstrap


def wait_until_ready(bootstrap: str, *, is_hopeless: Callable[[], bool] = lambda: False) -> bool:
    """Wait until clients can use the broker; False when it is hopeless or takes over `READY_S_MAX`."""
    deadline = time.monotonic() + READY_S_MAX
    settings = Settings(kafka_bootstrap_servers=bootstrap)
    silent = logging.getLogger("kafka.starting")
    silent.disabled = True  # until it is up, every attempt fails
    admin = AdminClient(librdkafka_config(settings, logger=silent, **{"reconnect.backoff.max.ms": 200}))
    while not _is_ready(admin):
        if is_hopeless() or time.monotonic() > deadline:
            return False
        time.sleep(READY_POLL_S)
    return True


def _is_ready(admin: AdminClient) -> bool:
    try:
        cluster = admin.list_topics(timeout=1)
    except KafkaException:
        return False
    partitions = [partition for topic in cluster.topics.values() for partition in topic.partitions.values()]
    return bool(cluster.brokers) and all(partition.leader >= 0 for partition in partitions)


def free_ports() -> tuple[int, int]:
    """Give two ports that nothing listens on, outside the range of outgoing connections."""
    free = [port for port in random.sample(FREE_PORTS, 100) if _is_free(port)]
    if len(free) < 2:  # noqa: PLR2004 - one for clients, one for the controller
        raise UnavailableError(f"No free ports between {FREE_PORTS.start} and {FREE_PORTS.stop}")
    return free[0], free[1]


def _insist_on_free(port: int) -> None:
    if not _is_free(port):
        raise UnavailableError(
            f"Port {port} is taken: stop what uses it, choose another, or set KAFKA_BOOTSTRAP_SERVERS"
        )


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # as the broker does: what only lingers is free
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True
