"""What a worker's metrics say about its records, in the few numbers that `up` shows; reads text, asks nobody."""

from collections import Counter, deque
from dataclasses import dataclass
from typing import Final

from prometheus_client.parser import text_string_to_metric_families

RATE_WINDOW_S: Final = 10.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """Records since the worker started; `lag` are those still waiting, `per_s` is the rate of the last seconds."""

    delivered: int = 0
    duplicate: int = 0
    superseded: int = 0
    skipped: int = 0
    dead: int = 0
    lag: int = 0
    per_s: float = 0.0
    webhooks: int | None = None
    """Those that came back and are on Kafka; None where nobody receives any."""

    @property
    def concluded(self) -> int:
        """Records that have a result."""
        return self.delivered + self.duplicate + self.superseded + self.skipped + self.dead

    @property
    def records_in(self) -> int:
        """Records that have arrived, with a result or not yet."""
        return self.concluded + self.lag

    def figures(self) -> dict[str, str]:
        """Give what to show, in its order."""
        webhooks = {} if self.webhooks is None else {"webhooks": f"{self.webhooks:,}"}
        return {
            "in": f"{self.records_in:,}",
            "delivered": f"{self.delivered:,}",
            "duplicate": f"{self.duplicate:,}",
            "superseded": f"{self.superseded:,}",
            "skipped": f"{self.skipped:,}",
            "dead": f"{self.dead:,}",
            "lag": f"{self.lag:,}",
            "records/s": f"{self.per_s:,.1f}",
            **webhooks,
        }


class Meter:
    """Reads one worker's metrics again and again, and knows the rate from the last few readings."""

    def __init__(self) -> None:
        self._readings: deque[tuple[float, int]] = deque()

    def read(self, page: str, receiver_page: str | None = None, *, now_s: float) -> Summary:
        """Read a worker's metrics page fetched at `now_s`, and the webhook receiver's."""
        outcomes: Counter[str] = Counter()
        lag = 0
        for family in text_string_to_metric_families(page):
            for sample in family.samples:
                if sample.name == "cio_records_total":
                    outcomes[sample.labels["outcome"]] += int(sample.value)
                elif sample.name == "cio_lag_records":
                    lag += int(sample.value)
        per_s = self._rate(outcomes.total(), now_s=now_s)
        return Summary(
            delivered=outcomes["delivered"],
            duplicate=outcomes["duplicate"],
            superseded=outcomes["superseded"],
            skipped=outcomes["skipped"],
            dead=outcomes["dead"],
            lag=lag,
            per_s=per_s,
            webhooks=None if receiver_page is None else _webhooks(receiver_page),
        )

    def _rate(self, concluded: int, *, now_s: float) -> float:
        self._readings.append((now_s, concluded))
        while len(self._readings) > 2 and now_s - self._readings[1][0] >= RATE_WINDOW_S:  # noqa: PLR2004 - first and last
            self._readings.popleft()
        first_s, first = self._readings[0]
        return (concluded - first) / (now_s - first_s) if now_s > first_s else 0.0


def _webhooks(page: str) -> int:
    samples = (sample for family in text_string_to_metric_families(page) for sample in family.samples)
    taken = (each for each in samples if each.name == "cio_webhook_requests_total" and each.labels["status"] == "200")
    return int(sum(each.value for each in taken))
