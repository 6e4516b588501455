"""Who waits for whom: a replay and live records that touch the same entries, and nobody else."""

import asyncio
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field, replace

import pytest

from schemas.chunk import Chunk
from schemas.errors import FencedError
from streams.delivery.turns import Turns
from streams.progress import Progress, work_for
from tests.builders import make_chunk, settle_down
from tests.fake_time import fake_timed
from tests.unit.input_records import InputRecord

CHUNK = make_chunk([InputRecord()])


@dataclass(slots=True)
class Work:
    """What a plan is to the turns; counts how often it was asked for its keys."""

    is_replay: bool
    names: frozenset[str | bytes]
    asked: int = 0

    def keys(self) -> AbstractSet[str | bytes]:
        """Those names."""
        self.asked += 1
        return self.names


def live(*names: str) -> Work:
    """Of a live topic."""
    return Work(is_replay=False, names=frozenset(names))


def replay(*names: str) -> Work:
    """Of the replay topic."""
    return Work(is_replay=True, names=frozenset(names))


@dataclass(slots=True)
class World:
    """Lanes on one set of turns; `log` has who began and who ended, in order."""

    turns: Turns = field(default_factory=Turns)
    log: list[str] = field(default_factory=list)

    async def _work(self, name: str, work: Work, chunk: Chunk, seconds: float, error: Exception | None) -> None:
        work_for([Progress(of={"lane": name}, stage="")])
        async with self.turns.turn(chunk, work):
            self.log.append(f"{name} begins")
            await asyncio.sleep(seconds)
            if error:
                raise error
            self.log.append(f"{name} ends")

    async def start(
        self, name: str, work: Work, chunk: Chunk = CHUNK, *, seconds: float = 1, error: Exception | None = None
    ) -> "asyncio.Task[None]":
        """Let a lane ask for its turn and come as far as it does by itself."""
        task = asyncio.create_task(self._work(name, work, chunk, seconds, error))
        await settle_down()
        return task

    def waiting(self) -> list[object]:
        """The lanes that are in line."""
        return sorted(lane.of["lane"] for lane in self.turns.in_line())  # type: ignore[type-var]  # all are texts


@pytest.mark.parametrize(("first", "second"), [(live("u"), replay("u", "v")), (replay("u", "v"), live("u"))])
@fake_timed
async def test_the_second_waits_for_the_first(first: Work, second: Work) -> None:
    """A replay for live records as live records for a replay, from check to commit."""
    world = World()
    tasks = [await world.start("first", first), await world.start("second", second)]

    assert (world.log, world.waiting()) == (["first begins"], ["second"])

    await asyncio.gather(*tasks)

    assert world.log == ["first begins", "first ends", "second begins", "second ends"]
    assert world.waiting() == []


@pytest.mark.parametrize(
    ("first", "second", "partition"),
    [
        (live("u"), live("u"), 0),
        (replay("u"), live("v"), 0),
        (replay("u"), live(), 0),
        (replay("u"), live("u"), 1),
    ],
)
@fake_timed
async def test_who_touches_nothing_of_the_other_does_not_wait(first: Work, second: Work, partition: int) -> None:
    """Other keys, other partitions; and live topics have no keys in common."""
    world = World()
    chunk = replace(CHUNK, partition=partition)
    await asyncio.gather(await world.start("first", first), await world.start("second", second, chunk))

    assert world.log == ["first begins", "second begins", "first ends", "second ends"]


@fake_timed
async def test_live_lanes_pay_nothing_while_there_is_no_replay() -> None:
    """Nobody asks for their keys."""
    world, works = World(), [live("u"), live("u"), live("v")]
    await asyncio.gather(*[await world.start("each", work) for work in works])

    assert [work.asked for work in works] == [0, 0, 0]


