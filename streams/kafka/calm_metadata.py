"""Lets aiokafka ask for metadata at a bearable pace: while a partition has no leader, it asks again at once."""

import asyncio
from typing import Any

PACE_S = 0.5


def calm_metadata(client: Any, pace_s: float = PACE_S) -> None:  # noqa: ANN401 - aiokafka is untyped
    """Make `force_metadata_update` of this client ask at most once in `pace_s`; whoever asks sooner waits together."""
    update = client.force_metadata_update
    asked_s = float("-inf")
    waiting: asyncio.Task[Any] | None = None

    async def later(pause_s: float) -> Any:  # noqa: ANN401 - as aiokafka's
        nonlocal asked_s
        await asyncio.sleep(pause_s)
        asked_s = asyncio.get_running_loop().time()
        return await update()

    def calmly() -> "asyncio.Future[Any]":
        nonlocal asked_s, waiting
        now_s = asyncio.get_running_loop().time()
        if waiting is None or waiting.done():
            if now_s - asked_s >= pace_s:
                asked_s = now_s
                asked: asyncio.Future[Any] = update()
                return asked
            waiting = asyncio.create_task(later(asked_s + pace_s - now_s))
        return asyncio.shield(waiting)

    client.force_metadata_update = calmly
