"""Replays on a real Kafka: what is on `customerio-replay` is delivered, or is not, as if it had been in time."""

import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import httpx
import orjson
from confluent_kafka import Producer

from schemas.dead_letter import origin_of, replays_of
from schemas.record import Header
from streams.kafka.clients import librdkafka_config
from streams.sandbox.faults import Faults
from streams.sandbox.options import SandboxOptions
from streams.sandbox.serve import running_sandbox
from streams.settings import Settings
from tests.conftest import SettingsFactory
from tests.faults import evidence
from tests.integration.worker_process import WorkerProcess, environment
from tests.replays import replay_headers

WAIT_S: Final = 60.0
POLL_S: Final = 0.1
PARTITIONS: Final = 2
PERSONS: Final = 40
ROUNDS: Final = 8
REFUSED: Final = '"refused"'
LATENCY_MS: Final = 150.0


class Stage:
    """Publishes, replays, and reads what workers and Customer.io have of it."""

    def __init__(self, settings: Settings, url: str, folder: Path) -> None:
        self.published = 0
        self._settings = settings
        self._url = url
        self._folder = folder
        self._kafka = librdkafka_config(settings)
        self._producer = Producer(self._kafka | {"linger.ms": 5})

    @contextmanager
    def worker(self, name: str) -> Iterator[None]:
        """Let one work, and kill it."""
        more = {"RETRY_BACKOFF_S": "0.1", "DRAIN_S": "1"}
        with WorkerProcess(environment(self._settings, self._url, **more), self._folder / f"{name}.log") as worker:
            worker.wait_until_it_says("partitions assigned")
            yield

    def publish(
        self, topic: str, key: bytes | None, value: bytes | None, *, headers: Sequence[Header] = (), partition: int = 0
    ) -> None:
        """Put one record on a partition."""
        self._producer.produce(self._settings.topic(topic), value, key, partition, headers=list(headers))
        self.published += 1

    def change(self, user_id: str, plan: str, *, partition: int = 0) -> None:
        """Publish a user change that names neither a version nor a time."""
        value = orjson.dumps({"type": "user.upserted", "user": {"id": user_id, "plan": plan}})
        self.publish("user-changes", user_id.encode(), value, partition=partition)

    def replay(self, letter: evidence.Output, *, even_if_older: bool = False) -> None:
        """Put a letter on the replay topic, on its own partition."""
        headers = replay_headers(letter.headers, even_if_older=even_if_older)
        self.publish("customerio-replay", letter.key, letter.value, headers=headers, partition=letter.place.partition)

    def letters(self) -> list[evidence.Output]:
        """All that are there."""
        return list(self._read("customerio-dlq"))

    def results(self) -> list[dict[str, Any]]:
        """All that are there."""
        return [orjson.loads(each.value or b"{}") for each in self._read("customerio-results")]

    def _read(self, topic: str) -> Iterator[evidence.Output]:
        return evidence.read_committed(self._kafka, self._settings.topic(topic), PARTITIONS)

    def flush(self) -> None:
        """Return when Kafka has all that was published."""
        assert self._producer.flush(WAIT_S) == 0

    def concluded(self) -> list[dict[str, Any]]:
        """The results, once every record has one."""
        self.flush()
        until(lambda: len(self.results()) >= self.published)
        return self.results()

    def repair(self, *, latency_ms: float = 0.0) -> None:
        """From now on Customer.io takes everything."""
        faults = {"rate": 0.0, "latency_ms": latency_ms}
        httpx.put(f"{self._url}/sandbox/faults", json=faults, trust_env=False).raise_for_status()

    def plans(self) -> Mapping[str, str]:
        """What Customer.io holds of each person in the end."""
        people = evidence.read_sandbox(self._url).people
        return {name: person["attributes"].get("plan", "") for name, person in people.items()}


