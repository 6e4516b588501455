"""A real worker as a process to start and to ask: is it ready, what do its metrics say."""

import time
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from prometheus_client.parser import text_string_to_metric_families

from tests.bench.answers import ask
from tests.bench.child import Child
from tests.bench.errors import BenchError

START_S_MAX: Final = 30.0
READY_S_MAX: Final = 120.0
READY_POLL_S: Final = 0.05


class Worker(Child):
    """`python -m streams worker`, just started; its environment asks for a free `HTTP_PORT` and logs in JSON."""

    _port = 0

    def __init__(self, *, number: int, folder: Path, environment: Mapping[str, str]) -> None:
        super().__init__(f"worker-{number}", ["-m", "streams", "worker"], folder=folder, environment=environment)

    @property
    def port(self) -> int:
        """Where it answers, once it does."""
        self._port = self._port or int(self.wait_for_line(r'"url": "http://127\.0\.0\.1:(\d+)"', seconds=START_S_MAX))
        return self._port

    def wait_until_ready(self) -> float:
        """Return once it has its assignment and its ledger, and how many seconds after its start that is."""
        while not self._is_ready():
            self.insist_on_life()
            if time.monotonic() - self.started_at > READY_S_MAX:
                raise BenchError(f"{self.name} is not ready after {READY_S_MAX:.0f} s")
            time.sleep(READY_POLL_S)
        return time.monotonic() - self.started_at

    def _is_ready(self) -> bool:
        try:
            status, _ = ask(self.port, "/readyz")
        except OSError:
            return False
        return status == 200

    def metrics(self) -> dict[str, float]:
        """Every metric by its name, summed over its labels; this costs the worker 2 ms, so ask seldom."""
        self.insist_on_life()
        _, page = ask(self.port, "/metrics")
        sums: dict[str, float] = {}
        for family in text_string_to_metric_families(page.decode()):
            for sample in family.samples:
                if not sample.name.endswith("_bucket"):
                    sums[sample.name] = sums.get(sample.name, 0.0) + sample.value
        return sums

    def concluded(self) -> int:
        """How many records it has concluded."""
        return int(self.metrics().get("cio_records_total", 0))
