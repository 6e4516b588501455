"""The receiver of Customer.io's reporting webhooks, as an ASGI application: what is answered, and what is stored.

After a 400, 401, 404, 405 or 500 Customer.io waits an hour and holds back all that comes later; after a 503 it
soon tries again. So whatever it has signed is taken, and nothing that it could send ever blocks the line:

| what comes | answer | stored |
|---|---|---|
| signed, and confirmed by Kafka on all replicas | 200 | byte for byte |
| the same, at another time than now (`WEBHOOK_TOLERANCE_S`), or an unreadable one | 200 | with `cio.stale` |
| the same, no JSON object, compressed, or without an event id | 200 | with `cio.fault` `not_understood` |
| the same, over `WEBHOOK_BODY_MAX_BYTES` or over what the topic takes | 200 | its beginning, `cio.fault` `too_large` |
| signed, but Kafka has not confirmed it within `CONFIRM_S`, or is not found yet | 503 | perhaps; it comes again |
| more at once than there is room for | 503 | no |
| larger than is kept, just when a signing key was changed | 503 | no |
| no signature, a wrong, cut or repeated one, no timestamp | 401 | no |
| another method than POST | 405 | no |

Content type and length do not matter; the signature does.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, MutableMapping, Sequence
from typing import Any, Final, Protocol, TypeAlias

import structlog

from streams.webhooks.body import Body, Receive, discard
from streams.webhooks.observe import Observer
from streams.webhooks.records import Draft, Drafting, Drafts
from streams.webhooks.room import Room
from streams.webhooks.signatures import SIGNATURE_HEADER, TIMESTAMP_HEADER, SigningKeys, may_be_signature
from streams.webhooks.writer import Outcome

PATH: Final = "/webhooks/customerio"
CONFIRM_S: Final = 3.0
"""From a request's arrival: Customer.io gives up after four seconds, and the answer has to travel."""

TAKEN, UNSIGNED, NOT_POST, NOT_NOW = 200, 401, 405, 503

Scope: TypeAlias = MutableMapping[str, Any]
Send: TypeAlias = Callable[[MutableMapping[str, Any]], Awaitable[None]]

log = structlog.get_logger()


class ConfirmedWriter(Protocol):
    """What the receiver needs of Kafka."""

    async def write(self, records: Sequence[Draft], *, deadline_s: float) -> Outcome:
        """Write the records of one webhook, and say what became of them by the loop's time `deadline_s`."""


class Receiver:
    """Answers one webhook at a time as its caller asks; `open` gives it the writer once Kafka is known."""

    def __init__(
        self,
        keys: SigningKeys,
        drafting: Drafting,
        *,
        tolerance_s: float,
        body_bytes_max: int,
        room: Room,
        observer: Observer,
        wall_clock: Callable[[], float] = time.time,
    ) -> None:
        self._keys = keys
        self._drafting = drafting
        self._tolerance_s = tolerance_s
        self._body_bytes_max = body_bytes_max
        self._room = room
        self._observer = observer
        self._wall_clock = wall_clock
        self._writer: ConfirmedWriter | None = None

    def open(self, writer: ConfirmedWriter) -> None:
        """From now on webhooks can be written."""
        self._writer = writer

    @property
    def is_open(self) -> bool:
        """Whether they can."""
        return self._writer is not None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request; ASGI."""
        status = await self._status(scope, receive)
        self._observer.answered(status)
        headers = [(b"content-length", b"0"), *([(b"allow", b"POST")] if status == NOT_POST else ())]
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": b""})

    async def _status(self, scope: Scope, receive: Receive) -> int:
        arrived_s = asyncio.get_running_loop().time()
        if scope["method"] != "POST":
            await discard(receive)
            return NOT_POST
        signature = _only(scope["headers"], SIGNATURE_HEADER)
        timestamp = _only(scope["headers"], TIMESTAMP_HEADER)
        if signature is None or timestamp is None or not may_be_signature(signature):
            await discard(receive)
            self._observer.forged()
            return UNSIGNED
        body = Body(self._room, bytes_max=self._body_bytes_max)
        try:
            return await self._judge(body, receive, signature=signature, timestamp=timestamp, arrived_s=arrived_s)
        except Exception as error:  # noqa: BLE001 - a server's edge: 503 comes again soon, 500 in an hour
            log.error("a webhook could not be handled", error=type(error).__name__)  # noqa: TRY400 - its text may quote
            self._observer.refused("unforeseen")
            return NOT_NOW
        finally:
            body.let_go()

    async def _judge(
        self, body: Body, receive: Receive, *, signature: bytes, timestamp: bytes, arrived_s: float
    ) -> int:
        verification = self._keys.begin(timestamp)
        await body.read(receive, verification)
        if body.is_gone:
            return NOT_NOW  # to nobody
        if not verification.is_signed(signature) and self._keys.renewed(verification):
            if body.is_shed or body.is_too_large:
                self._observer.refused("new_key")  # nobody can say of a body that is not here as a whole
                return NOT_NOW
            verification = self._keys.begin(timestamp)
            verification.add(body.kept)
        if not verification.is_signed(signature):
            self._observer.forged()
            return UNSIGNED
        if body.is_shed or not self._room.enter():
            self._observer.refused("no_room")
            return NOT_NOW
        try:
            return await self._store(body, is_stale=self._is_stale(timestamp), arrived_s=arrived_s)
        finally:
            self._room.leave()

    def _is_stale(self, timestamp: bytes) -> bool:
        try:
            return abs(self._wall_clock() - int(timestamp)) > self._tolerance_s
        except (ValueError, OverflowError):
            return True  # it is signed, so it is theirs, whenever that was

    async def _store(self, body: Body, *, is_stale: bool, arrived_s: float) -> int:
        if self._writer is None:
            self._observer.refused("starting")
            return NOT_NOW
        kept = body.kept
        make = self._drafting.draft_too_large if body.is_too_large else self._drafting.draft
        drafts, deadline_s = make(kept, is_stale=is_stale), arrived_s + CONFIRM_S
        outcome = await self._writer.write(drafts.records, deadline_s=deadline_s)
        if outcome == "too_large":
            drafts = self._drafting.draft_too_large(kept, is_stale=is_stale)
            outcome = await self._writer.write(drafts.records, deadline_s=deadline_s)
        return self._answer(outcome, drafts, is_stale=is_stale, arrived_s=arrived_s)

    def _answer(self, outcome: Outcome, drafts: Drafts, *, is_stale: bool, arrived_s: float) -> int:
        if outcome != "written":
            self._observer.refused("no_room" if outcome == "full" else "kafka")
            return NOT_NOW
        seconds = asyncio.get_running_loop().time() - arrived_s
        self._observer.written(drafts, is_stale=is_stale, seconds=seconds)
        return TAKEN


def _only(headers: Sequence[tuple[bytes, bytes]], name: bytes) -> bytes | None:
    """The header of that name; None when there is none, or several, of which nobody knows which counts."""
    found = [value for each, value in headers if each == name]
    return found[0] if len(found) == 1 else None
