"""The breaker of one API: whether a request may go now, and if not, why. Decides from what it is told, sends nothing.

closed     requests go
held       everybody waits for as long as the server asked
open       an outage, or credentials or an address that are refused: everybody waits
half_open  one request is under way as a probe: accepted, it closes the breaker; failed, the next pause is longer
"""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal, Protocol

import structlog

State = Literal["closed", "held", "open", "half_open"]
HoldReason = Literal["too_fast", "retry_after"]
OpenReason = Literal["outage", "credentials", "address", "ambiguous"]
Reason = Literal["", "no_key"] | HoldReason | OpenReason

PROBE_S_MIN = 2.0
PAUSE_S_MAX = 30.0
PAUSES_MAX = 20  # doubling stops long before numbers end
PAUSE_S_MIN = 0.1  # a pause of 0 would never grow, and flood whoever is down already
POLL_S = 1.0  # how soon a waiting request finds out that the credentials have changed
FAILURES_MAX = 3  # so many in a row, and requests go one by one …
GIVEN_UP = "no answer in the time that somebody had"
FAILURE_GAP_S = 0.6  # … this far apart: under two in a second, before the breaker opens

ADVICE: dict[str, str] = {
    "outage": "nothing is accepted; work goes on by itself when it is",
    "credentials": "set CUSTOMERIO_SITE_ID and CUSTOMERIO_TRACK_API_KEY; a *_FILE is read again by itself",
    "address": "set CUSTOMERIO_REGION, or CUSTOMERIO_TRACK_URL",
    "ambiguous": "a send may or may not have gone out; the next one waits until the API answers a harmless question",
}
APP_ADVICE: dict[str, str] = ADVICE | {
    "credentials": "set CUSTOMERIO_APP_API_KEY; a *_FILE is read again by itself",
    "address": "set CUSTOMERIO_REGION, or CUSTOMERIO_APP_URL",
}

log = structlog.get_logger()


class BreakerObserver(Protocol):
    """Counts how often work was held."""

    def held(self, api: str, reason: str) -> None:
        """The breaker has opened, or a pause has begun."""


class Standing(Protocol):
    """What is told of a breaker to who looks from outside."""

    @property
    def api(self) -> str:
        """Whose it is."""

    @property
    def state(self) -> State:
        """Whether requests go."""

    @property
    def reason(self) -> Reason:
        """Why not, empty when they do."""


@dataclass(slots=True)
class Permit:
    """Leave to send one request, which goes at `sent_s` in the event loop's seconds, in the breaker's `era`."""

    sent_s: float
    is_probe: bool
    era: int


