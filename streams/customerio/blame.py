"""Whose fault it is that a request has used up its attempts: its records' or the API's. Sees no record, no verdict."""

import asyncio
from dataclasses import dataclass, replace

from streams.customerio.attempts import Attempts, Exhausted, Past, Settled, Suspicion
from streams.customerio.breaker import Breaker
from streams.customerio.evidence import FAILURES_MIN, Evidence
from streams.customerio.wire import Request


@dataclass(frozen=True, slots=True)
class Guilty:
    """The records are: one that is alone is given up, several are halved, and the halves tried as `suspicion` says."""

    end: Exhausted
    suspicion: Suspicion = "half"


class Blame:
    """Weighs the evidence, and asks the region where there is none."""

    def __init__(self, attempts: Attempts, evidence: Evidence, breaker: Breaker) -> None:
        self._attempts = attempts
        self._evidence = evidence
        self._breaker = breaker

    async def pursue(self, request: Request, end: Settled | Exhausted, *, is_alone: bool) -> Settled | Guilty:
        """Try the request again, through however many outages, until it is settled or its records are to blame."""
        while isinstance(end, Exhausted):
            ruling = await self._decide(end, is_alone=is_alone)
            if isinstance(ruling, Guilty):
                if is_alone:
                    self._evidence.explained()
                return ruling
            end = await self._attempts.settle_again(request, replace(end, past=ruling))
        return end

    async def _decide(self, end: Exhausted, *, is_alone: bool) -> Guilty | Past:
        """Blame the records, or give the past with which they are to be tried again; an outage opens the breaker."""
        past = end.past
        if past.suspicion == "region":
            return await self._hear_region(end, is_alone=is_alone)
        if past.era != self._breaker.era:  # while others were looked at
            return past.anew(self._breaker.era)
        if self._is_evident(end, is_alone=is_alone):
            return Guilty(end) if past.failures >= self._evidence.failures_needed(_now_s()) else past
        if self._is_early(past, is_alone=is_alone):
            return past
        if not is_alone and (suspicion := self._suspicion_of_halves(past)):
            return Guilty(end, suspicion)
        return await self._suspect_or_hold(end)

    async def _hear_region(self, end: Exhausted, *, is_alone: bool) -> Guilty | Past:
        """It answered before the last attempt: if it does after it, that failed by itself, whatever the weather.

        One such failure is enough to halve several; who is alone is given up after as many as attempts are allowed.
        """
        past = replace(end.past, era=self._breaker.era)
        if not await self._region_answers(end):
            return past.anew(past.era)
        is_enough = past.failures >= self._evidence.failures_min or not is_alone
        return Guilty(replace(end, past=past)) if is_enough else past

    def _is_early(self, past: Past, *, is_alone: bool) -> bool:
        """One failure tells nothing; nor do more when others were accepted after them: an outage may have ended."""
        is_over = is_alone and self._evidence.others_accepted(past.since_s, float("inf"))
        return is_over or past.failures < FAILURES_MIN

    async def _suspect_or_hold(self, end: Exhausted) -> Past:
        """Nothing is accepted: the region may speak for the API, and so against the records; else it is an outage."""
        past = end.past
        if (past.restarts or self._breaker.reason == "outage") and await self._region_convicts(end):
            if self._breaker.reason == "outage":
                self._breaker.close("region")
            return replace(past.anew(self._breaker.era), suspicion="region")
        self._breaker.open("outage", end.cause)
        return replace(past, suspicion="none")

    def _suspicion_of_halves(self, past: Past) -> Suspicion | None:
        if past.suspicion == "half":
            return "half"  # both failed: look further, a culprit may stand in each
        if past.suspicion == "none" and self._breaker.is_closed:
            return "asked"  # the halves are each other's others: ask them before all is held
        return None

    def _is_evident(self, end: Exhausted, *, is_alone: bool) -> bool:
        may_be_later = end.past.suspicion in {"asked", "half"} and not is_alone  # it is only halved then
        return self._evidence.others_accepted(end.past.since_s, float("inf") if may_be_later else end.sent_s)

    async def _region_convicts(self, end: Exhausted) -> bool:
        """There may be nobody else to ask; but it may answer while no data is taken, so its word counts rarely."""
        now_s = _now_s()
        if not self._evidence.may_ask_region(now_s) or not await self._region_answers(end):
            return False
        self._evidence.region_convicted(now_s)
        return True

    async def _region_answers(self, end: Exhausted) -> bool:
        """An API that asks us to wait has spoken for itself, and is asked nothing meanwhile."""
        if end.asked_to_wait or self._breaker.silent_s:
            return False
        return await self._attempts.region_answers()


def _now_s() -> float:
    return asyncio.get_running_loop().time()
