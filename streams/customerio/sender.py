"""The policy of attempts for track data: keeps to the rate, repeats what may pass, halves what is refused as a whole.

Faults that are not a parcel's own are waited out here, for ever: the lanes hold their place and nothing is lost.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Protocol

import structlog

from agents.steps.judge import Accepted, Judgement, Misconfigured, NotFound, Refused, TooFast, TryAgain, Unclear, judge
from agents.steps.pack import batch_body
from schemas.answer import Answer, NoAnswer
from schemas.delivery import Parcel, Verdict

PAUSE_S_MAX = 30.0
PAUSE_S_MIN = 0.1  # a backoff of 0 would never grow, and flood whoever is down already

log = structlog.get_logger()

Response = Answer | NoAnswer
Call = Callable[[], Awaitable[Response]]


class Client(Protocol):
    """The endpoints that track data goes to."""

    async def batch(self, body: bytes) -> Response: ...  # noqa: D102
    async def entity(self, body: bytes) -> Response: ...  # noqa: D102
    async def anonymous_event(self, body: bytes) -> Response: ...  # noqa: D102
    async def region(self) -> Response: ...  # noqa: D102


class Limiter(Protocol):
    """The rate."""

    async def acquire(self) -> None:
        """Return when a request may be sent."""


class RequestObserver(Protocol):
    """Counts requests."""

    def request(self, response: Response, *, seconds: float, items: int, body_bytes: int) -> None:
        """One request was answered, or failed on the way."""

    def retry(self, cause: str) -> None:
        """One request will be repeated."""


@dataclass(frozen=True, slots=True)
class Settled:
    """The last word on one request, after as many attempts as it took."""

    judgement: Accepted | Refused | Unclear
    status: int
    attempts: int


class TrackSender:
    """Sends parcels until there is a verdict on each."""

    def __init__(
        self,
        client: Client,
        limiter: Limiter,
        observer: RequestObserver,
        *,
        backoff_s: float,
        jitter: Callable[[], float],
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._client = client
        self._limiter = limiter
        self._observer = observer
        self._backoff_s = backoff_s
        self._jitter = jitter
        self._sleep = sleep

    async def send_batch(self, parcels: Sequence[Parcel], *, attempted: int = 0) -> list[Verdict]:
        """One verdict for each parcel; a request refused as a whole is halved until the culprit is alone."""
        body, items = batch_body(parcels), sum(len(parcel.bodies) for parcel in parcels)
        settled = await self._settle(lambda: self._client.batch(body), items, len(body), attempted)
        match settled.judgement:
            case Accepted(refused):
                return _verdicts(parcels, refused, settled)
            case Refused(detail) if len(parcels) == 1:
                return [_refusal(settled, detail)]
            case Refused():
                half = len(parcels) // 2
                first = await self.send_batch(parcels[:half], attempted=settled.attempts)
                return first + await self.send_batch(parcels[half:], attempted=settled.attempts)
            case Unclear():
                return [await self._send_alone(parcel, settled.attempts) for parcel in parcels]

    async def _send_alone(self, parcel: Parcel, attempted: int) -> Verdict:
        """Ask for an answer that can only be about this parcel: that of its operations one by one."""
        verdict = Verdict(accepted=True, status=200, attempts=attempted)
        for body in parcel.bodies:
            call = self._call_entity(body)
            verdict = _only_verdict(await self._settle(call, 1, len(body), verdict.attempts))
            if not verdict.accepted:
                break
        return verdict

    def _call_entity(self, body: bytes) -> Call:
        return lambda: self._client.entity(body)

    async def send_anonymous(self, parcel: Parcel) -> Verdict:
        """The verdict on an anonymous event."""
        (body,) = parcel.bodies
        return _only_verdict(await self._settle(lambda: self._client.anonymous_event(body), 1, len(body), 0))

    async def _settle(self, call: Call, items: int, body_bytes: int, attempted: int) -> Settled:
        """Repeat the request until it is judged on its own merits."""
        attempts, pauses = attempted, 0
        while True:
            response = await self._request(call, items, body_bytes)
            judgement = await self._judge(response, items)
            if not isinstance(judgement, TooFast):
                attempts += 1
            if isinstance(judgement, Accepted | Refused | Unclear):
                assert isinstance(response, Answer)  # noqa: S101 - no answer is always judged TryAgain
                return Settled(judgement, response.status, attempts)
            await self._pause(judgement, pauses)
            pauses += 1

    async def _judge(
        self, response: Response, items: int
    ) -> Accepted | Refused | Unclear | TryAgain | TooFast | Misconfigured:
        """What the answer means; a 404 alone does not say whether an item or the URL is wrong, so the API is asked."""
        judgement: Judgement = judge(response, items)
        if not isinstance(judgement, NotFound):
            return judgement
        base = await self._request(self._client.region, 0, 0)
        is_right = isinstance(base, Answer) and base.status == HTTPStatus.OK
        return Refused(judgement.detail) if is_right else Misconfigured("address", judgement.detail)

    async def _request(self, call: Call, items: int, body_bytes: int) -> Response:
        await self._limiter.acquire()
        loop = asyncio.get_running_loop()
        started = loop.time()
        response = await call()
        self._observer.request(response, seconds=loop.time() - started, items=items, body_bytes=body_bytes)
        return response

    async def _pause(self, judgement: TryAgain | TooFast | Misconfigured, pauses: int) -> None:
        """Full jitter on a doubling pause, and not less than the server asked for: asking for 0 s must not flood it."""
        longest = min(max(self._backoff_s, PAUSE_S_MIN) * 2 ** min(pauses, 30), PAUSE_S_MAX)
        if isinstance(judgement, Misconfigured):
            cause, pause_s = judgement.cause, longest
            log.error("Customer.io refuses us: check credentials and region", cause=cause, pause_s=round(pause_s, 1))
        else:
            cause = judgement.cause if isinstance(judgement, TryAgain) else "HTTP 429"
            pause_s = max(judgement.retry_after_s or 0.0, longest * self._jitter())
            log.warning("request failed, trying again", cause=cause, pause_s=round(pause_s, 1), failures=pauses + 1)
        self._observer.retry(cause)
        await self._sleep(pause_s)


def _verdicts(parcels: Sequence[Parcel], refused: Mapping[int, str], settled: Settled) -> list[Verdict]:
    accepted = _acceptance(settled)
    if not refused:
        return [accepted] * len(parcels)
    verdicts, index = [], 0
    for parcel in parcels:
        details = [refused.get(index + place) for place in range(len(parcel.bodies))]
        index += len(parcel.bodies)
        detail = next((text for text in details if text is not None), None)
        verdicts.append(accepted if detail is None else _refusal(settled, detail))
    return verdicts


def _only_verdict(settled: Settled) -> Verdict:
    match settled.judgement:
        case Accepted(refused):
            return _refusal(settled, refused[0]) if refused else _acceptance(settled)
        case Refused(detail):
            return _refusal(settled, detail)
        case Unclear():
            return _refusal(settled, f"HTTP {settled.status} without a readable reason")


def _acceptance(settled: Settled) -> Verdict:
    return Verdict(accepted=True, status=settled.status, attempts=settled.attempts)


def _refusal(settled: Settled, detail: str) -> Verdict:
    return Verdict(accepted=False, status=settled.status, attempts=settled.attempts, detail=detail)
