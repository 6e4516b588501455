"""Lets what is due be carried out before anybody looks at it, or changes it; ASGI middleware, it decides nothing."""

from collections.abc import Callable, Sequence

from starlette.types import ASGIApp, Receive, Scope, Send

Settle = Callable[..., None]
"""Carries out what is due by `now`."""


class Settling:
    """Time passes unseen between two requests: what falls due meanwhile is applied at the next one."""

    def __init__(self, app: ASGIApp, *, settles: Sequence[Settle], clock: Callable[[], float]) -> None:
        self._app = app
        self._settles = settles
        self._clock = clock

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Apply what is due and hand the request on."""
        now = self._clock()
        for settle in self._settles:
            settle(now=now)
        await self._app(scope, receive, send)
