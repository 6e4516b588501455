"""Metadata is asked for at a bearable pace, however often somebody wants it."""

import asyncio
from typing import Any

from streams.kafka.calm_metadata import calm_metadata
from tests.fake_time import fake_timed


class FakeMetadataClient:
    """aiokafka's client, which answers at once."""

    def __init__(self) -> None:
        self.asked_s: list[float] = []

    def force_metadata_update(self) -> "asyncio.Future[Any]":
        """Note when."""
        loop = asyncio.get_running_loop()
        self.asked_s.append(loop.time())
        answer = loop.create_future()
        answer.set_result(True)
        return answer


@fake_timed
async def test_whoever_asks_again_at_once_waits() -> None:
    """A fetcher in front of a partition without leader asks as fast as it is answered."""
    client = FakeMetadataClient()
    calm_metadata(client, 0.5)
    loop = asyncio.get_running_loop()
    began = loop.time()
    while loop.time() < began + 5.1:
        await client.force_metadata_update()

    assert len(client.asked_s) == 12  # at 0, and after each half second


@fake_timed
async def test_the_first_to_ask_does_not_wait() -> None:
    """Nor whoever asks after a while."""
    client = FakeMetadataClient()
    calm_metadata(client, 0.5)
    loop = asyncio.get_running_loop()
    await client.force_metadata_update()
    await asyncio.sleep(1)
    began = loop.time()
    await client.force_metadata_update()

    assert loop.time() - began < 0.001


@fake_timed
async def test_all_who_wait_share_one_answer() -> None:
    """And one who gives up takes nothing from the others."""
    client = FakeMetadataClient()
    calm_metadata(client, 0.5)
    await client.force_metadata_update()
    waiting = [asyncio.ensure_future(client.force_metadata_update()) for _ in range(5)]
    await asyncio.sleep(0.1)
    waiting[0].cancel()
    answers = await asyncio.gather(*waiting[1:])

    assert (answers, len(client.asked_s)) == ([True] * 4, 2)
