"""A courier for rehearsals: the worker's own sender before a sandbox that is started for it and gone afterwards."""

import asyncio
from collections.abc import Sequence
from contextlib import ExitStack
from typing import Final, Self

from pydantic import SecretStr

from schemas.delivery import Parcel, Verdict
from streams.customerio.credentials import Credentials
from streams.customerio.senders import track_sender
from streams.customerio.track import TrackClient
from streams.customerio.wire import Response
from streams.delivery.courier import Courier
from streams.sandbox.serve import running_sandbox
from streams.settings import Settings

PARCELS_MAX: Final = 50_000  # then another sandbox takes its place: it remembers every person
ACCEPTED: Final = Verdict(accepted=True, status=None, attempts=1)
_CREDENTIAL: Final = SecretStr("rehearsal")  # never the real ones


class Sandboxed:
    """A context manager; what it starts runs on the loop of `runner`, and only while that is made to run."""

    def __init__(self, settings: Settings, runner: asyncio.Runner) -> None:
        self._settings = settings.with_changes(
            customerio_site_id=_CREDENTIAL, customerio_track_api_key=_CREDENTIAL, customerio_region="us", files={}
        )
        self._runner = runner
        self._exits = ExitStack()

    def __enter__(self) -> Self:
        self._begin()
        return self

    def _begin(self) -> None:
        self._taken = 0
        url = self._exits.enter_context(running_sandbox())
        client = TrackClient(url, credentials=Credentials(self._settings), timeout_s=self._settings.request_timeout_s)
        self._exits.callback(lambda: self._runner.run(client.close()))
        self._courier = Courier(track_sender(self._settings, client, _UNWATCHED, _UNWATCHED))

    def __exit__(self, *_: object) -> None:
        self._exits.close()

    def renew(self) -> None:
        """Begin with a fresh sandbox once this one has taken much."""
        if self._taken >= PARCELS_MAX:
            self._exits.close()
            self._begin()

    async def deliver(self, parcels: Sequence[Parcel]) -> list[Verdict]:
        """What the sandbox says of each, found as a worker finds it: refused batches are halved.

        Of sends it is not asked: it knows nobody's templates.
        """
        asked = [parcel for parcel in parcels if not parcel.send]
        verdicts = iter(await self._ask(asked))
        return [ACCEPTED if parcel.send else next(verdicts) for parcel in parcels]

    async def _ask(self, parcels: Sequence[Parcel]) -> list[Verdict]:
        self._taken += len(parcels)
        running = asyncio.get_running_loop().create_task(self._courier.run())
        try:
            return await self._courier.deliver(parcels)
        finally:
            running.cancel()
            await asyncio.wait([running])


class _Unwatched:
    """Neither limits nor counts."""

    async def acquire(self) -> None:
        """A sandbox of one's own has no rate."""

    def held(self, api: str, reason: str) -> None:
        """Not counted."""

    def request(self, api: str, response: Response, *, seconds: float, items: int, body_bytes: int) -> None:
        """Not counted."""

    def retry(self, api: str, cause: str) -> None:
        """Not counted."""


_UNWATCHED = _Unwatched()
