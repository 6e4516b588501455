"""A watch in this process on a real Kafka, letters for it to find, and what `dlq stats` makes of the same."""

import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Final

from streams.clock import now_ms
from streams.dead_letters import stats
from streams.dead_letters.letters import Letters
from streams.dead_letters.open_letters import Kind
from streams.dead_letters.watch import LETTERS_MAX, Watch
from streams.kafka.partition_reader import PartitionReader
from streams.settings import Settings
from tests.integration.dlq_stage import letter_of, write_letters
from tests.unit.input_records import InputRecord, make_upsert

SOON_S: Final = 20.0
LOOK_S: Final = 0.1


@contextmanager
def watching(settings: Settings, *, letters_max: int = LETTERS_MAX) -> Iterator[Watch]:
    """Watch in a thread of this process."""
    stop = threading.Event()
    watch = Watch(settings, stop=stop, look_s=LOOK_S, letters_max=letters_max)
    thread = threading.Thread(target=watch.run)
    thread.start()
    try:
        yield watch
    finally:
        stop.set()
        thread.join(SOON_S)


def until(is_so: Callable[[], bool]) -> None:
    """Wait for it."""
    deadline = time.monotonic() + SOON_S
    while not is_so():
        assert time.monotonic() < deadline, "it does not come to that"
        time.sleep(LOOK_S / 2)


def letters(settings: Settings, count: int, *, topic: str = "user-changes", first: int = 0) -> None:
    """Let so many records of a topic die, on both partitions by turns."""
    value = make_upsert().value
    records = [
        InputRecord(topic=settings.topic(topic), partition=at % 2, offset=at, key=b"u-1", value=value)
        for at in range(first, first + count)
    ]
    write_letters(settings, [letter_of(each, "malformed" if each.offset % 3 else "rejected") for each in records])


def opened(watch: Watch) -> Mapping[Kind, int]:
    """How many are open, as the watch has it."""
    return {kind: found.letters for kind, found in (watch.standing or {}).items()}


def counted(settings: Settings) -> stats.Stats:
    """What `dlq stats` makes of the open ones."""
    with PartitionReader(settings) as reader:
        letters = Letters(settings, reader)
        return stats.counted(
            each for partition in letters.partitions() for each in letters.read(partition) if each.state == "open"
        )


def agrees(watch: Watch, settings: Settings, *, total: int) -> None:
    """Wait until it tells of so many, and compare how they divide with what `dlq stats` counts."""
    until(lambda: sum(opened(watch).values()) == total)
    kinds, found = opened(watch), counted(settings).told(now_ms=now_ms())
    topics, reasons = Counter[str](), Counter[str]()
    for (topic, reason), number in kinds.items():
        topics[topic] += number
        reasons[reason] += number
    oldest_ms = min((each.oldest_ms for each in (watch.standing or {}).values() if each.oldest_ms), default=now_ms())

    assert (dict(topics), dict(reasons)) == (found["by_topic"], found["by_reason"])
    assert abs((now_ms() - oldest_ms) / 1000 - (found["oldest_age_s"] or 0)) < SOON_S
