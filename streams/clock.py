"""The wall clock, as Kafka and our records tell the time."""

import time


def now_ms() -> int:
    """Unix milliseconds."""
    return time.time_ns() // 1_000_000
