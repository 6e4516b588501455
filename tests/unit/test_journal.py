"""Which conclusions share a transaction, and what each lane hears of how it went."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Iterable

import pytest

from agents.ports import Publication
from schemas.chunk import Membership
from schemas.errors import FencedError, UnavailableError
from streams.background import alongside
from streams.delivery.journal import RETRY_S, RETRY_S_MAX, Journal
from tests.builders import MEMBERSHIP, make_chunk, make_publication
from tests.fake_time import in_fake_time
from tests.fakes import FakeWriter
from tests.unit.input_records import InputRecord

OLD = Membership(MEMBERSHIP.generation - 1, "member-1")


def publication(partition: int, *, membership: Membership = MEMBERSHIP) -> Publication:
    """What a chunk of one record puts on Kafka."""
    return make_publication(make_chunk([InputRecord(partition=partition)], membership=membership))


def partitions(publications: Iterable[Publication]) -> list[int]:
    """Whose they are."""
    return [each.chunk.partition for each in publications]


@contextlib.asynccontextmanager
async def running(writer: FakeWriter, observed: list[int] | None = None) -> AsyncIterator[Journal]:
    """Run a journal for the length of the `with`."""
    seen = observed if observed is not None else []
    journal = Journal(writer, observe=lambda chunks, _seconds: seen.append(chunks))
    async with alongside(journal.run()):
        yield journal
    journal.close()


def test_what_gathers_shares_a_transaction() -> None:
    """All lanes that concluded since the last one."""

    async def check() -> None:
        writer, observed = FakeWriter(), list[int]()
        async with running(writer, observed) as journal:
            await asyncio.gather(*(journal.commit(publication(n)) for n in range(3)))
            await journal.commit(publication(3))

        assert [partitions(written) for written, _ in writer.calls] == [[0, 1, 2], [3]]
        assert observed == [3, 1]

    in_fake_time(check())


def test_each_commits_under_its_own_membership() -> None:
    """That its chunk came with: one that the group has left behind is fenced, the others are not."""

    async def check() -> None:
        writer = FakeWriter()
        async with running(writer) as journal:
            given = [publication(0), publication(1, membership=OLD), publication(2)]
            heard = await asyncio.gather(*map(journal.commit, given), return_exceptions=True)

        assert [type(each) for each in heard] == [type(None), FencedError, type(None)]
        assert [(partitions(written), who) for written, who in writer.calls] == [([0, 2], MEMBERSHIP), ([1], OLD)]
        assert sorted(writer.committed) == [("user-changes", 0), ("user-changes", 2)]

    in_fake_time(check())


def test_a_failed_transaction_is_tried_again_with_the_same() -> None:
    """As long as Kafka takes, with growing pauses up to a limit."""

    async def check() -> None:
        failures = 6
        writer = FakeWriter(failures=[UnavailableError()] * failures)
        loop = asyncio.get_running_loop()
        started = loop.time()
        async with running(writer) as journal:
            await asyncio.gather(*(journal.commit(publication(n)) for n in range(2)))
        waited = sum(min(RETRY_S * 2**n, RETRY_S_MAX) for n in range(failures))

        assert [partitions(written) for written, _ in writer.calls] == [[0, 1]] * (failures + 1)
        assert waited <= loop.time() - started < waited + 1
        assert len(writer.results) == 2

    in_fake_time(check())


def test_what_is_abandoned_is_not_written() -> None:
    """Neither while it waits nor in a later try."""

    async def check() -> None:
        writer = FakeWriter(failures=[UnavailableError()])
        async with running(writer) as journal:
            lanes = [asyncio.create_task(journal.commit(publication(n))) for n in range(3)]
            await asyncio.sleep(0)
            lanes[0].cancel()
            await asyncio.sleep(RETRY_S / 2)
            lanes[1].cancel()
            await lanes[2]

        assert [partitions(written) for written, _ in writer.calls] == [[1, 2], [2]]

    in_fake_time(check())


def test_a_transaction_without_lanes_is_given_up() -> None:
    """The next owner's conclusions count; others are written after it."""

    async def check() -> None:
        writer = FakeWriter(failures=[UnavailableError()])
        async with running(writer) as journal:
            lane = asyncio.create_task(journal.commit(publication(0)))
            await asyncio.sleep(RETRY_S / 2)
            lane.cancel()
            await journal.commit(publication(1))

        assert [partitions(written) for written, _ in writer.calls] == [[0], [1]]

    in_fake_time(check())


def test_what_nobody_foresaw_ends_the_journal() -> None:
    """The worker crashes with it; nothing is told committed."""

    async def check() -> None:
        journal = Journal(FakeWriter(failures=[ZeroDivisionError()]), observe=lambda _chunks, _seconds: None)
        task = asyncio.create_task(journal.run())
        lane = asyncio.create_task(journal.commit(publication(0)))
        with pytest.raises(ZeroDivisionError):
            await task
        assert not lane.done()
        lane.cancel()
        journal.close()

    in_fake_time(check())


async def test_what_kafka_would_not_check_is_never_written() -> None:
    """Without a generation it would take a forgotten worker's commit, and move the next owner's offsets back."""
    writer = FakeWriter()
    async with running(writer) as journal:
        with pytest.raises(FencedError):
            await journal.commit(publication(0, membership=Membership(-1, "")))

    assert writer.calls == []
