"""A sender of messages before a scripted App API, and errands that only note what is asked of them, in fake time."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field

from schemas.answer import Answer, NoAnswer
from schemas.delivery import Parcel, Verdict
from schemas.translated import Send
from streams.customerio.app_sender import AppSender
from streams.customerio.breaker import APP_ADVICE, Breaker
from streams.customerio.wire import Wire
from streams.delivery.messenger import Messenger
from tests.fakes import FakeLimiter, FakeObserver
from tests.sends import make_send

Response = Answer | NoAnswer
SENT = Answer(200, b'{"delivery_id":"d-1"}')
THERE = Answer(200, b'{"workspaces":[]}')
DOWN = Answer(503, b"")
REFUSED = NoAnswer("ConnectError", is_out=False)


@dataclass(slots=True)
class FakeApp:
    """Answers sends and reads from `sends` and `reads`, afterwards well, each after `latency_s`; keeps when."""

    sends: list[Response] = field(default_factory=list)
    reads: list[Response] = field(default_factory=list)
    latency_s: float = 0.1
    story: list[tuple[float, str]] = field(default_factory=list)

    async def send(self, send: Send) -> Response:
        """`POST /v1/send/…`."""
        self.note(send.send_id)
        await asyncio.sleep(self.latency_s)
        return self.sends.pop(0) if self.sends else SENT

    async def read(self) -> Response:
        """`GET /v1/workspaces`."""
        self.note("read")
        await asyncio.sleep(self.latency_s)
        return self.reads.pop(0) if self.reads else THERE

    def note(self, what: str) -> None:
        """Keep it, with the time since the beginning."""
        self.story.append((asyncio.get_running_loop().time() - 1000.0, what))

    def told(self) -> list[str]:
        """What happened, in order."""
        return [what for _, what in self.story]

    def times(self, what: str) -> list[float]:
        """When it did, rounded."""
        return [round(at_s, 1) for at_s, each in self.story if each == what]


@dataclass(slots=True)
class FakeErrand:
    """Notes every step beside what the API sees; writing takes `writes_s`."""

    app: FakeApp
    send_id: str
    epoch: int = 1
    writes_s: float = 0.0

    async def intend(self) -> None:
        """Note it."""
        await self._write("intends")

    async def withdraw(self) -> None:
        """Note it."""
        await self._write("withdraws")

    async def conclude(self, verdict: Verdict) -> None:
        """Note it."""
        await self._write("delivered" if verdict.accepted else str(verdict.reason))

    async def _write(self, what: str) -> None:
        await asyncio.sleep(self.writes_s)
        self.app.note(f"{self.send_id} {what}")


class SendsWorld:
    """`news` becomes true when the key has changed; `epoch` is the assignment that lasts."""

    def __init__(self, *sends: Response, reads: list[Response] | None = None, jitter: float = 1.0) -> None:
        self.app = FakeApp(sends=list(sends), reads=reads or [])
        self.observer = FakeObserver()
        self.news = False
        self.epoch = 1
        self.is_rate_tight = False
        self.breaker = Breaker(
            "send",
            first_pause_s=2.0,
            jitter=lambda: jitter,
            observer=self.observer,
            has_news=lambda: self.news,
            advice=APP_ADVICE,
        )
        self.admission, self.pace, self.app_rate = FakeLimiter(), FakeLimiter(), FakeLimiter()
        self.sender = AppSender(
            self.app.send,
            Wire(self.breaker, self.admission, self.observer),
            pace=self.pace,
            read=self.app.read,
            reads=Wire(self.breaker, self.app_rate, self.observer),
        )
        self.messenger = Messenger(
            {"message": self.sender},
            is_current=lambda epoch: epoch >= self.epoch,
            is_rate_tight=lambda _: self.is_rate_tight,
        )

    async def send(self, send_id: str = "a", *, writes_s: float = 0.0) -> Verdict:
        """Send a message of this id; the verdict."""
        send = make_send(send_id, f"u-{send_id}")
        errand = FakeErrand(self.app, send_id, writes_s=writes_s)
        return await self.messenger.send(Parcel((send.body,), send=send), errand)

    async def send_all(self, *send_ids: str) -> list[Verdict]:
        """Several at once."""
        return list(await asyncio.gather(*(self.send(send_id) for send_id in send_ids)))

    async def until(self, is_so: Callable[[], bool]) -> None:
        """Wait for it, in steps of a tenth of a second."""
        while not is_so():  # noqa: ASYNC110 - time is not real
            await asyncio.sleep(0.1)
