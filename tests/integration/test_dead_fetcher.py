"""aiokafka's fetch loop that ends on the unforeseen must end the worker too: it would idle for ever, and look alive."""

import asyncio

import pytest

from tests.conftest import SettingsFactory
from tests.integration import worker_in_process as process


async def test_a_worker_whose_fetch_loop_has_died_crashes(
    settings_factory: SettingsFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its supervisor starts another, instead of a lag that grows beside a healthy process."""
    settings = settings_factory(topic_partitions=1)
    async with process.running_app(settings) as worker:
        await process.until(lambda: worker.is_ready()[0])
        fetcher = worker.chunk_consumer._thread._ensure_consumer()._fetcher
        dead: asyncio.Future[None] = asyncio.Future()
        dead.set_exception(RuntimeError("no more fetches"))
        monkeypatch.setattr(type(fetcher), "error_future", dead)

        await process.until(lambda: worker.crashed)
        monkeypatch.undo()

        assert not worker.is_live()[0]
