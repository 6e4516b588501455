"""Sends over one limit of the App API: each once, and again only when it certainly did not go out.

A fault that is not the send's own is waited out at the breaker, however long. After an answer that leaves it open
whether a send went out, and after an outage, the next one goes alone and behind a harmless read.
"""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import AbstractContextManager
from typing import Any, NamedTuple

from agents.ports import Errand
from agents.steps.judge import Misconfigured, Refused, TooFast
from agents.steps.judge_send import Ambiguous, NotSent, SendJudgement, Sent, judge_send, works
from schemas.answer import Answer, NoAnswer
from schemas.delivery import Verdict
from schemas.translated import Send
from streams.customerio.breaker import GIVEN_UP, Breaker, Permit
from streams.customerio.wire import Limiter, Request, Response, Wire, noted

Call = Callable[[Send], Awaitable[Response]]


class AppSender:
    """`wire` has the breaker and the rate by which sends are let in, before their intents are written.

    `pace` is the same rate once more, for the moment at which they go: Kafka may have held up several intents, which
    would else go all at once. `reads` is the wire of harmless reads, which have a rate of their own.
    """

    def __init__(
        self, call: Call, wire: Wire, *, pace: Limiter, read: Callable[[], Awaitable[Response]], reads: Wire
    ) -> None:
        self.breaker: Breaker = wire.breaker
        self.busy: set[asyncio.Task[Any]] = set()
        self._call = call
        self.wire = wire
        self._pace = pace
        self._read = Request(read)
        self._reads = reads

    @property
    def is_held(self) -> bool:
        """Whether nothing goes for now."""
        return not self.breaker.is_closed

    async def send(self, send: Send, errand: Errand, *, may_begin: Callable[[], bool]) -> Verdict:
        """The verdict, which the errand has concluded; nothing is begun once it may not."""
        attempts = 0
        while True:
            permit = await self._turn(may_begin)
            with self._at_work():
                tried = await self._try(send, errand, permit)
                attempts += tried is not None and not isinstance(tried.ruling, TooFast | Misconfigured)
                verdict = tried and _verdict(tried, attempts)
                if verdict is not None:
                    await errand.conclude(verdict)
                    return verdict
                await errand.withdraw()
            if tried is not None:
                self.wire.count_retry(_cause(tried.ruling))

    def _at_work(self) -> AbstractContextManager[None]:
        """From the intent to what is written of the outcome."""
        return noted(self.busy)

    async def _turn(self, may_begin: Callable[[], bool]) -> Permit:
        while True:
            permit = await self.wire.turn()
            is_ours = False
            try:
                if not may_begin():
                    await asyncio.Event().wait()  # until the lane is given up
                is_ours = not permit.is_probe or not self.breaker.is_doubtful or await self._answers(permit)
                if is_ours:
                    return permit
            finally:
                if not is_ours:
                    self.breaker.leave(permit)

    async def _answers(self, permit: Permit) -> bool:
        """Whether the API answers a harmless read; the breaker is told when it does not."""
        with self.wire.telling(lambda: self.breaker.hangs(permit)):
            answer = await self._reads.ask(self._read)
        if works(answer):
            return True
        match judge_send(answer, "message"):
            case Misconfigured("credentials", cause):
                self.breaker.open("credentials", cause, permit)
            case Misconfigured(_, cause):
                self.breaker.open("address", cause, permit)
            case TooFast(retry_after_s):
                self.breaker.fails(permit, "HTTP 429", retry_after_s)
            case Ambiguous(cause, retry_after_s):
                self.breaker.fails(permit, cause, retry_after_s)
            case NotSent(cause):
                self.breaker.fails(permit, cause, None)
            case Sent() | Refused():
                raise AssertionError("what works has been seen to")
        return False

    async def _try(self, send: Send, errand: Errand, permit: Permit) -> "_Tried | None":
        """None when others were held while the intent was written: then this one is too."""
        try:
            await errand.intend()
            await self._pace.acquire()
            if not permit.is_probe and not self.breaker.is_closed:
                return None
            with self.wire.telling(lambda: self.breaker.open("ambiguous", GIVEN_UP, permit)):
                response = await self.wire.send(Request(lambda: self._call(send), 1, len(send.body)))
            ruling = judge_send(response, send.kind)
            self._tell(permit, ruling)
        finally:
            self.breaker.leave(permit)
        return _Tried(response, ruling)

    def _tell(self, permit: Permit, ruling: SendJudgement) -> None:
        match ruling:
            case Sent() | Refused():
                self.breaker.works(permit)
            case Ambiguous(cause, retry_after_s):
                self.breaker.open("ambiguous", cause, permit, retry_after_s)
            case NotSent(cause):
                self.breaker.open("outage", cause, permit)
            case TooFast(retry_after_s):
                self.breaker.hold(permit, "too_fast", retry_after_s)
            case Misconfigured("credentials", cause):
                self.breaker.open("credentials", cause, permit)
            case Misconfigured(_, cause):
                self.breaker.open("address", cause, permit)


class _Tried(NamedTuple):
    response: Answer | NoAnswer
    ruling: SendJudgement


def _verdict(tried: _Tried, attempts: int) -> Verdict | None:
    """None where it is to be tried again."""
    status = tried.response.status if isinstance(tried.response, Answer) else None
    match tried.ruling:
        case Sent(delivery_id):
            return Verdict(accepted=True, status=status, attempts=attempts, delivery_id=delivery_id)
        case Refused(detail):
            return Verdict(accepted=False, status=status, attempts=attempts, detail=detail, reason="rejected")
        case Ambiguous() as ruling:
            detail = ruling.detail
            return Verdict(accepted=False, status=status, attempts=attempts, detail=detail, reason="ambiguous_send")
        case NotSent() | TooFast() | Misconfigured():
            return None


def _cause(ruling: SendJudgement) -> str:
    return ruling.cause if isinstance(ruling, NotSent | Misconfigured) else "HTTP 429"