@fake_timed
async def test_nobody_is_overtaken() -> None:
    """A live chunk that comes after a waiting replay waits for it, though its own lane is free."""
    world = World()
    tasks = [
        await world.start("change", live("u")),
        await world.start("replay", replay("u", "e")),
        await world.start("event", live("e")),
        await world.start("stranger", live("x")),
    ]

    assert world.waiting() == ["event", "replay"]

    await asyncio.gather(*tasks)

    assert world.log == [
        *("change begins", "stranger begins"),
        *("change ends", "stranger ends", "replay begins"),
        *("replay ends", "event begins", "event ends"),
    ]


@fake_timed
async def test_a_replay_waits_for_all_who_were_there() -> None:
    """For both live lanes of its partition, whichever ends first."""
    world = World()
    tasks = [
        await world.start("change", live("u"), seconds=3),
        await world.start("event", live("e"), seconds=1),
        await world.start("replay", replay("u", "e")),
    ]
    await asyncio.gather(*tasks)

    assert world.log == ["change begins", "event begins", "event ends", "change ends", "replay begins", "replay ends"]


@pytest.mark.parametrize("is_fenced", [True, False])
@fake_timed
async def test_what_waits_for_work_that_is_given_up_is_given_up(*, is_fenced: bool) -> None:
    """What was sent is not remembered, so nobody knows what would be older; all of it comes again."""
    world = World()
    first = await world.start("first", live("u"), error=FencedError() if is_fenced else None)
    second = await world.start("second", replay("u", "v"))
    if not is_fenced:
        first.cancel()
    found = await asyncio.gather(first, second, return_exceptions=True)

    assert isinstance(found[1], FencedError)
    assert (world.log, world.waiting()) == (["first begins"], [])


@fake_timed
async def test_what_comes_after_work_that_was_given_up_is_given_up() -> None:
    """Until the partition is assigned anew: then the chunk that was given up comes again as well."""
    world = World()
    await asyncio.gather(await world.start("first", live("u"), error=FencedError()), return_exceptions=True)
    late = await world.start("late", replay("u"))
    others = [
        await world.start("live", live("u")),
        await world.start("elsewhere", replay("u"), replace(CHUNK, partition=1)),
        await world.start("assigned", replay("u"), replace(CHUNK, epoch=CHUNK.epoch + 1)),
    ]
    found = await asyncio.gather(late, *others, return_exceptions=True)

    assert [type(each) for each in found] == [FencedError, *[type(None)] * 3]


@fake_timed
async def test_who_waited_in_vain_has_sent_nothing() -> None:
    """So whoever waits for that one alone may go."""
    world = World()
    first = await world.start("first", live("u"), error=FencedError())
    second = await world.start("second", replay("u", "v"))
    third = await world.start("third", live("v"))
    found = await asyncio.gather(first, second, third, return_exceptions=True)

    assert [type(each) for each in found] == [FencedError, FencedError, type(None)]
    assert world.log == ["first begins", "third begins", "third ends"]


@fake_timed
async def test_who_is_cancelled_while_it_waits_is_out_of_the_line() -> None:
    """What it waited for goes on, and whoever comes later finds nothing of it."""
    world = World()
    first = await world.start("first", live("u"))
    second = await world.start("second", replay("u"))
    second.cancel()
    await settle_down()
    third = await world.start("third", live("u"))
    await asyncio.gather(first, second, third, return_exceptions=True)

    assert (second.cancelled(), world.waiting()) == (True, [])
    assert world.log == ["first begins", "third begins", "first ends", "third ends"]


@fake_timed
async def test_an_error_of_the_work_itself_is_not_passed_on() -> None:
    """It ends the process, or its lane tries again; whoever waited may go."""
    world = World()
    first = await world.start("first", live("u"), error=ValueError())
    second = await world.start("second", replay("u"))
    found = await asyncio.gather(first, second, return_exceptions=True)

    assert [type(each) for each in found] == [ValueError, type(None)]


@fake_timed
async def test_nothing_is_kept_of_what_is_over() -> None:
    """However many chunks there were."""
    world = World()
    for number in range(10):
        await (await world.start("each", live("u") if number % 2 else replay("u")))

    assert not any(world.turns._turns.values())
