"""Few requests for many lanes: who shares one, in which order, and what an abandoned lane takes with it."""

import asyncio
from collections.abc import Sequence

import pytest

from schemas.delivery import Parcel
from streams.background import alongside
from streams.delivery.courier import Courier
from tests.builders import settle_down
from tests.fake_time import in_fake_time
from tests.fakes import FakeSender

LONG_S = 1.0  # any number of lingers


def parcels(*names: str, size: int = 10) -> list[Parcel]:
    """One for each, of about that many bytes."""
    return [Parcel((name.encode().ljust(size, b"."),)) for name in names]


def anonymous(name: str) -> Parcel:
    """An anonymous event."""
    return Parcel((name.encode(),), anonymous=True)


def names(batch: Sequence[Parcel]) -> str:
    """Of the parcels, in order."""
    return "".join(parcel.bodies[0].decode().rstrip(".") for parcel in batch)


def test_lanes_that_come_together_share_a_request() -> None:
    """And each gets the verdicts of its own."""

    async def check() -> None:
        sender = FakeSender(decides=lambda parcel: not parcel.bodies[0].startswith(b"c"))
        sender.gate.set()
        courier = Courier(sender)
        async with alongside(courier.run()):
            lanes = await asyncio.gather(*(courier.deliver(parcels(*lane)) for lane in ("ab", "c", "de")))

        assert [names(batch) for batch in sender.batches] == ["abcde"]
        assert [[verdict.accepted for verdict in lane] for lane in lanes] == [[True, True], [False], [True, True]]

    in_fake_time(check())


def test_what_comes_while_all_slots_are_busy_shares_the_next_request() -> None:
    """So batches grow by themselves when Customer.io is slow."""

    async def check() -> None:
        sender = FakeSender()
        courier = Courier(sender, slots=2)
        async with alongside(courier.run()):
            lanes = []
            for name in "abcdef":
                lanes.append(asyncio.create_task(courier.deliver(parcels(name))))
                await asyncio.sleep(LONG_S)
            assert [names(batch) for batch in sender.batches] == ["a", "b"]
            sender.gate.set()
            await asyncio.gather(*lanes)

        assert [names(batch) for batch in sender.batches] == ["a", "b", "cdef"]

    in_fake_time(check())


def test_parts_of_a_lane_go_one_after_the_other() -> None:
    """A person may stand in two of them, so the second waits for the first one's verdict, though slots are free."""

    async def check() -> None:
        sender = FakeSender()
        courier = Courier(sender)
        async with alongside(courier.run()):
            lane = asyncio.create_task(courier.deliver(parcels(*"abc", size=200_000)))
            await asyncio.sleep(LONG_S)
            assert [names(batch) for batch in sender.batches] == ["ab"]
            sender.gate.set()
            assert len(await lane) == 3

        assert [names(batch) for batch in sender.batches] == ["ab", "c"]

    in_fake_time(check())


def test_a_request_is_never_too_large() -> None:
    """Lanes share one only while their parts fit, and keep their turn."""

    async def check() -> None:
        sender = FakeSender()
        sender.gate.set()
        courier = Courier(sender)
        async with alongside(courier.run()):
            sizes = [parcels("a", size=300_000), parcels("b", size=300_000), parcels("c", size=100_000)]
            await asyncio.gather(*map(courier.deliver, sizes))

        assert [names(batch) for batch in sender.batches] == ["a", "bc"]

    in_fake_time(check())


def test_an_abandoned_lane_does_not_take_the_others_with_it() -> None:
    """Its request goes on while any lane still waits for it."""

    async def check() -> None:
        sender = FakeSender()
        courier = Courier(sender)
        async with alongside(courier.run()):
            one, other = (asyncio.create_task(courier.deliver(parcels(name))) for name in "ab")
            await asyncio.sleep(LONG_S)
            one.cancel()
            await settle_down()
            assert sender.cancelled == 0
            sender.gate.set()

            assert len(await other) == 1
        assert [names(batch) for batch in sender.batches] == ["ab"]

    in_fake_time(check())


def test_a_request_all_of_whose_lanes_are_abandoned_is_cancelled() -> None:
    """A late one would overtake the next owner's; its slot is free again."""

    async def check() -> None:
        sender = FakeSender()
        courier = Courier(sender, slots=1)
        async with alongside(courier.run()):
            lanes = [asyncio.create_task(courier.deliver(parcels(name))) for name in "ab"]
            await asyncio.sleep(LONG_S)
            for lane in lanes:
                lane.cancel()
            await settle_down()
            assert sender.cancelled == 1
            sender.gate.set()

            assert len(await courier.deliver(parcels("c"))) == 1
        assert [names(batch) for batch in sender.batches] == ["ab", "c"]

    in_fake_time(check())