class Breaker:
    """`has_news` says, asked once a second, whether credentials have changed; `jitter` gives 0 to 1.

    `advice` is what a person is told when it opens.
    An `era` begins with every outage, and with its end: what failed in one tells nothing in the next.
    """

    def __init__(
        self,
        api: str,
        *,
        first_pause_s: float,
        jitter: Callable[[], float],
        observer: BreakerObserver,
        has_news: Callable[[], bool] = lambda: False,
        advice: Mapping[str, str] = ADVICE,
    ) -> None:
        self.api = api
        self._advice = advice
        self.state: State = "closed"
        self.reason: Reason = ""
        self.era = 0
        self._first_pause_s = max(first_pause_s, PAUSE_S_MIN)
        self._jitter = jitter
        self._observer = observer
        self._has_news = has_news
        self._line = asyncio.Lock()  # first come, first served: not always the same request is the probe
        self._since_s = 0.0
        self._due_s = 0.0
        self._asked_until_s = 0.0  # by the server: no other reason to wait makes it shorter
        self._pauses = 0
        self._failures = 0
        self._sent_s = float("-inf")

    @property
    def is_closed(self) -> bool:
        """Whether requests go."""
        return self.state == "closed"

    @property
    def wait_s(self) -> float:
        """How long nothing goes from now on, at least; 0 when a request may go, or one is on its way as a probe."""
        return max(0.0, self._next_s() - _now_s())

    @property
    def is_doubtful(self) -> bool:
        """Whether it is more than a pause that holds requests: then a question should go before any of them."""
        return self.reason in ADVICE

    @property
    def silent_s(self) -> float:
        """For how long the server has asked to be left alone, whatever it would be asked."""
        return max(0.0, self._asked_until_s - _now_s())

    async def enter(self) -> Permit:
        """Return when a request may go: at once, or in its turn. `leave` must follow, whatever becomes of it."""
        if self.is_closed and self._failures < FAILURES_MAX:
            return self._permit(is_probe=False)
        await self._line.acquire()
        is_probe = False
        try:
            await self._wait()
            is_probe = not self.is_closed
        finally:
            if not is_probe:
                self._line.release()
        if is_probe:
            self.state = "half_open"
        return self._permit(is_probe=is_probe)

    def leave(self, permit: Permit) -> None:
        """The request is over; a probe that was given up on the way makes room for another one at once."""
        if not permit.is_probe:
            return
        if self.state == "half_open":
            self.state, self._due_s = self._waiting, _now_s()
        self._line.release()

    @property
    def _waiting(self) -> State:
        return "open" if self.reason in ADVICE else "held"

    def _permit(self, *, is_probe: bool) -> Permit:
        self._sent_s = _now_s()
        return Permit(self._sent_s, is_probe, self.era)

    async def _wait(self) -> None:
        while (pause_s := self._next_s() - _now_s()) > 0:
            await asyncio.sleep(min(pause_s, POLL_S))
            if self.reason == "credentials" and self._has_news():
                self._due_s = _now_s()

    def _next_s(self) -> float:
        if not self.is_closed:
            return max(self._due_s, self._asked_until_s)
        return self._sent_s + FAILURE_GAP_S if self._failures >= FAILURES_MAX else 0.0

    def works(self, permit: Permit) -> None:
        """The API has answered on the merits of the request; only a probe's answer ends a pause."""
        self._failures = 0
        if self.is_closed:
            self._pauses = 0
        elif permit.is_probe and self.state == "half_open":
            self.close()

    def close(self, witness: Literal["probe", "region"] = "probe") -> None:
        """The API works again, as a probe has shown; or, as its region says, it may."""
        held_s = round(_now_s() - self._since_s, 1)
        log.info("Customer.io works again", api=self.api, reason=self.reason, held_s=held_s, witness=witness)
        self._turn("closed", "")
        self._pauses = 0
        if self.silent_s:
            self._begin("held", "retry_after")
            self._due_s = self._asked_until_s

    def fails(self, permit: Permit, cause: str, retry_after_s: float | None) -> None:
        """Theirs or the network's fault; one request's failure says nothing yet, unless it was the probe."""
        self._failures += 1
        if permit.is_probe and self.reason in ADVICE:
            self._asked_until_s = max(self._asked_until_s, _now_s() + (retry_after_s or 0.0))
            self._wait_longer(cause)
        elif retry_after_s:
            self.hold(permit, "retry_after", retry_after_s)
        elif permit.is_probe and not self.is_closed:
            self._wait_longer(cause)

    def hangs(self, permit: Permit) -> None:
        """Somebody has given up a request that was under way: so many in a row, and nothing is accepted."""
        self.fails(permit, GIVEN_UP, None)
        if self.is_closed and self._failures >= FAILURES_MAX:
            self.open("outage", GIVEN_UP, permit)

    def hold(self, permit: Permit, reason: HoldReason, retry_after_s: float | None) -> None:
        """Let everybody wait as long as the server asks, or for a growing pause when it does not say."""
        self._asked_until_s = max(self._asked_until_s, _now_s() + (retry_after_s or 0.0))
        if not self.is_closed and not permit.is_probe:
            return  # sent before this pause began: nothing new
        pause_s = retry_after_s or min(self._first_pause_s * 2**self._pauses, PAUSE_S_MAX) * self._jitter()
        self._begin("held", reason)
        self._wait_for(max(pause_s, PAUSE_S_MIN))
        log.warning("Customer.io asks us to wait", api=self.api, reason=reason, pause_s=round(pause_s, 1))

    def open(
        self, reason: OpenReason, cause: str, permit: Permit | None = None, retry_after_s: float | None = None
    ) -> bool:
        """Hold everything until a probe is accepted; false when it was held for this reason already.

        `permit` is that of the request whose answer says so, None when it takes more than one to say. Where it is
        ambiguous, the first probe goes at once, for it begins with a question.
        """
        self._asked_until_s = max(self._asked_until_s, _now_s() + (retry_after_s or 0.0))
        is_news = self.reason != reason
        if is_news:
            self._pauses = 0
            self._begin("open", reason)
            log.error("Customer.io is held", api=self.api, reason=reason, cause=cause, advice=self._advice[reason])
        if is_news and reason == "ambiguous":
            self._due_s = _now_s()
        elif is_news or (permit and permit.is_probe):
            self._wait_longer(cause)
        return is_news

    def _begin(self, state: State, reason: Reason) -> None:
        if self.is_closed:
            self._since_s = _now_s()
        if self.reason != reason:
            self._observer.held(self.api, reason)
        self._turn(state, reason)

    def _turn(self, state: State, reason: Reason) -> None:
        self.era += (self.reason == "outage") != (reason == "outage")
        self.state, self.reason = state, reason

    def _wait_longer(self, cause: str) -> None:
        pause_s = min(PROBE_S_MIN * 2**self._pauses, PAUSE_S_MAX) * (1 + self._jitter()) / 2
        self.state = self._waiting
        self._wait_for(pause_s)
        log.info("next probe", api=self.api, reason=self.reason, cause=cause, in_s=round(self._next_s() - _now_s(), 1))

    def _wait_for(self, pause_s: float) -> None:
        self._pauses = min(self._pauses + 1, PAUSES_MAX)
        self._due_s = _now_s() + pause_s


def _now_s() -> float:
    return asyncio.get_running_loop().time()
