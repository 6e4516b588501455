"""The paths of one service to Customer.io, put together from what it was given: each limit has its own."""

import math
from dataclasses import dataclass
from typing import TypeVar

import httpx

from schemas.errors import ConfigError
from streams.customerio.credentials import Credentials
from streams.customerio.track import TrackClient
from streams.delivery.throttle import Throttle
from streams.kafka.lease import Lease
from streams.messaging.account import Account, Rates, require, settings_of
from streams.messaging.observe import MessagingMetrics
from streams.messaging.track_path import TrackPath
from streams.settings import Settings

P = TypeVar("P")


@dataclass(frozen=True, slots=True, kw_only=True)
class Paths:
    """Those that rates were given for; asking for another one is a ConfigError."""

    to_track: TrackPath | None

    @property
    def track(self) -> TrackPath:
        """The Track API."""
        return _given(self.to_track, "track_per_s")

    async def close(self) -> None:
        """Close the connections."""
        if self.to_track:
            await self.to_track.close()


async def open_paths(
    account: Account, rates: Rates, metrics: MessagingMetrics, *, transport: httpx.AsyncBaseTransport | None
) -> Paths:
    """Open them; where the Track API is among them, ask for the account's region before anything is said of anybody.

    Raises:
        ConfigError: a key is missing, or the region is wrong.
        UnauthorisedError: the Track API's credentials are refused.
    """
    settings = settings_of(account, rates)
    if rates.track_per_s is not None:
        require("Track", site_id=account.site_id, track_api_key=account.track_api_key)
    paths = Paths(
        to_track=await _track(settings, rates.track_per_s, metrics, transport),
    )
    try:
        if paths.to_track:
            await paths.to_track.check_region()
    except BaseException:
        await paths.close()
        raise
    return paths


async def _track(
    settings: Settings, rate_per_s: float | None, metrics: MessagingMetrics, transport: httpx.AsyncBaseTransport | None
) -> TrackPath | None:
    if rate_per_s is None:
        return None
    credentials, timeout_s = Credentials(settings), settings.request_timeout_s
    client = TrackClient(settings.track_url, credentials=credentials, timeout_s=timeout_s, transport=transport)
    return TrackPath(settings, client, await _throttle(rate_per_s), metrics)


async def _throttle(rate_per_s: float) -> Throttle:
    """A rate that is wholly ours: no group has to confirm that we may use it."""
    lease = Lease(math.inf)
    lease.renew(lease.now_s())
    throttle = Throttle(rate_per_s, lease)
    await throttle.set_share(1.0)
    return throttle


def _given(path: P | None, rate: str) -> P:
    if path is None:
        raise ConfigError(f"{rate}: is missing among the rates, expected for what is said this way")
    return path
