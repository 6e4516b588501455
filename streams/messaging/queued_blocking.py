"""`BlockingQueuedMessaging`: publishing for code without asyncio; many threads at once share one producer."""

import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from types import TracebackType
from typing import Self

from schemas.errors import StreamsError
from streams.messaging.checks import check
from streams.messaging.drafts import Draft
from streams.messaging.queued_verbs import ROOM_POLL_S, QueuedVerbs, not_in_time
from streams.messaging.record_writer import CLOSE_S, Outcome, RecordWriter, Written, open_writer

Confirmation = Future[Written]


class BlockingQueuedMessaging(QueuedVerbs[Written]):
    """A context manager; leaving it waits until every record is confirmed or given up. Make it after a fork."""

    _writer: RecordWriter[Confirmation] | None = None

    def __enter__(self) -> Self:
        """Open the producer; Kafka is asked for nothing yet."""
        self._writer = open_writer(self._settings, timeout_s=self._timeout_s, hear=_resolve)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Flush."""
        if self._writer:
            self._writer.close()

    def _enqueue(self, operation: str, draft: Callable[[], Draft]) -> Written:
        assert self._writer is not None, "the queue is not entered"  # noqa: S101 - a mistake of the caller's
        with self._watch.operation(operation):
            made = draft()
            check(made)
            if not self._writer.is_known(made.topic):
                self._writer.learn(made.topic)
            confirmation = Confirmation()
            until_s = time.monotonic() + self._timeout_s
            while not self._writer.write(made, confirmation):
                if time.monotonic() >= until_s:
                    raise not_in_time(made, self._timeout_s, is_known=True)
                time.sleep(ROOM_POLL_S)
            return confirmation.result(self._timeout_s + CLOSE_S)  # the producer's own deadline comes first


def _resolve(heard: Sequence[tuple[Confirmation, Outcome]]) -> None:
    for confirmation, outcome in heard:
        if isinstance(outcome, StreamsError):
            confirmation.set_exception(outcome)
        else:
            confirmation.set_result(outcome)
