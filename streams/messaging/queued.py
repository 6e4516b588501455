"""`QueuedMessaging`: publishing for asyncio; many tasks at once share one producer, and wait without a thread each."""

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from functools import partial
from types import TracebackType
from typing import Any, Self

from schemas.errors import ConfigError, StreamsError
from streams.messaging.checks import check
from streams.messaging.deadlines import Deadlines
from streams.messaging.drafts import Draft
from streams.messaging.queued_verbs import ROOM_POLL_S, QueuedVerbs, not_in_time
from streams.messaging.record_writer import Outcome, RecordWriter, Written, open_writer, unconfirmed

Confirmation = asyncio.Future[Written]


class QueuedMessaging(QueuedVerbs[Coroutine[Any, Any, Written]]):
    """An async context manager for one event loop; leaving it waits until every record is confirmed or given up.

    A caller that is cancelled while it waits does not take its record back.
    """

    _writer: RecordWriter[Confirmation] | None = None
    _in_line = 0

    async def __aenter__(self) -> Self:
        """Open the producer; Kafka is asked for nothing yet."""
        self._loop = loop = asyncio.get_running_loop()
        self._line = asyncio.Lock()
        self._deadlines = Deadlines(self._timeout_s, partial(unconfirmed, self._timeout_s))

        def hear(heard: Sequence[tuple[Confirmation, Outcome]]) -> None:
            loop.call_soon_threadsafe(_resolve, heard)  # once for all of them

        self._writer = open_writer(self._settings, timeout_s=self._timeout_s, hear=hear)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Flush; what is said from now on is refused."""
        if self._writer:
            self._writer.begin_to_close()
            await asyncio.to_thread(self._writer.close)

    def _enqueue(self, operation: str, draft: Callable[[], Draft]) -> Coroutine[Any, Any, Written]:
        return self._written(operation, draft)

    async def _written(self, operation: str, make: Callable[[], Draft]) -> Written:
        with self._watch.operation(operation):
            writer = self._open_here()
            draft = make()
            check(draft)
            confirmation: Confirmation = self._loop.create_future()
            may_go = not self._in_line and writer.topics.is_known(draft.topic)
            if not (may_go and writer.write(draft, confirmation)):
                return await self._written_in_turn(writer, draft, confirmation)
            self._deadlines.begin(confirmation)
            try:
                return await confirmation
            finally:
                self._deadlines.end(confirmation)

    def _open_here(self) -> RecordWriter[Confirmation]:
        if self._writer is None:
            raise ConfigError("the queue is not entered: use it within `async with`")
        self._writer.insist_on_open()
        if asyncio.get_running_loop() is not self._loop:
            raise ConfigError("the queue was entered in another event loop: each loop needs one of its own")
        return self._writer

    async def _written_in_turn(
        self, writer: RecordWriter[Confirmation], draft: Draft, confirmation: Confirmation
    ) -> Written:
        is_written = False
        try:
            async with asyncio.timeout(self._timeout_s):
                await self._write_in_turn(writer, draft, confirmation)
                is_written = True
                return await confirmation
        except TimeoutError:
            if is_written:
                raise unconfirmed(self._timeout_s) from None
            raise not_in_time(draft, self._timeout_s, is_known=writer.topics.is_known(draft.topic)) from None

    async def _write_in_turn(
        self, writer: RecordWriter[Confirmation], draft: Draft, confirmation: Confirmation
    ) -> None:
        """First come, first written, while a topic is looked for or room is waited for: so persons keep their order."""
        self._in_line += 1
        try:
            async with self._line:
                writer.insist_on_open()
                if not writer.topics.is_known(draft.topic):
                    await asyncio.wrap_future(writer.topics.ask(draft.topic))
                while not writer.write(draft, confirmation):  # noqa: ASYNC110 - the room is librdkafka's to make
                    await asyncio.sleep(ROOM_POLL_S)
        finally:
            self._in_line -= 1


def _resolve(heard: Sequence[tuple[Confirmation, Outcome]]) -> None:
    for confirmation, outcome in heard:
        if confirmation.done():
            continue  # its caller was cancelled, or its time was up
        if isinstance(outcome, StreamsError):
            confirmation.set_exception(outcome)
        else:
            confirmation.set_result(outcome)
