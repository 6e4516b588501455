"""The paths of one service to Customer.io, put together from what it was given: each limit has its own."""

import math
from dataclasses import dataclass
from typing import TypeVar

import httpx

from schemas.errors import ConfigError
from schemas.send_memory import SendKind
from streams.customerio.app_api import AppClient
from streams.customerio.credentials import Credentials
from streams.customerio.track import TrackClient
from streams.delivery.throttle import Throttle
from streams.kafka.lease import Lease
from streams.messaging.account import Account, Rates, require, settings_of
from streams.messaging.app_path import AppPath
from streams.messaging.observe import MessagingMetrics
from streams.messaging.track_path import TrackPath
from streams.settings import APP_CREDENTIALS, Settings

READS_PER_S = 1.0  # harmless questions to the App API, where it is in doubt

P = TypeVar("P")


@dataclass(frozen=True, slots=True, kw_only=True)
class Paths:
    """Those that rates were given for; asking for another one is a ConfigError."""

    to_track: TrackPath | None
    to_send: AppPath | None
    to_broadcast: AppPath | None

    @property
    def track(self) -> TrackPath:
        """The Track API."""
        return _given(self.to_track, "track_per_s")

    @property
    def send(self) -> AppPath:
        """Transactional messages of the App API."""
        return _given(self.to_send, "send_per_s")

    @property
    def broadcast(self) -> AppPath:
        """Broadcasts of the App API."""
        return _given(self.to_broadcast, "broadcast_per_s")

    async def close(self) -> None:
        """Close the connections."""
        for path in (self.to_track, self.to_send, self.to_broadcast):
            if path:
                await path.close()


async def open_paths(
    account: Account, rates: Rates, metrics: MessagingMetrics, *, transport: httpx.AsyncBaseTransport | None
) -> Paths:
    """Open them; ask for the account's region, or else whether the key is taken, before anything is said of anybody.

    Raises:
        ConfigError: a key is missing, or the region is wrong.
        UnauthorisedError: the credentials are refused.
    """
    settings = settings_of(account, rates)
    if rates.track_per_s is not None:
        require("Track", site_id=account.site_id, track_api_key=account.track_api_key)
    if rates.send_per_s is not None or rates.broadcast_per_s is not None:
        require("App", app_api_key=account.app_api_key)
    paths = Paths(
        to_track=await _track(settings, rates.track_per_s, metrics, transport),
        to_send=await _app("message", settings, rates.send_per_s, metrics, transport),
        to_broadcast=await _app("trigger", settings, rates.broadcast_per_s, metrics, transport),
    )
    try:
        await _check(paths)
    except BaseException:
        await paths.close()
        raise
    return paths


async def _check(paths: Paths) -> None:
    app = paths.to_send or paths.to_broadcast
    if paths.to_track:
        await paths.to_track.check_region()
    elif app:
        await app.check_key()


async def _track(
    settings: Settings, rate_per_s: float | None, metrics: MessagingMetrics, transport: httpx.AsyncBaseTransport | None
) -> TrackPath | None:
    if rate_per_s is None:
        return None
    credentials, timeout_s = Credentials(settings), settings.request_timeout_s
    client = TrackClient(settings.track_url, credentials=credentials, timeout_s=timeout_s, transport=transport)
    return TrackPath(settings, client, await _throttle(rate_per_s), metrics)


async def _app(
    kind: SendKind,
    settings: Settings,
    rate_per_s: float | None,
    metrics: MessagingMetrics,
    transport: httpx.AsyncBaseTransport | None,
) -> AppPath | None:
    if rate_per_s is None:
        return None
    credentials, timeout_s = Credentials(settings, APP_CREDENTIALS), settings.request_timeout_s
    client = AppClient(settings.app_url, credentials=credentials, timeout_s=timeout_s, transport=transport)
    throttle, reads = await _throttle(rate_per_s), await _throttle(READS_PER_S)
    return AppPath(kind, settings, client, metrics, throttle=throttle, reads=reads)


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
