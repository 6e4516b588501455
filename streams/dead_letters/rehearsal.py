"""Rehearses a replay: runs the worker's own plan over the copies and says what would become of each. Writes nothing.

Verdicts are those of today's code and ledger; whether Customer.io would accept what is sent, a sandbox may be asked.
"""

import asyncio
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import groupby
from typing import Final, Self

from agents.plan import Deliver, carry_out
from agents.plans.replay import ReplayPlan
from agents.ports import Publication
from schemas.chunk import Chunk, Membership
from schemas.conclusion import Conclusion
from schemas.dead_letter import DeadLetter
from schemas.delivery import Parcel, Verdict
from schemas.outcome import Outcome, Reason
from schemas.record import Record, Stored
from streams.clock import now_ms
from streams.dead_letters.batches import batches
from streams.dead_letters.copies import ReplayCopy, Terms, copy_of
from streams.delivery.ledger import Ledger
from streams.kafka import topic_plan
from streams.kafka.clients import librdkafka_config
from streams.kafka.ledger_reader import LedgerReader
from streams.kafka.transactions import OutputTopics
from streams.settings import Settings

CHUNK_RECORDS: Final = 500
CHUNK_BYTES: Final = 16_000_000
_SENTENCES: Final[Mapping[Outcome, str]] = {
    "delivered": "be delivered",
    "duplicate": "be a duplicate of what was delivered",
    "superseded": "be superseded by newer data",
    "skipped": "be skipped",
    "dead": "fail again",
}
_NOBODY: Final = Membership(-1, "")


@dataclass(frozen=True, slots=True, kw_only=True)
class Rehearsed:
    """What would become of a letter's replay, in the words of its result."""

    letter: DeadLetter
    verdict: Outcome
    reason: Reason | None
    detail: str | None

    def __str__(self) -> str:
        """Say it in one sentence."""
        why = ", ".join(part for part in (self.reason, self.detail) if part)
        return f"would {_SENTENCES[self.verdict]}" + (f" ({why})" if why else "")


def record_of(copy: ReplayCopy, settings: Settings, *, offset: int = 0) -> Record:
    """A copy as workers would read it from the replay topic now; `offset` only says in which order."""
    return Stored(
        settings.topic(topic_plan.REPLAY),
        copy.letter.name.partition,
        offset,
        now_ms(),
        copy.key,
        copy.value,
        copy.headers,
    )


class Rehearsal:
    """A context manager; its memory is the ledger of the partition that is rehearsed.

    Nobody refuses anything, unless it is `against_sandbox`: one that is started for it, and knows nobody at first.
    """

    def __init__(self, settings: Settings, *, against_sandbox: bool = False) -> None:
        self._settings = settings
        self._against_sandbox = against_sandbox
        self._exits = ExitStack()
        self._deliver: Deliver = _accept
        self._renew: Callable[[], None] = lambda: None

    def __enter__(self) -> Self:
        self._runner = self._exits.enter_context(asyncio.Runner())
        if self._against_sandbox:
            from streams.dead_letters.sandboxed import Sandboxed  # noqa: PLC0415 - a server and an HTTP client

            sandboxed = self._exits.enter_context(Sandboxed(self._settings, self._runner))
            self._deliver, self._renew = sandboxed.deliver, sandboxed.renew
        return self

    def __exit__(self, *_: object) -> None:
        self._exits.close()

    def rehearse(self, letters: Iterable[DeadLetter], terms: Terms | None = None) -> Iterator[Rehearsed]:
        """Yield what would become of each, in their order, which is by partition."""
        return self.rehearse_copies(copy_of(letter, terms or Terms()) for letter in letters)

    def rehearse_copies(self, copies: Iterable[ReplayCopy]) -> Iterator[Rehearsed]:
        """Yield what would become of each, in their order, which is by partition.

        Raises:
            UnavailableError: the ledger cannot be read.
        """
        for partition, those in groupby(copies, key=lambda copy: copy.letter.name.partition):
            ledger = self._restored(partition)
            for chunk in batches(those, records_max=CHUNK_RECORDS, bytes_max=CHUNK_BYTES):
                yield from self._runner.run(self._carry_out(chunk, ledger))
                self._renew()

    async def _carry_out(self, copies: Sequence[ReplayCopy], ledger: Ledger) -> list[Rehearsed]:
        records = [record_of(copy, self._settings, offset=at) for at, copy in enumerate(copies)]
        partition = records[0].partition
        plan = ReplayPlan()
        plan.add(records)
        await carry_out(plan, ledger.memory(partition), self._deliver)
        ledger.remember(_publication(records, plan))
        concluded = sorted(plan.conclusions, key=lambda conclusion: conclusion.record.offset)
        return [_rehearsed(copy, each) for copy, each in zip(copies, concluded, strict=True)]

    def _restored(self, partition: int) -> Ledger:
        ledger, topics = Ledger.of(self._settings), OutputTopics.of(self._settings)
        ledger.keep([partition])
        reader = LedgerReader(librdkafka_config(self._settings), group=f"{self._settings.app_id}-commands")
        reader.read(
            {(name, partition): -1 for name in topics.ledger()},
            lambda records: ledger.restore(records, topics),
            lambda: True,
        )
        return ledger


async def _accept(parcels: Sequence[Parcel]) -> list[Verdict]:
    return [Verdict(accepted=True, status=None, attempts=1)] * len(parcels)


def _publication(records: Sequence[Record], plan: ReplayPlan) -> Publication:
    first = records[0]
    chunk = Chunk(topic=first.topic, partition=first.partition, start=0, records=records, membership=_NOBODY, epoch=0)
    sends = [(key, entry) for _, key, entry in plan.sends()]
    return Publication(
        chunk=chunk,
        results=[],
        letters=[],
        people=plan.people(),
        events=plan.events(),
        sends=sends,
        concluded_s=time.time(),
    )


def _rehearsed(copy: ReplayCopy, found: Conclusion) -> Rehearsed:
    return Rehearsed(letter=copy.letter, verdict=found.outcome, reason=found.reason, detail=found.detail)
