"""Whose fault it is that a request has used up its attempts: its records' or the API's. Sees no record, no verdict."""

import asyncio
from dataclasses import dataclass, replace

from streams.customerio.attempts import Attempts, Exhausted, Past, Settled, Suspicion
from streams.customerio.breaker import Breaker
from streams.customerio.evidence import Evidence
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
            end = await self._attempts.settle(request, ruling)
        return end

    async def _decide(self, end: Exhausted, *, is_alone: bool) -> Guilty | Past:
        """Blame the records, or give the past with which they are to be tried again; an outage opens the breaker."""
        past = end.past
        if past.outages != self._breaker.outages:
            return past  # while others were looked at there was an outage: what failed before tells nothing
        if self._is_evident(end):
            return Guilty(end) if past.failures >= self._evidence.failures_needed() else past
        if not is_alone and past.suspicion == "half":
            return Guilty(end)  # both halves failed: look further, a culprit may stand in each
        if not is_alone and past.suspicion == "none" and self._breaker.is_closed:
            return Guilty(end, "asked")  # the halves are each other's others: ask them before all is held
        if self._breaker.reason == "outage" and await self._region_convicts():
            self._breaker.close()
            return replace(past, suspicion="region")
        self._evidence.outage()
        self._breaker.open("outage", end.cause)
        return replace(past, suspicion="none")

    def _is_evident(self, end: Exhausted) -> bool:
        past = end.past
        if past.suspicion == "region":
            return True
        before_s = end.sent_s if past.suspicion == "none" else float("inf")
        return self._evidence.others_accepted(past.since_s, before_s)

    async def _region_convicts(self) -> bool:
        """There may be nobody else to ask; but it may answer while no data is taken, so its word counts rarely."""
        now_s = asyncio.get_running_loop().time()
        if not self._evidence.may_ask_region(now_s) or not await self._attempts.region_answers():
            return False
        self._evidence.region_convicted(now_s)
        return True
