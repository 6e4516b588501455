"""Ways in which the product could be wrong, each of which the simulation must find; put in place of the real code."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import pytest

from agents.ports import Publication
from agents.steps import decide, translate_change, translate_event
from agents.steps.pack import pack
from schemas.delivery import Parcel, Verdict
from streams.customerio import breaker
from streams.customerio.attempts import Exhausted
from streams.customerio.blame import Blame, Guilty
from streams.customerio.breaker import Breaker
from streams.customerio.sender import TrackSender
from streams.delivery.courier import Courier
from streams.delivery.journal import Journal
from streams.delivery.lanes import Lanes
from streams.delivery.ledger import Ledger
from streams.delivery.throttle import Throttle
from streams.delivery.turns import _Turn
from streams.kafka import transactions
from streams.kafka.lease import Lease
from streams.kafka.transactions import TransactionWriter
from tests.simulation import worker
from tests.simulation.loop import PROCESS

Mutation = Callable[[pytest.MonkeyPatch], None]


async def _at_once(*_: object, **__: object) -> None:
    """Wait for nothing."""


def no_throttle(patch: pytest.MonkeyPatch) -> None:
    """Requests do not wait for the rate."""
    patch.setattr(Throttle, "acquire", _at_once)


def whole_rate_for_each(patch: pytest.MonkeyPatch) -> None:
    """Every worker takes the fleet's whole rate."""
    own = Throttle.set_share
    patch.setattr(Throttle, "set_share", lambda self, share: own(self, min(1.0, 1000 * share)))


def parts_side_by_side(patch: pytest.MonkeyPatch) -> None:
    """The parts of one lane's wave do not wait for each other."""
    deliver = Courier._deliver_batch

    async def at_once(self: Courier, parcels: Sequence[Parcel]) -> list[Verdict]:
        parts = [deliver(self, part) for part, _ in pack(parcels)]
        return [verdict for verdicts in await asyncio.gather(*parts) for verdict in verdicts]

    patch.setattr(Courier, "_deliver_batch", at_once)


def present_membership(patch: pytest.MonkeyPatch) -> None:
    """The journal commits as whoever the worker is now, and not as who it was when the chunk came."""
    made = transactions.group_metadata

    def present(group: str, _: Any) -> bytes:  # noqa: ANN401 - the membership that is not looked at
        process = PROCESS.get()
        assert process is not None
        return made(group, worker.WORKERS[process].consumer.membership)

    patch.setattr(transactions, "group_metadata", present)


def no_doubt(patch: pytest.MonkeyPatch) -> None:
    """What may have been committed is written again without asking."""
    patch.setattr(TransactionWriter, "_uncommitted", lambda _, publications: publications)


def no_lease(patch: pytest.MonkeyPatch) -> None:
    """Requests go also when the partitions may be another's."""
    patch.setattr(Lease, "acquire", _at_once)
    patch.setattr(Lease, "is_held", property(lambda _: True))


def no_drain(patch: pytest.MonkeyPatch) -> None:
    """What is under way when partitions are taken away goes on."""
    patch.setattr(Lanes, "drain", _at_once)


def no_memory(patch: pytest.MonkeyPatch) -> None:
    """What is delivered is not remembered until the next restore."""
    patch.setattr(Ledger, "remember", lambda _, __: None)


def no_turns(patch: pytest.MonkeyPatch) -> None:
    """Replays and live records do not wait for each other."""
    patch.setattr(_Turn, "must_wait_for", lambda _, __: False)


def no_offsets(patch: pytest.MonkeyPatch) -> None:
    """Replays are not held against the topic's order."""
    patch.setattr(decide, "_is_lower", lambda _, __: False)


def no_first_time(patch: pytest.MonkeyPatch) -> None:
    """A replay is as young as its copy."""
    for module in (translate_event, translate_change):
        patch.setattr(module, "first_timestamp_ms", lambda record: record.timestamp)


def no_restore(patch: pytest.MonkeyPatch) -> None:
    """The ledger is not read back."""
    patch.setattr(Ledger, "restore", lambda *_: None)


def no_commit(patch: pytest.MonkeyPatch) -> None:
    """A chunk counts as concluded before it is."""

    async def forget(_: Journal, publication: Publication) -> None:
        """Write nothing."""

    patch.setattr(Journal, "commit", forget)


def lost_results(patch: pytest.MonkeyPatch) -> None:
    """The last result of every chunk is left out."""
    commit = Journal.commit

    async def shorten(self: Journal, publication: Publication) -> None:
        await commit(self, replace(publication, results=publication.results[:-1]))

    patch.setattr(Journal, "commit", shorten)


def no_mercy(patch: pytest.MonkeyPatch) -> None:
    """Whoever has used up its attempts is to blame, whatever becomes of others."""

    async def blame(_: Blame, end: Exhausted, **__: object) -> Guilty:
        return Guilty(end)

    patch.setattr(Blame, "_decide", blame)


def no_pauses(patch: pytest.MonkeyPatch) -> None:
    """An outage is probed without pauses, and its beginning met without calming down."""
    patch.setattr(Breaker, "_next_s", lambda _: 0.0)
    patch.setattr(breaker, "FAILURE_GAP_S", 0.0)


def no_recovery(patch: pytest.MonkeyPatch) -> None:
    """Whoever waits at a breaker that has opened waits for ever."""
    due_s = Breaker._next_s
    patch.setattr(Breaker, "_next_s", lambda self: due_s(self) if self.is_closed else float("inf"))


def uncounted_attempts(patch: pytest.MonkeyPatch) -> None:
    """Results do not say how often their record was sent."""
    send = TrackSender.send_batch

    async def forget(self: TrackSender, parcels: Sequence[Parcel]) -> list[Verdict]:
        return [verdict._replace(attempts=0) for verdict in await send(self, parcels)]

    patch.setattr(TrackSender, "send_batch", forget)


#: What is wrong, and the invariants of which one at least must tell.
MUTATIONS: dict[Mutation, set[str]] = {
    no_throttle: {"rate"},
    whole_rate_for_each: {"rate"},
    parts_side_by_side: {"events", "halved"},
    present_membership: {"conclusions"},
    no_doubt: {"conclusions"},
    no_lease: {"order"},
    no_drain: {"order", "crash"},
    no_memory: {"outcomes", "events"},
    no_restore: {"outcomes", "events"},
    no_turns: {"outcomes", "replays"},
    no_offsets: {"outcomes"},
    no_first_time: {"outcomes", "final state"},
    no_commit: {"waiting"},
    lost_results: {"conclusions"},
    no_mercy: {"dead letters"},
    no_pauses: {"outage"},
    no_recovery: {"waiting"},
    uncounted_attempts: {"attempts"},
}
