"""The stub of Customer.io as a process to start and to ask; it knows nothing of workers."""

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tests.bench import stub
from tests.bench.answers import ask
from tests.bench.child import Child

START_S_MAX: Final = 20.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Received:
    """What has reached the stub so far."""

    requests: int
    items: int
    peak: int

    @property
    def mean_batch(self) -> float:
        """Operations in a request."""
        return self.items / max(1, self.requests)


class Api(Child):
    """One stub that answers after `latency_ms`."""

    def __init__(self, *, latency_ms: int, folder: Path) -> None:
        arguments = ["-P", stub.__file__, str(latency_ms)]  # -P: our file names must not hide the library's
        super().__init__("stub", arguments, folder=folder, environment=os.environ)
        try:
            self.port = int(self.wait_for_line(r"^(\d+)\n", seconds=START_S_MAX))
        except BaseException:
            self.end()
            raise

    @property
    def url(self) -> str:
        """Its base."""
        return f"http://127.0.0.1:{self.port}"

    def received(self) -> Received:
        """Ask it what it has counted."""
        _, body = ask(self.port, "/stats")
        counts = json.loads(body)
        return Received(requests=counts["requests"], items=counts["items"], peak=counts["peak"])