def test_what_waits_for_a_slot_is_not_sent_once_abandoned() -> None:
    """Nobody is there any more to hear the verdict."""

    async def check() -> None:
        sender = FakeSender()
        courier = Courier(sender, slots=1)
        async with alongside(courier.run()):
            first, second, third = (asyncio.create_task(courier.deliver(parcels(name))) for name in "abc")
            await asyncio.sleep(0)
            second.cancel()
            await asyncio.sleep(LONG_S)
            late = asyncio.create_task(courier.deliver(parcels("d")))
            await asyncio.sleep(LONG_S)
            late.cancel()
            sender.gate.set()
            await asyncio.gather(first, third)
            await asyncio.sleep(LONG_S)

        assert [names(batch) for batch in sender.batches] == ["ac"]

    in_fake_time(check())


def test_an_unforeseen_error_reaches_every_lane() -> None:
    """They crash; none is left waiting, and the slot is free again."""

    async def check() -> None:
        sender = FakeSender(error=ZeroDivisionError())
        sender.gate.set()
        courier = Courier(sender, slots=1)
        async with alongside(courier.run()):
            for _ in range(2):
                lanes = [courier.deliver(parcels(name)) for name in "ab"]
                found = await asyncio.gather(*lanes, return_exceptions=True)

                assert [type(each) for each in found] == [ZeroDivisionError] * 2

    in_fake_time(check())


def test_anonymous_events_go_beside_the_batch() -> None:
    """One request each; the verdicts come back in the order of the parcels."""

    async def check() -> None:
        sender = FakeSender(decides=lambda parcel: parcel.bodies[0][:1] in b"ad")
        sender.gate.set()
        courier = Courier(sender)
        mixed = [anonymous("a"), *parcels("b"), anonymous("c"), *parcels("d")]
        async with alongside(courier.run()):
            verdicts = await courier.deliver(mixed)

        assert [verdict.accepted for verdict in verdicts] == [True, False, False, True]
        assert ([names(batch) for batch in sender.batches], names(sender.singles)) == (["bd"], "ac")

    in_fake_time(check())


def test_anonymous_events_keep_to_the_slots() -> None:
    """However many there are, and abandoning them frees what they held."""

    async def check() -> None:
        sender = FakeSender()
        courier = Courier(sender, slots=2)
        async with alongside(courier.run()):
            lane = asyncio.create_task(courier.deliver([anonymous(name) for name in "abcde"]))
            await asyncio.sleep(LONG_S)
            assert len(sender.singles) == 2
            lane.cancel()
            with pytest.raises(asyncio.CancelledError):
                await lane
            assert (sender.cancelled, len(sender.singles)) == (2, 2)
            sender.gate.set()

            assert len(await courier.deliver(parcels("f"))) == 1

    in_fake_time(check())


def test_the_end_cancels_what_is_under_way() -> None:
    """Nothing may be sent after the partitions are given up."""

    async def check() -> None:
        sender = FakeSender()
        courier = Courier(sender)
        async with alongside(courier.run()):
            lane = asyncio.create_task(courier.deliver(parcels("a")))
            await asyncio.sleep(LONG_S)
        await settle_down()
        assert sender.cancelled == 1
        lane.cancel()

    in_fake_time(check())


def test_nothing_to_deliver_needs_no_request() -> None:
    """And no courier that runs."""
    assert in_fake_time(Courier(FakeSender()).deliver([])) == []


def test_anonymous_events_keep_nobody_waiting() -> None:
    """They go singly, so hundreds of them hold slots of their own and not those of the batches."""

    async def check() -> None:
        sender = FakeSender()
        courier = Courier(sender)
        async with alongside(courier.run()):
            lane = asyncio.create_task(courier.deliver([anonymous(str(n)) for n in range(100)]))
            await asyncio.sleep(LONG_S)
            other = asyncio.create_task(courier.deliver(parcels("a")))
            await asyncio.sleep(LONG_S)

            assert [names(batch) for batch in sender.batches] == ["a"]
            for task in (lane, other):
                task.cancel()

    in_fake_time(check())
