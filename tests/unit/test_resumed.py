"""What a worker knows of resumed topics: asked once for all lanes, never failing, true until its end."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field

from structlog.testing import capture_logs

from schemas.errors import UnavailableError
from streams.delivery.resumed import ANSWER_S_MAX, FRESH_S, Resumed
from tests.lane_world import NeverEndsError, lane_timed


@dataclass(slots=True)
class Resumes:
    """What operators have said, or what goes wrong."""

    said: dict[str, int] = field(default_factory=dict)
    error: Exception | None = None
    reads: int = 0

    def read(self) -> Mapping[str, int]:
        """Tell, or raise."""
        self.reads += 1
        if self.error:
            raise self.error
        return dict(self.said)


@lane_timed
async def test_a_topic_is_resumed_until_its_end() -> None:
    """By the wall clock, without being asked again; and no other topic is."""
    now_ms = [1_000]
    resumed = Resumed(Resumes({"t": 2_000}), clock_ms=lambda: now_ms[0])
    before = resumed.is_resumed("t")
    await resumed.look()
    meanwhile, other = resumed.is_resumed("t"), resumed.is_resumed("u")
    now_ms[0] = 2_000

    assert (before, meanwhile, other, resumed.is_resumed("t")) == (False, True, False, False)


@lane_timed
async def test_lanes_that_ask_together_share_an_answer() -> None:
    """Kafka is read once for all that are held; a moment later again."""
    resumes = Resumes()
    resumed = Resumed(resumes)
    await asyncio.gather(*(resumed.look() for _ in range(12)))
    together = resumes.reads
    await asyncio.sleep(FRESH_S)
    await resumed.look()

    assert (together, resumes.reads) == (1, 2)


@lane_timed
async def test_when_kafka_does_not_tell_it_is_asked_again() -> None:
    """What was known is still known, and one line says so, however often it fails."""
    resumes = Resumes({"t": 2_000})
    resumed = Resumed(resumes, clock_ms=lambda: 1_000)
    await resumed.look()
    resumes.error = UnavailableError("Kafka is away")
    with capture_logs() as lines:
        for _ in range(3):
            await asyncio.sleep(FRESH_S)
            await resumed.look()

    assert resumed.is_resumed("t")
    assert [line["error"] for line in lines] == ["Kafka is away"]
    assert resumes.reads == 4


@lane_timed
async def test_an_answer_that_never_comes_is_not_waited_for() -> None:
    """The lane goes on probing."""
    resumed = Resumed(Resumes(error=NeverEndsError()))
    loop = asyncio.get_running_loop()
    started = loop.time()
    await resumed.look()

    assert ANSWER_S_MAX <= loop.time() - started < ANSWER_S_MAX + 0.1
