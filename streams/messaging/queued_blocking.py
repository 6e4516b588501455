"""`BlockingQueuedMessaging`: publishing for code without asyncio; many threads at once share one producer."""

import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from types import TracebackType
from typing import Self

from schemas.errors import ConfigError, StreamsError
from streams.messaging.checks import check
from streams.messaging.drafts import Draft
from streams.messaging.queued_verbs import ROOM_POLL_S, QueuedVerbs, not_in_time
from streams.messaging.record_writer import Outcome, RecordWriter, Written, open_writer, unconfirmed

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
        """Flush; what is said from now on is refused."""
        if self._writer:
            self._writer.close()

    def _enqueue(self, operation: str, draft: Callable[[], Draft]) -> Written:
        with self._watch.operation(operation):
            if self._writer is None:
                raise ConfigError("the queue is not entered: use it within `with`")
            self._writer.insist_on_open()
            made = draft()
            check(made)
            until_s = time.monotonic() + self._timeout_s
            confirmation, topics = Confirmation(), self._writer.topics
            try:
                if not topics.is_known(made.topic):
                    topics.ask(made.topic).result(_left_s(until_s))
                while not self._writer.write(made, confirmation):
                    time.sleep(min(ROOM_POLL_S, _left_s(until_s)))
            except TimeoutError:
                raise not_in_time(made, self._timeout_s, is_known=topics.is_known(made.topic)) from None
            try:
                return confirmation.result(max(0.0, until_s - time.monotonic()))
            except TimeoutError:
                raise unconfirmed(self._timeout_s) from None


def _left_s(until_s: float) -> float:
    left_s = until_s - time.monotonic()
    if left_s <= 0:
        raise TimeoutError
    return left_s


def _resolve(heard: Sequence[tuple[Confirmation, Outcome]]) -> None:
    for confirmation, outcome in heard:
        if isinstance(outcome, StreamsError):
            confirmation.set_exception(outcome)
        else:
            confirmation.set_result(outcome)
