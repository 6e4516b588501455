"""Takes a person's letters off a partition of the dead-letter topic, with what was said of them.

Kafka deletes from the beginning only: all other letters are first written anew behind the end, under the names that
they have, then everything before it is deleted. Between the two every letter is there twice, and counts once; run again
after a crash, it does the same again.

Whoever deletes has read everything from the beginning to that end, and written anew what must stay of it: so two
erasures at once, wherever one stops and goes on, lose no letter. But the one that began later may have written anew
what the other wants to be gone: that one finds itself shut out, before it deletes or after, and says so.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Final

from confluent_kafka.admin import AdminClient

from agents.steps.report import iso_utc
from schemas import dead_letter, resume
from schemas.dead_letter import LetterName, read_letter, replay_texts
from schemas.decision import Decision
from schemas.record import Header, Stored
from schemas.resume import decode_resume, encode_resume, resumed_topic
from streams.clock import now_ms
from streams.dead_letters.batches import batches
from streams.dead_letters.decisions import DecisionWriter, Outgoing
from streams.dead_letters.erasure.rule import Person
from streams.dead_letters.erasure.said import NOBODY, is_told_in, without
from streams.dead_letters.erasure.settled import settled_end
from streams.dead_letters.folding import Folding
from streams.dead_letters.letters import Letters, MovedError
from streams.kafka import topic_plan
from streams.kafka.deletion import delete_before
from streams.kafka.partition_reader import GoneError, PartitionReader, Place
from streams.settings import Settings

TRANSACTION_RECORDS_MAX: Final = 1_000
TRANSACTION_BYTES_MAX: Final = 8_388_608


@dataclass(frozen=True, slots=True, kw_only=True)
class LetterEraser:
    """`committed` reads what counts, `everything` also what does not."""

    settings: Settings
    person: Person
    committed: PartitionReader
    everything: PartitionReader
    admin: AdminClient

    def erase(self, partition: int) -> int:
        """Do it for one partition; how many letters were written anew.

        Raises:
            OvertakenError: another command has begun on its letters, and may have written what is to be gone.
            MovedError: another erasure deletes; this one has deleted nothing.
            UnavailableError: it could not be done.
        """
        place = self._place(partition)
        with self._writer(partition) as writer:
            end, kept = self._write_anew(writer, place)
            writer.insist()
            delete_before(self.admin, {place: end})
            writer.insist()
        return kept

    def write_anew(self, partition: int) -> tuple[Place, int, int]:
        """Only write what must stay behind the end; give the place, that end, and how many letters stay."""
        place = self._place(partition)
        with self._writer(partition) as writer:
            end, kept = self._write_anew(writer, place)
        return place, end, kept

    def _write_anew(self, writer: DecisionWriter, place: Place) -> tuple[int, int]:
        """Give the end, and how many letters stay.

        What operators have said goes with the last of it, while the person's letters are still there to say which of
        it was about them. From then on these are discarded, so nobody replays them before they are deleted.
        """
        end, kept = settled_end(place, self.committed, self.everything), 0
        erased: set[LetterName] = set()
        survivors = self._survivors(place, end, erased)
        for batch in batches(survivors, records_max=TRANSACTION_RECORDS_MAX, bytes_max=TRANSACTION_BYTES_MAX):
            writer.commit({}, batch)
            kept += len(batch)
        self._discard(writer, erased)
        self._unsay(writer, place[1])
        return end, kept

    def unsay(self, partition: int) -> None:
        """Only what operators have said, where no letter of this partition is the person's."""
        with self._writer(partition) as writer:
            self._unsay(writer, partition)

    def _writer(self, partition: int) -> DecisionWriter:
        return DecisionWriter(self.settings, Letters(self.settings, self.committed), partition)

    def _place(self, partition: int) -> Place:
        return self.settings.topic(topic_plan.DLQ), partition

    def _survivors(self, place: Place, end: int, erased: set[LetterName]) -> Iterator[Outgoing]:
        """What must stay, in order; the names of what must not go into `erased`."""
        bounds = self.committed.bounds(place)
        folding = Folding(bounds[0])
        for record in self._records(place, end, bounds):
            letter = read_letter(record)
            if self.person.is_erased(self.person.relation(record.key, record.value, record.headers)):
                if letter:
                    erased.add(letter.name)
            elif letter is None:  # whoever has written it, it is not ours to drop
                yield _copy(record, record.headers)
            elif not folding.is_passed_over(letter):
                yield _copy(record, _named(letter.name, record.headers))

    def _records(self, place: Place, end: int, bounds: tuple[int, int]) -> Iterator[Stored]:
        """All of them from the beginning on; when they have been read, they still lie there."""
        try:
            yield from self.committed.read(place, end=end, bounds=bounds)
        except GoneError as error:
            raise MovedError(place[1]) from error
        if self.committed.bounds(place)[0] != bounds[0]:
            raise MovedError(place[1])

    def _discard(self, writer: DecisionWriter, erased: Iterable[LetterName]) -> None:
        """Overwrite what was decided on them; a tombstone would open them again, were this the last that we do."""
        discarded = Decision(decision="discarded", at=iso_utc(now_ms()), by=NOBODY)
        names = iter(erased)
        while batch := list(islice(names, TRANSACTION_RECORDS_MAX)):
            writer.commit(dict.fromkeys(batch, discarded))

    def _unsay(self, writer: DecisionWriter, partition: int) -> None:
        """Take the person off what was said about others' letters, and about topics."""
        cleared = {
            name: without(self.person, decision)
            for name, decision in writer.decisions.items()
            if is_told_in(self.person, decision)
        }
        resumes = self._resumes() if partition == resume.PARTITION else []
        if cleared or resumes:
            writer.commit(cleared, resumes)

    def _resumes(self) -> list[Outgoing]:
        topic = self.settings.topic(topic_plan.DLQ_DECISIONS)
        last = {
            record.key: decode_resume(record.value or b"")
            for record in self.committed.read_settled((topic, resume.PARTITION))
            if resumed_topic(record.key)
        }
        return [
            Outgoing(topic=topic, partition=resume.PARTITION, key=key, value=encode_resume(without(self.person, word)))
            for key, word in last.items()
            if word and is_told_in(self.person, word)
        ]


def _named(name: LetterName, headers: Iterable[Header]) -> list[Header]:
    known = list(headers)
    return known if dead_letter.NAMED in replay_texts(known) else [*known, (dead_letter.NAMED, str(name).encode())]


def _copy(record: Stored, headers: Iterable[Header]) -> Outgoing:
    """With its time: it is kept no longer than it would have been."""
    return Outgoing(
        topic=record.topic,
        partition=record.partition,
        key=record.key,
        value=record.value,
        headers=list(headers),
        timestamp_ms=record.timestamp,
    )
