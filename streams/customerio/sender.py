"""Sends parcels until there is a verdict on each: what is halved, what is sent alone, what each verdict says.

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
from streams.customerio.attempts import Attempts, Exhausted, Past, Settled, Suspicion
from streams.customerio.blame import Blame, Guilty
from streams.customerio.evidence import Evidence
from streams.customerio.halves import halve, is_one_person
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
        self.wire = wire
        self.breaker = wire.breaker
        region = Request(client.region)

        def attempts() -> tuple[Attempts, Blame]:
            evidence = Evidence(attempts_max)
            made = Attempts(
                wire,
                evidence,
                region=region,
                attempts_max=attempts_max,
                backoff_s=backoff_s,
                jitter=jitter,
                describe_region=describe_region,
            )
            return made, Blame(made, evidence, wire.breaker)

        self._attempts, self._blame = attempts()
        self._singly = attempts()  # an endpoint of its own: that one works tells nothing of the other

    @property
    def is_held(self) -> bool:
        """Whether nothing goes for now."""
        return not self.breaker.is_closed

    @property
    def on_wire(self) -> AbstractSet[asyncio.Task[Any]]:
        """The tasks that are inside a request."""
        return self.wire.on_wire

    @property
    def waiting(self) -> AbstractSet[asyncio.Task[Any]]:
        """The tasks that wait to try, or to try again."""
        return self.wire.waiting

    async def send_batch(self, parcels: Sequence[Parcel]) -> list[Verdict]:
        """One verdict for each parcel; a request that is refused or keeps failing is halved to find the culprit."""
        past = self._attempts.fresh()
        return await self._conclude(parcels, await self._attempts.settle(self._batch(parcels), past))

    async def send_anonymous(self, parcel: Parcel) -> Verdict:
        """The verdict on an anonymous event."""
        (body,) = parcel.bodies
        return await _alone(*self._singly, Request(lambda: self._client.anonymous_event(body), 1, len(body)), 0)

    def _batch(self, parcels: Sequence[Parcel]) -> Request:
        body = batch_body(parcels)
        return Request(lambda: self._client.batch(body), sum(len(parcel.bodies) for parcel in parcels), len(body))

    async def _conclude(self, parcels: Sequence[Parcel], end: Settled | Exhausted | Guilty) -> list[Verdict]:
        is_alone = len(parcels) == 1
        if isinstance(end, Exhausted):
            end = await self._blame.pursue(self._batch(parcels), end, is_alone=is_alone)
        if isinstance(end, Guilty):
            return (
                [_given_up(end.end)] if is_alone else await self._halve_suspects(parcels, end.end.past, end.suspicion)
            )
        match end.judgement:
            case Accepted(refused):
                return _verdicts(parcels, refused, end)
            case Refused(detail) if len(parcels) == 1:
                return [_refusal(end, detail)]
            case Refused():
                return await self._halve_refused(parcels, end)
            case Unclear():
                return [await self._send_alone(parcel, end.attempts) for parcel in parcels]

    async def _halve_refused(self, parcels: Sequence[Parcel], end: Settled) -> list[Verdict]:
        past = replace(self._attempts.fresh(), attempts=end.attempts)
        half = len(parcels) // 2
        return await self._send(parcels[:half], past) + await self._send(parcels[half:], past)

    async def _send(self, parcels: Sequence[Parcel], past: Past) -> list[Verdict]:
        return await self._conclude(parcels, await self._attempts.settle(self._batch(parcels), past))

    async def _halve_suspects(self, parcels: Sequence[Parcel], past: Past, suspicion: Suspicion) -> list[Verdict]:
        """Try the first half once; if it does well the culprit stands in the second, else that one is tried once too.

        That the other half does well is what convicts a half.
        """
        log.info("looking for what makes a request fail", parcels=len(parcels), failures=past.failures)
        past = past.of_half(suspicion, asyncio.get_running_loop().time())
        halves = halve(parcels)
        first, second = ([parcels[index] for index in half] for half in halves)
        end = await self._attempts.settle(self._batch(first), past)
        if isinstance(end, Settled) and len(second) > 1:
            verdicts = await self._conclude(first, end) + await self._halve_suspects(second, past, "half")
        elif isinstance(end, Settled):
            verdicts = await self._conclude(first, end) + await self._send(second, past)
        elif is_one_person(parcels):  # nothing of theirs may overtake the first half
            verdicts = await self._conclude(first, end) + await self._send(second, self._attempts.fresh())
        else:
            verdicts = await self._compare(first, end, second, past)
        return [verdict for _, verdict in sorted(zip([*halves[0], *halves[1]], verdicts, strict=True), key=_place)]

    async def _compare(
        self, first: Sequence[Parcel], failed: Exhausted, second: Sequence[Parcel], past: Past
    ) -> list[Verdict]:
        end = await self._attempts.settle(self._batch(second), past)
        if isinstance(end, Exhausted) and past.suspicion == "half":
            return await self._conclude(first, await self._confirm(first, failed)) + await self._conclude(
                second, await self._confirm(second, end)
            )
        return await self._conclude(first, failed) + await self._conclude(second, end)

    async def _confirm(self, half: Sequence[Parcel], end: Exhausted) -> Settled | Exhausted:
        """Both halves have failed: who stands alone by now has not failed beside one that did better, so once more."""
        return end if len(half) > 1 else await self._attempts.settle(self._batch(half), end.past)

    async def _send_alone(self, parcel: Parcel, attempted: int) -> Verdict:
        """Ask for an answer that can only be about this parcel: that of its operations one by one."""
        verdict = Verdict(accepted=True, status=200, attempts=attempted)
        for body in parcel.bodies:
            request = Request(self._entity(body), 1, len(body))
            verdict = await _alone(self._attempts, self._blame, request, verdict.attempts)
            if not verdict.accepted:
                break
        return verdict

    def _entity(self, body: bytes) -> Call:
        return lambda: self._client.entity(body)


async def _alone(attempts: Attempts, blame: Blame, request: Request, attempted: int) -> Verdict:
    past = replace(attempts.fresh(), attempts=attempted)
    end = await blame.pursue(request, await attempts.settle(request, past), is_alone=True)
    if isinstance(end, Guilty):
        return _given_up(end.end)
    match end.judgement:
        case Accepted(refused):
            return _refusal(end, refused[0]) if refused else _acceptance(end)
        case Refused(detail):
            return _refusal(end, detail)
        case Unclear():
            return _refusal(end, f"HTTP {end.status} without a readable reason")


def _place(placed: tuple[int, Verdict]) -> int:
    return placed[0]


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


def _given_up(end: Exhausted) -> Verdict:
    return Verdict(
        accepted=False,
        status=end.status,
        attempts=end.past.attempts,
        detail=f"{end.cause}, {end.past.failures} times in a row, while other requests were answered",
        reason="retries_exhausted",
    )
