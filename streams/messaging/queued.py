"""`QueuedMessaging`: publishing for asyncio; many tasks at once share one producer, and wait without a thread each."""

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from types import TracebackType
from typing import Any, Self

from schemas.errors import StreamsError
from streams.messaging.checks import check
from streams.messaging.drafts import Draft
from streams.messaging.queued_verbs import ROOM_POLL_S, QueuedVerbs, not_in_time
from streams.messaging.record_writer import Outcome, RecordWriter, Written, open_writer

Confirmation = asyncio.Future[Written]


class QueuedMessaging(QueuedVerbs[Coroutine[Any, Any, Written]]):
    """An async context manager; leaving it waits until every record is confirmed or given up.

    A caller that is cancelled while it waits does not take its record back.
    """

    _writer: RecordWriter[Confirmation] | None = None
    _in_line = 0

    async def __aenter__(self) -> Self:
        """Open the producer; Kafka is asked for nothing yet."""
        loop = asyncio.get_running_loop()
        self._line = asyncio.Lock()

        def hear(heard: Sequence[tuple[Confirmation, Outcome]]) -> None:
            loop.call_soon_threadsafe(_resolve, heard)  # once for all of them

        self._writer = open_writer(self._settings, timeout_s=self._timeout_s, hear=hear)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Flush."""
        if self._writer:
            await asyncio.to_thread(self._writer.close)

    def _enqueue(self, operation: str, draft: Callable[[], Draft]) -> Coroutine[Any, Any, Written]:
        return self._written(operation, draft)

    async def _written(self, operation: str, make: Callable[[], Draft]) -> Written:
        assert self._writer is not None, "the queue is not entered"  # noqa: S101 - a mistake of the caller's
        with self._watch.operation(operation):
            draft = make()
            check(draft)
            confirmation: Confirmation = asyncio.get_running_loop().create_future()
            may_go = not self._in_line and self._writer.is_known(draft.topic)
            if not (may_go and self._writer.write(draft, confirmation)):
                await self._write_in_turn(self._writer, draft, confirmation)
            return await confirmation

    async def _write_in_turn(
        self, writer: RecordWriter[Confirmation], draft: Draft, confirmation: Confirmation
    ) -> None:
        """First come, first written, while a topic is looked for or room is waited for: so persons keep their order."""
        self._in_line += 1
        try:
            async with asyncio.timeout(self._timeout_s), self._line:
                if not writer.is_known(draft.topic):
                    await asyncio.to_thread(writer.learn, draft.topic)
                while not writer.write(draft, confirmation):  # noqa: ASYNC110 - the room is librdkafka's to make
                    await asyncio.sleep(ROOM_POLL_S)
        except TimeoutError:
            raise not_in_time(draft, self._timeout_s, is_known=writer.is_known(draft.topic)) from None
        finally:
            self._in_line -= 1


def _resolve(heard: Sequence[tuple[Confirmation, Outcome]]) -> None:
    for confirmation, outcome in heard:
        if confirmation.done():
            continue  # its caller was cancelled
        if isinstance(outcome, StreamsError):
            confirmation.set_exception(outcome)
        else:
            confirmation.set_result(outcome)
