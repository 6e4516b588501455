"""The attempts of one request: repeated until it is judged on its own merits, or until they are used up.

Whose fault it is that they are used up is the sender's question.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, replace
from http import HTTPStatus
from typing import Literal

import structlog

from agents.steps.judge import Accepted, Misconfigured, NotFound, Refused, TooFast, TryAgain, Unclear, judge
from schemas.answer import Answer
from streams.customerio.breaker import PAUSE_S_MAX, PAUSE_S_MIN, PAUSES_MAX, Permit
from streams.customerio.evidence import Evidence
from streams.customerio.wire import Request, Response, Wire

TOTAL_S_MAX = 120.0  # of requests and pauses, however many attempts are allowed; waiting at the breaker does not count

Suspicion = Literal["none", "asked", "half", "region"]
"""Why a request is tried only once: its other half is asked too, or did better, or the region answers meanwhile."""

Ruling = Accepted | Refused | Unclear | TryAgain | TooFast | Misconfigured

log = structlog.get_logger()


@dataclass(frozen=True, slots=True, kw_only=True)
class Past:
    """What has become of some records so far.

    `attempts` is the number of all their requests, `failures` that of the last ones in a row in this `era` of the
    breaker's, the first at `since_s`; `restarts` counts how often a new era made that count start again. With `pauses`
    in between the last ones took `spent_s`. Whoever is under suspicion is tried only once.
    """

    attempts: int = 0
    failures: int = 0
    since_s: float = 0.0
    pauses: int = 0
    spent_s: float = 0.0
    era: int = 0
    restarts: int = 0
    suspicion: Suspicion = "none"

    def failed(self, permit: Permit, era: int, now_s: float) -> "Past":
        """One more attempt has failed: it counts in the era in which it was sent, with the region as witness in any."""
        is_witnessed = self.suspicion == "region"
        past = self if is_witnessed or era == self.era else self.anew(era)
        past = replace(past, attempts=past.attempts + 1)
        if permit.era != era and not is_witnessed:
            return past
        since_s, spent_s = past.since_s if past.failures else now_s, past.spent_s + now_s - permit.sent_s
        return replace(past, failures=past.failures + 1, since_s=since_s, spent_s=spent_s)

    def of_half(self, suspicion: Suspicion, now_s: float) -> "Past":
        """Each half brings along that it has failed with the other, but is another request, as yet without a pause."""
        return replace(self, suspicion=suspicion, since_s=now_s, pauses=0, spent_s=0.0)

    def anew(self, era: int) -> "Past":
        """An outage, or its end, explains all that has failed before."""
        return Past(attempts=self.attempts, era=era, restarts=self.restarts + (self.failures > 0))


@dataclass(frozen=True, slots=True, kw_only=True)
class Settled:
    """Judged on its merits, after as many attempts as it took."""

    judgement: Accepted | Refused | Unclear
    status: int
    attempts: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Exhausted:
    """Attempts are used up; the last one was sent at `sent_s` and failed for `cause`, or we were `asked_to_wait`."""

    past: Past
    cause: str
    status: int | None
    sent_s: float
    asked_to_wait: bool


class Attempts:
    """`attempts_max` in one go, with pauses from `backoff_s`, doubled; `jitter` gives 0 to 1."""

    def __init__(
        self,
        wire: Wire,
        evidence: Evidence,
        *,
        region: Request,
        attempts_max: int,
        backoff_s: float,
        jitter: Callable[[], float],
        describe_region: Callable[[Response], str],
    ) -> None:
        self._wire = wire
        self._breaker = wire.breaker
        self._evidence = evidence
        self._region = region
        self._attempts_max = attempts_max
        self._backoff_s = max(backoff_s, PAUSE_S_MIN)
        self._jitter = jitter
        self._describe_region = describe_region

    def fresh(self) -> Past:
        """The past of what was never sent."""
        return Past(era=self._breaker.era)

    async def settle_again(self, request: Request, end: Exhausted) -> Settled | Exhausted:
        """As `settle`, after one more pause."""
        return await self.settle(request, await self._pause(end.past, end.cause))

    async def settle(self, request: Request, past: Past) -> Settled | Exhausted:
        """Repeat the request until it is judged or its attempts are used up; waits as long as the breaker is open."""
        tries, is_first = 0, past.attempts == 0
        while True:
            permit, response, ruling = await self._try(request, is_first=is_first)
            is_first = False
            match ruling:
                case Accepted() | Refused() | Unclear():
                    assert isinstance(response, Answer)  # noqa: S101 - no answer is always judged TryAgain
                    return Settled(judgement=ruling, status=response.status, attempts=past.attempts + 1)
                case TooFast():  # the breaker makes it wait; no attempt is used up, here and below
                    self._wire.count_retry("HTTP 429")
                case Misconfigured(_, cause):
                    self._wire.count_retry(cause)
                case TryAgain(cause, retry_after_s):
                    past = past.failed(permit, self._breaker.era, _now_s())
                    tries = min(tries + 1, past.failures)  # in a new era they begin again
                    tries_max = self._attempts_max if past.suspicion == "none" else 1
                    if tries >= tries_max or past.spent_s >= TOTAL_S_MAX:
                        return Exhausted(
                            past=past,
                            cause=cause,
                            status=response.status if isinstance(response, Answer) else None,
                            sent_s=permit.sent_s,
                            asked_to_wait=retry_after_s is not None,
                        )
                    past = await self._pause(past, cause)

    async def _try(self, request: Request, *, is_first: bool) -> tuple[Permit, Response, Ruling]:
        permit = await self._wire.turn()
        try:
            with self._wire.telling(lambda: self._breaker.hangs(permit)):
                response = await self._wire.send(request)
            ruling = await self._rule(response, request.items)
            if is_first and not permit.is_probe:
                self._note_weather(ruling)
            await self._tell(permit, ruling, request.items)
        finally:
            self._breaker.leave(permit)
        return permit, response, ruling

    async def _rule(self, response: Response, items: int) -> Ruling:
        """What the answer means; a 404 alone does not say whether an item or the URL is wrong, so the API is asked."""
        judgement = judge(response, items)
        if not isinstance(judgement, NotFound):
            return judgement
        is_right = await self.region_answers()
        return (
            Refused(judgement.detail) if is_right else Misconfigured("address", "HTTP 404")
        )  # a detail may hold content

    async def region_answers(self) -> bool:
        """Whether the API knows us, whatever it makes of our requests."""
        response = await self._wire.ask(self._region)
        return isinstance(response, Answer) and response.status == HTTPStatus.OK and b'"region"' in response.body

    def _note_weather(self, ruling: Ruling) -> None:
        match ruling:
            case Accepted() | Refused() | Unclear():
                self._evidence.first_try(_now_s(), is_accepted=True)
            case TryAgain():
                self._evidence.first_try(_now_s(), is_accepted=False)
            case TooFast() | Misconfigured():
                pass

    async def _tell(self, permit: Permit, ruling: Ruling, items: int) -> None:
        match ruling:
            case Accepted(refused):
                self._breaker.works(permit)
                if len(refused) < items:
                    self._evidence.accepted(permit.sent_s)
            case Refused() | Unclear():
                self._breaker.works(permit)
            case TryAgain(cause, retry_after_s):
                self._breaker.fails(permit, cause, retry_after_s)
            case TooFast(retry_after_s):
                self._breaker.hold(permit, "too_fast", retry_after_s)
            case Misconfigured():
                await self._open(permit, ruling)

    async def _open(self, permit: Permit, ruling: Misconfigured) -> None:
        if ruling.reason == "credentials":
            self._breaker.open("credentials", ruling.cause, permit)
        elif self._breaker.open("address", ruling.cause, permit):
            log.error("wrong address", found=self._describe_region(await self._wire.ask(self._region)))

    async def _pause(self, past: Past, cause: str) -> Past:
        """Full jitter on a doubling pause."""
        pause_s = min(self._backoff_s * 2.0 ** min(past.pauses, PAUSES_MAX), PAUSE_S_MAX) * self._jitter()
        log.warning("request failed, trying again", cause=cause, failures=past.failures, pause_s=round(pause_s, 1))
        self._wire.count_retry(cause)
        began_s = _now_s()
        await self._wire.pause(pause_s)
        return replace(past, pauses=past.pauses + 1, spent_s=past.spent_s + _now_s() - began_s)


def _now_s() -> float:
    return asyncio.get_running_loop().time()
