"""Lets the world apply what is due before anybody looks at it, or changes it; ASGI middleware, it decides nothing."""

from collections.abc import Callable

from starlette.types import ASGIApp, Receive, Scope, Send

from streams.sandbox.world import World


class Settling:
    """Time passes unseen between two requests: what falls due meanwhile is applied at the next one."""

    def __init__(self, app: ASGIApp, *, world: World, clock: Callable[[], float]) -> None:
        self._app = app
        self._world = world
        self._clock = clock

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Apply what is due and hand the request on."""
        self._world.settle(now=self._clock())
        await self._app(scope, receive, send)
