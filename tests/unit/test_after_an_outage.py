"""What failed in an outage tells nothing about what fails after it: whoever was its probe gets all attempts again."""

import asyncio

import pytest

from schemas.delivery import Parcel, Verdict
from streams.customerio.attempts import Past
from streams.customerio.breaker import Permit
from tests.fake_time import fake_timed
from tests.fakes import OK, FakeClient, Response
from tests.track_world import DOWN, REGION, World, names, parcels

WARM_UP = 60


class Api:
    """Down while `is_down`; then the region answers, and requests with X fail as often as `blips` says."""

    def __init__(self, *, blips: int) -> None:
        self.is_down = False
        self.blips = blips

    def __call__(self, endpoint: str, body: bytes) -> Response:
        """Answer."""
        if self.is_down:
            return DOWN
        if "X" in names(body) and self.blips:
            self.blips -= 1
            return DOWN
        return REGION if endpoint == "region" else OK


async def send(world: World, name: str, *, is_anonymous: bool) -> Verdict:
    """The verdict on one parcel."""
    (parcel,) = parcels(name)
    if is_anonymous:
        return await world.sender.send_anonymous(Parcel(parcel.bodies, anonymous=True))
    return (await world.sender.send_batch([parcel]))[0]


@pytest.mark.parametrize("is_anonymous", [False, True], ids=["batch", "anonymous"])
@pytest.mark.parametrize("blips", [1, 2])
@pytest.mark.parametrize("outage_s", [12.0, 16.0, 20.0, 30.0, 38.0, 40.0, 50.0, 60.0, 90.0, 100.0])
@fake_timed
async def test_a_probe_that_fails_again_right_after_an_outage_is_tried_again(
    outage_s: float,
    blips: int,
    is_anonymous: bool,  # noqa: FBT001 - a parameter of the test
) -> None:
    """Fewer times than attempts allow: others are accepted by then, but its own probes were the outage's."""
    api = Api(blips=0)
    world = World(FakeClient(answers=api, latency_s=0.02), jitter=0.7)
    for n in range(WARM_UP):
        await send(world, f"warm-up {n}", is_anonymous=is_anonymous)
    api.is_down, api.blips = True, blips
    sending = [asyncio.create_task(send(world, name, is_anonymous=is_anonymous)) for name in "XY"]
    await asyncio.sleep(outage_s)
    assert world.breaker.reason == "outage"
    api.is_down = False
    verdicts = await asyncio.gather(*sending)

    assert [(verdict.accepted, verdict.status) for verdict in verdicts] == [(True, 200)] * 2


def test_what_was_sent_before_does_not_count_in_an_era() -> None:
    """It took so long to fail that an outage had begun, or ended, meanwhile: an attempt, but none of those in a row."""
    past = Past(attempts=4, failures=2, since_s=10.0, era=1).failed(Permit(20.0, is_probe=False, era=1), 2, 30.0)

    assert past == Past(attempts=5, era=2, restarts=1)
    assert past.failed(Permit(31.0, is_probe=False, era=2), 2, 32.0) == Past(
        attempts=6, failures=1, since_s=32.0, spent_s=1.0, era=2, restarts=1
    )


def test_the_region_is_a_witness_in_any_era() -> None:
    """It answers before and after each attempt: what others make of the breaker meanwhile explains nothing."""
    past = Past(attempts=8, failures=2, since_s=10.0, era=1, suspicion="region")

    assert past.failed(Permit(20.0, is_probe=False, era=1), 2, 21.0) == Past(
        attempts=9, failures=3, since_s=10.0, spent_s=1.0, era=1, suspicion="region"
    )
