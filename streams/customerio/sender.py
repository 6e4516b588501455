"""Sends parcels until there is a verdict on each, and decides whose fault it is when a request keeps failing.

A fault that is not the parcels' own is waited out at the breaker, however long: the lanes hold their place.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import replace
from typing import Any, Protocol

import structlog

from agents.steps.judge import Accepted, Refused, Unclear
from agents.steps.pack import batch_body
from schemas.delivery import Parcel, Verdict
from streams.customerio.attempts import Attempts, Exhausted, Past, Settled
from streams.customerio.evidence import Evidence
from streams.customerio.wire import Call, Request, Response, Wire

log = structlog.get_logger()


class Client(Protocol):
    """The endpoints that track data goes to."""

    async def batch(self, body: bytes) -> Response: ...  # noqa: D102
    async def entity(self, body: bytes) -> Response: ...  # noqa: D102
    async def anonymous_event(self, body: bytes) -> Response: ...  # noqa: D102
    async def region(self) -> Response: ...  # noqa: D102


class TrackSender:
    """The Track API as the courier sees it; `attempts_max` in one go, with pauses from `backoff_s`, doubled."""

    def __init__(
        self,
        client: Client,
        wire: Wire,
        *,
        attempts_max: int,
        backoff_s: float,
        jitter: Callable[[], float],
        describe_region: Callable[[Response], str],
    ) -> None:
        self._client = client
        self._wire = wire
        self.breaker = wire.breaker
        self._evidence = Evidence(attempts_max)
        self._attempts = Attempts(
            wire,
            self._evidence,
            region=Request(client.region),
            attempts_max=attempts_max,
            backoff_s=backoff_s,
            jitter=jitter,
            describe_region=describe_region,
        )

    @property
    def is_held(self) -> bool:
        """Whether nothing goes for now."""
        return not self.breaker.is_closed

    @property
    def on_wire(self) -> AbstractSet[asyncio.Task[Any]]:
        """The tasks that are inside a request."""
        return self._wire.on_wire

    @property
    def waiting(self) -> AbstractSet[asyncio.Task[Any]]:
        """The tasks that wait to try, or to try again."""
        return self._wire.waiting

    async def send_batch(self, parcels: Sequence[Parcel]) -> list[Verdict]:
        """One verdict for each parcel; a request that is refused or keeps failing is halved to find the culprit."""
        past = self._attempts.fresh()
        return await self._conclude(parcels, await self._attempts.settle(self._batch(parcels), past))

    async def send_anonymous(self, parcel: Parcel) -> Verdict:
        """The verdict on an anonymous event."""
        (body,) = parcel.bodies
        return await self._verdict_alone(Request(lambda: self._client.anonymous_event(body), 1, len(body)), 0)

    def _batch(self, parcels: Sequence[Parcel]) -> Request:
        body = batch_body(parcels)
        return Request(lambda: self._client.batch(body), sum(len(parcel.bodies) for parcel in parcels), len(body))

    async def _conclude(self, parcels: Sequence[Parcel], end: Settled | Exhausted) -> list[Verdict]:
        if isinstance(end, Exhausted):
            end = await self._insist(self._batch(parcels), end, may_be_halved=len(parcels) > 1)
        if isinstance(end, Exhausted):
            return [self._given_up(end)] if len(parcels) == 1 else await self._halve_suspects(parcels, end.past)
        match end.judgement:
            case Accepted(refused):
                return _verdicts(parcels, refused, end)
            case Refused(detail) if len(parcels) == 1:
                return [_refusal(end, detail)]
            case Refused():
                return await self._halve_refused(parcels, end)
            case Unclear():
                return [await self._send_alone(parcel, end.attempts) for parcel in parcels]

    async def _insist(self, request: Request, end: Settled | Exhausted, *, may_be_halved: bool) -> Settled | Exhausted:
        """Send the request again until it is settled, or until it is certain enough that it fails by its own fault."""
        while isinstance(end, Exhausted):
            past = await self._doubt(end, may_be_halved=may_be_halved)
            if past is None:
                return end
            end = await self._attempts.settle(request, past)
        return end

    async def _doubt(self, end: Exhausted, *, may_be_halved: bool) -> Past | None:
        """None when the request is to blame; else the past with which it is tried again."""
        past = end.past
        if past.outages != self.breaker.outages:
            return past  # while others were looked at there was an outage: what failed before tells nothing
        before_s = float("inf") if past.suspicion == "half" else end.sent_s
        if past.suspicion == "region" or self._evidence.others_accepted(past.since_s, before_s):
            return None if past.failures >= self._evidence.failures_needed() else past
        if past.suspicion == "half" and may_be_halved:
            return None  # both halves failed: look further, a culprit may stand in each
        if self.breaker.reason == "outage" and await self._region_convicts():
            return replace(past, suspicion="region")
        self._evidence.outage()
        self.breaker.open("outage", end.cause)
        return past

    async def _region_convicts(self) -> bool:
        """Whether the API's own word is to be had, and taken, that it works: there may be nobody else to ask."""
        now_s = asyncio.get_running_loop().time()
        if not self._evidence.may_ask_region(now_s) or not await self._attempts.region_answers():
            return False
        self._evidence.region_convicted(now_s)
        return True

    async def _halve_refused(self, parcels: Sequence[Parcel], end: Settled) -> list[Verdict]:
        past = replace(self._attempts.fresh(), attempts=end.attempts)
        verdicts = []
        for half in _halves(parcels):
            verdicts += await self._conclude(half, await self._attempts.settle(self._batch(half), past))
        return verdicts

    async def _halve_suspects(self, parcels: Sequence[Parcel], past: Past) -> list[Verdict]:
        """Try either half once: that the other one is accepted is what convicts a half."""
        log.info("looking for what makes a request fail", parcels=len(parcels), failures=past.failures)
        past = replace(past, suspicion="half", since_s=asyncio.get_running_loop().time())
        halves = _halves(parcels)
        ends = [await self._attempts.settle(self._batch(half), past) for half in halves]
        if all(
            isinstance(end, Exhausted) for end in ends
        ):  # who stands alone now has not been seen beside one that works
            ends = [
                await self._attempts.settle(self._batch(half), end.past)
                if len(half) == 1 and isinstance(end, Exhausted)
                else end
                for half, end in zip(halves, ends, strict=True)
            ]
        return [v for half, end in zip(halves, ends, strict=True) for v in await self._conclude(half, end)]

    async def _send_alone(self, parcel: Parcel, attempted: int) -> Verdict:
        """Ask for an answer that can only be about this parcel: that of its operations one by one."""
        verdict = Verdict(accepted=True, status=200, attempts=attempted)
        for body in parcel.bodies:
            verdict = await self._verdict_alone(Request(self._entity(body), 1, len(body)), verdict.attempts)
            if not verdict.accepted:
                break
        return verdict

    def _entity(self, body: bytes) -> Call:
        return lambda: self._client.entity(body)

    async def _verdict_alone(self, request: Request, attempted: int) -> Verdict:
        past = replace(self._attempts.fresh(), attempts=attempted)
        end = await self._insist(request, await self._attempts.settle(request, past), may_be_halved=False)
        if isinstance(end, Exhausted):
            return self._given_up(end)
        match end.judgement:
            case Accepted(refused):
                return _refusal(end, refused[0]) if refused else _acceptance(end)
            case Refused(detail):
                return _refusal(end, detail)
            case Unclear():
                return _refusal(end, f"HTTP {end.status} without a readable reason")

    def _given_up(self, end: Exhausted) -> Verdict:
        self._evidence.explained()
        self.breaker.hurry()
        return Verdict(
            accepted=False,
            status=end.status,
            attempts=end.past.attempts,
            detail=f"{end.cause}, {end.past.failures} times in a row, while other requests were accepted",
            reason="retries_exhausted",
        )


def _halves(parcels: Sequence[Parcel]) -> tuple[Sequence[Parcel], Sequence[Parcel]]:
    half = len(parcels) // 2
    return parcels[:half], parcels[half:]


def _verdicts(parcels: Sequence[Parcel], refused: Mapping[int, str], end: Settled) -> list[Verdict]:
    accepted = _acceptance(end)
    if not refused:
        return [accepted] * len(parcels)
    verdicts, index = [], 0
    for parcel in parcels:
        details = [refused.get(index + place) for place in range(len(parcel.bodies))]
        index += len(parcel.bodies)
        detail = next((text for text in details if text is not None), None)
        verdicts.append(accepted if detail is None else _refusal(end, detail))
    return verdicts


def _acceptance(end: Settled) -> Verdict:
    return Verdict(accepted=True, status=end.status, attempts=end.attempts)


def _refusal(end: Settled, detail: str) -> Verdict:
    return Verdict(accepted=False, status=end.status, attempts=end.attempts, detail=detail, reason="rejected")