@contextmanager
def stage(settings: Settings, folder: Path) -> Iterator[Stage]:
    """Give one whose sandbox refuses, for now, every operation with `REFUSED` in it."""
    faults = Faults(rate=1, kinds=("400",), containing=REFUSED)
    with running_sandbox(SandboxOptions(faults=faults)) as url:
        yield Stage(settings, url, folder)


def until(is_so: Callable[[], bool]) -> None:
    """Wait for it."""
    deadline = time.monotonic() + WAIT_S
    while not is_so():
        assert time.monotonic() < deadline, "it does not come to that"
        time.sleep(POLL_S)


def words(results: Iterable[dict[str, Any]]) -> dict[tuple[str, int], str]:
    """What became of each replay, by its first topic and offset."""
    return {
        (each["origin"]["topic"].rpartition(".")[2], each["origin"]["offset"]): each["reason"] or each["outcome"]
        for each in results
        if "origin" in each
    }


def test_a_replay_ends_as_if_it_had_been_in_time(settings_factory: SettingsFactory, tmp_path: Path) -> None:
    """Delivered, superseded, dead again or a duplicate: with its origin, and an event with its first ULID."""
    with stage(settings_factory(topic_partitions=PARTITIONS), tmp_path) as world, world.worker("only"):
        for person in ("good", "passed", "wanted"):  # offsets 0 to 2
            world.change(person, "refused")
        world.publish("user-changes", b"bad", b"{")
        world.publish("domain-events", b"good", b'{"name": "refused", "user_id": "good"}')
        world.concluded()
        letters = world.letters()
        world.repair()
        for person in ("passed", "wanted"):
            world.change(person, "newer")
        world.concluded()
        for letter in letters:
            world.replay(letter, even_if_older=letter.key == b"wanted")
        world.publish("customerio-replay", b"stray", b"{}")
        first = words(world.concluded())
        for letter in letters:
            if letter.key == b"good":
                world.replay(letter)
        results = world.concluded()
        second, plans, left = words(results), world.plans(), [each.headers for each in world.letters()]

    assert first == {
        ("user-changes", 0): "delivered",
        ("user-changes", 1): "older_timestamp",
        ("user-changes", 2): "delivered",
        ("user-changes", 3): "malformed",
        ("domain-events", 0): "delivered",
    }
    assert second == first | {("user-changes", 0): "fingerprint", ("domain-events", 0): "fingerprint"}
    assert plans == {"good": "refused", "passed": "newer", "wanted": "refused"}
    assert len({each["event_id"] for each in results if each["operations"] == ["event"]}) == 1
    assert [(str(origin_of(each)).rpartition(".")[2], replays_of(each)) for each in left[len(letters) :]] == [
        ("user-changes/0/3", 1),
        ("customerio-replay/0/5", 0),
    ]


def test_a_worker_that_is_killed_leaves_no_older_state(settings_factory: SettingsFactory, tmp_path: Path) -> None:
    """Replays and live changes of the same people at once: one result for each record, and the newest data stays."""
    with stage(settings_factory(topic_partitions=PARTITIONS), tmp_path) as world:
        with world.worker("killed"):
            for number in range(PERSONS):
                world.change(f"u-{number}", "refused", partition=number % PARTITIONS)
            world.concluded()
            letters = world.letters()
            world.repair(latency_ms=LATENCY_MS)
            for turn in range(ROUNDS):
                for letter in letters[turn::ROUNDS]:
                    world.replay(letter)
                for number in range(0, PERSONS, 2):
                    world.change(f"u-{number}", f"live-{turn}", partition=number % PARTITIONS)
                world.flush()
                time.sleep(POLL_S)
        with world.worker("next"):
            results = world.concluded()
        plans = world.plans()

    sources = Counter(tuple(each["source"][name] for name in ("topic", "partition", "offset")) for each in results)
    assert (set(sources.values()), len(sources)) == ({1}, world.published)
    assert plans == {f"u-{n}": "refused" if n % 2 else f"live-{ROUNDS - 1}" for n in range(PERSONS)}
    assert {each["outcome"] for each in results if "origin" in each} <= {"delivered", "superseded", "duplicate"}
