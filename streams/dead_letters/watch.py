"""Follows dead letters and the decisions on them, and tells at any time which are open. Blocking; writes nothing.

What was read is kept while Kafka is away, and read from its beginning only when it cannot be kept up.
"""

import threading
import time
from collections.abc import Iterable, Mapping
from typing import Final

import structlog

from schemas.dead_letter import read_letter
from schemas.decision import decided_letter, decode_decision
from schemas.errors import ConfigError, UnavailableError
from schemas.record import Stored
from streams.dead_letters.open_letters import Kind, OpenLetters, ReopenedError, Standing, together
from streams.kafka import topic_plan
from streams.kafka.follower import Follower, Reached
from streams.kafka.partition_reader import GoneError, PartitionReader, Place
from streams.settings import Settings

POLL_S: Final = 0.2
LOOK_S: Final = 5.0
"""So often it is asked how far there is to read and what Kafka has deleted, and told what is open."""

ANSWER_S: Final = 3.0
PAUSE_S: Final = 2.0
LETTERS_MAX: Final = 1_000_000
"""So many are remembered, in about 200 MB; then no more are read, and lag tells, until Kafka has deleted some."""

log = structlog.get_logger()


class Watch:
    """One of them is enough, and more do no harm.

    Attributes:
        waiting: for what, None while all is well.
        standing: how many letters are open, by kind; None until all have been read once.
        level_s: when all was there that has been read by now, by the monotonic clock; at first, when it began.
        turned_s: when it last went on, by the same clock.
    """

    def __init__(
        self,
        settings: Settings,
        *,
        stop: threading.Event,
        look_s: float = LOOK_S,
        letters_max: int = LETTERS_MAX,
    ) -> None:
        self.waiting: str | None = None
        self.standing: Mapping[Kind, Standing] | None = None
        self.level_s = self.turned_s = time.monotonic()
        self._settings = settings
        self._stop = stop
        self._look_s = look_s
        self._letters_max = letters_max
        self._letters, self._decisions = settings.topic(topic_plan.DLQ), settings.topic(topic_plan.DLQ_DECISIONS)
        self._forget_all()

    def _forget_all(self) -> None:
        self._partitions: dict[int, OpenLetters] = {}
        self._read_to: dict[Place, int] = {}
        self._bounds: dict[Place, tuple[int, int]] = {}
        self._looked_s = float("-inf")

    @property
    def behind(self) -> Mapping[str, int]:
        """How much of each topic (full name) is left to read, by the ends at the last look."""
        left = dict.fromkeys((self._letters, self._decisions), 0)
        for place, (_, end) in list(self._bounds.items()):
            left[place[0]] += max(0, end - self._read_to.get(place, 0))
        return left

    def run(self) -> None:
        """Follow until it is told to stop; what Kafka does not let it do now it tries again.

        Raises:
            ConfigError: a topic does not exist, or may not be read.
        """
        while not self._stop.is_set():
            try:
                with PartitionReader(self._settings, answer_s=ANSWER_S) as reader, Follower(self._settings) as follower:
                    self._follow(reader, follower)
            except (GoneError, ReopenedError) as error:
                self._forget_all()
                self._wait(str(error))
            except ConfigError as error:
                if self.standing is None:
                    raise
                self._wait(str(error))  # a broker that has just come up may know no topics yet
            except UnavailableError as error:
                self._wait(str(error))

    def _follow(self, reader: PartitionReader, follower: Follower) -> None:
        """Letters first: of decisions on those that are not read yet, all would have to be remembered."""
        self._bounds = {}
        self._begin(self._letters, reader, follower)
        is_deciding = is_full = False
        while not self._stop.is_set():
            self._take(follower.poll(POLL_S))
            self.turned_s = time.monotonic()
            if is_full != self._is_full():
                is_full = not is_full
                self._hold(follower, is_full=is_full)
            if not any(self.behind.values()):
                if not is_deciding:
                    self._begin(self._decisions, reader, follower)
                    is_deciding = True
                    continue
                self._level()
            if self.turned_s - self._looked_s >= self._look_s:
                self._tell()
                self._look(reader, list(self._bounds))

    def _begin(self, topic: str, reader: PartitionReader, follower: Follower) -> None:
        """Go on where this topic was read to, or from its oldest record."""
        places = [(topic, partition) for partition in reader.partitions(topic)]
        self._look(reader, places)
        for place in places:
            self._read_to[place] = max(self._read_to.get(place, 0), self._bounds[place][0])
            if topic == self._letters:
                self._partitions.setdefault(place[1], OpenLetters(replays_max=self._settings.max_replays))
        follower.follow({place: self._read_to[place] for place in places})

    def _look(self, reader: PartitionReader, places: Iterable[Place]) -> None:
        looked_s = time.monotonic()
        found = {place: reader.bounds(place) for place in places}
        for topic in {topic for topic, _ in found}:
            if len(reader.partitions(topic)) != sum(each == topic for each, _ in found):
                raise GoneError(f"{topic} has more partitions now")
        for place, (_, end) in found.items():
            if end < self._read_to.get(place, 0):
                raise GoneError(f"{place[0]}/{place[1]} is another one now")
        if self._is_full() and any(
            oldest > self._bounds.get(place, (oldest, 0))[0] for place, (oldest, _) in found.items()
        ):
            raise GoneError("Kafka has deleted letters: all that are left are read again")
        self._bounds, self._looked_s = self._bounds | found, looked_s

    def _take(self, told: Iterable[Stored | Reached]) -> None:
        for each in told:
            if isinstance(each, Reached):
                self._read_to[each.place] = max(self._read_to[each.place], each.offset)
                continue
            if each.topic == self._letters:
                self._take_letter(each)
            else:
                self._take_decision(each)
            self._read_to[each.topic, each.partition] = each.offset + 1

    def _take_letter(self, record: Stored) -> None:
        letter = read_letter(record)
        if letter is not None:
            self._partitions[record.partition].take(letter)

    def _take_decision(self, record: Stored) -> None:
        name = decided_letter(record.key)
        letters = self._partitions.get(record.partition)
        if name is not None and letters is not None:
            letters.decide(name, decode_decision(record.value) if record.value else None)

    def _level(self) -> None:
        """All is read that was there at the last look: what Kafka had deleted by then is forgotten."""
        self.level_s, self.waiting = self._looked_s, None
        for partition, letters in self._partitions.items():
            letters.forget(self._bounds[self._letters, partition][0])
        if self.standing is None:
            self.standing = together(self._partitions.values())
            log.info("all dead letters are read", open=sum(each.letters for each in self.standing.values()))

    def _tell(self) -> None:
        if self.standing is not None:
            self.standing = together(self._partitions.values())

    def _is_full(self) -> bool:
        return sum(map(len, self._partitions.values())) >= self._letters_max

    def _hold(self, follower: Follower, *, is_full: bool) -> None:
        if is_full:
            self._say(
                f"more than {self._letters_max:,} dead letters: the rest is not read until Kafka has deleted some"
            )
        for place in self._bounds:
            if place[0] == self._letters:
                (follower.pause if is_full else follower.resume)(place)

    def _wait(self, why: str) -> None:
        self._say(why)
        self.turned_s = time.monotonic()
        self._stop.wait(PAUSE_S)

    def _say(self, why: str) -> None:
        if why != self.waiting:
            log.warning("waiting", why=why)
        self.waiting = why
