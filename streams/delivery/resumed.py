"""What a worker knows of the topics that operators have resumed: asks only when something is held, once for all lanes.

Never fails: when Kafka does not tell, it is asked again later.
"""

import asyncio
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Protocol

import structlog

from schemas.errors import StreamsError
from streams.clock import now_ms

FRESH_S = 1.0  # lanes that ask together share an answer
ANSWER_S_MAX = 20.0  # beyond what the reader's own limits add up to

log = structlog.get_logger()


class Resumes(Protocol):
    """What operators have said."""

    def read(self) -> Mapping[str, int]:
        """Until when (unix milliseconds) each topic (full name) is resumed; blocking, in one thread at a time.

        Raises:
            StreamsError: it cannot be read now.
        """


class Resumed:
    """`clock_ms` is the wall clock: what operators say is in its time."""

    def __init__(self, resumes: Resumes, *, clock_ms: Callable[[], int] = now_ms) -> None:
        self._resumes = resumes
        self._clock_ms = clock_ms
        self._until_ms: Mapping[str, int] = {}
        self._looked_s = -FRESH_S
        self._said = ""
        self._looking = asyncio.Lock()
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="resumed")

    def is_resumed(self, topic: str) -> bool:
        """Whether this topic's dead letters may be written now, as far as is known."""
        return self._clock_ms() < self._until_ms.get(topic, 0)

    async def look(self) -> None:
        """Read what operators have said, unless somebody has just done so."""
        loop = asyncio.get_running_loop()
        async with self._looking:
            if loop.time() - self._looked_s < FRESH_S:
                return
            try:
                async with asyncio.timeout(ANSWER_S_MAX):
                    self._until_ms = await loop.run_in_executor(self._thread, self._resumes.read)
            except (StreamsError, TimeoutError) as error:
                self._complain(str(error) or "Kafka does not answer")
            else:
                self._said = ""
            self._looked_s = loop.time()

    def _complain(self, text: str) -> None:
        if text != self._said:
            log.warning("whether a topic is resumed cannot be read, asking again", error=text)
        self._said = text

    def close(self) -> None:
        """Give up what is still being read."""
        self._thread.shutdown(wait=False, cancel_futures=True)
