"""Finds out whether topics exist before anything is written to them: a producer alone might create a missing one."""

import threading
from concurrent.futures import Future

from schemas.errors import StreamsError
from streams.kafka.clients import connected_admin
from streams.kafka.topics import require_partitions
from streams.settings import Settings


class TopicLookup:
    """Asks Kafka once for each topic (short name), however many wait; any thread may use it."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._known: set[str] = set()
        self._asking: dict[str, Future[None]] = {}
        self._door = threading.Lock()

    def is_known(self, topic: str) -> bool:
        """Whether it has been found."""
        return topic in self._known

    def ask(self, topic: str) -> Future[None]:
        """Find it in a thread of its own, which takes as long as Kafka takes; who waits may give up earlier.

        The answer is a ConfigError when it does not exist, an UnavailableError when Kafka cannot be reached.
        """
        with self._door:
            answer = self._asking.get(topic)
            if answer is None or answer.done():
                answer = self._asking[topic] = Future()
                answer.set_running_or_notify_cancel()  # from now on it cannot be cancelled: others wait for it too
                threading.Thread(target=self._find, args=(topic, answer), name="topic-lookup", daemon=True).start()
            return answer

    def _find(self, topic: str, answer: Future[None]) -> None:
        try:
            require_partitions(connected_admin(self._settings), self._settings, [topic])
            self._known.add(topic)
            answer.set_result(None)
        except StreamsError as error:
            answer.set_exception(error)
        finally:
            if not answer.done():
                answer.set_exception(AssertionError("the look-up has failed"))
