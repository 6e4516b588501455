"""The baseline: the same records through a plain Faust agent, and how many times as fast as that we are."""

import time
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import Final

from tests.bench.api import Api
from tests.bench.broker import Broker
from tests.bench.child import Child
from tests.bench.errors import BenchError
from tests.bench.full_load import LATENCY_MS, PARTITIONS, PER_CPU_S, PER_S, RECORDS_PER_USER
from tests.bench.load import user_changes
from tests.bench.report import Figure, Report
from tests.bench.stage import cpu_s, staged

SCRIPT: Final = Path(__file__).with_name("plain_faust.py")
RECORDS_MAX: Final = 4_000  # at a request each, 20 ms and four partitions it makes 200 a second
LOOK_S: Final = 0.1
FIRST_S_MAX: Final = 60.0
STILL_S_MAX: Final = 30.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """How many requests were made at a moment; each is one record."""

    requests: int
    at_s: float
    cpu_s: float


def measure(broker: Broker, records: int) -> Report:
    """Work off the first of the full load's records."""
    count = min(records, RECORDS_MAX)
    users = max(1, records // RECORDS_PER_USER)
    with staged(broker, partitions=PARTITIONS, latency_ms=LATENCY_MS) as stage:
        stage.publisher.publish(islice(user_changes(users=users), count))
        arguments = ["-P", str(SCRIPT), "--datadir", str(stage.folder), "worker", "--loglevel", "warn"]
        with Child("plain-faust", arguments, folder=stage.folder, environment=stage.environment()) as agent:
            begin = _follow(agent, stage.api, until=1, patience_s=FIRST_S_MAX)
            end = _follow(agent, stage.api, until=count, patience_s=STILL_S_MAX)
            peak_mb = agent.peak_mb()
    done, cpu = end.requests - begin.requests, end.cpu_s - begin.cpu_s
    figures = (
        Figure(name=PER_S, value=done / (end.at_s - begin.at_s)),
        Figure(name=PER_CPU_S, value=done / max(0.01, cpu)),
        Figure(name="CPU s per 1,000 records, worker", value=cpu * 1000 / done, digits=4),
        Figure(name="peak memory, MB", value=peak_mb),
    )
    how = (
        f"a plain Faust agent, one event and one request at a time in each partition; the first {count:,} of the"
        f" full load's records, {PARTITIONS} partitions, API {LATENCY_MS} ms"
    )
    return Report(part="baseline", how=how, figures=figures)


def _follow(agent: Child, api: Api, *, until: int, patience_s: float) -> Look:
    moved_at, known = time.monotonic(), 0
    while True:
        agent.insist_on_life()
        requests = api.received().requests
        if requests >= until:
            return Look(requests=requests, at_s=time.monotonic(), cpu_s=cpu_s(agent.measured))
        if requests > known:
            moved_at, known = time.monotonic(), requests
        if time.monotonic() - moved_at > patience_s:
            raise BenchError(f"the plain agent has made {requests} of {until} requests and goes no further")
        time.sleep(LOOK_S)


def compared(baseline: Report, ours: Report) -> Report:
    """Give the baseline's report with the ratios of our full load to it."""
    ratios = []
    for name in (PER_S, PER_CPU_S):
        plain, own = baseline.value(name), ours.value(name)
        if plain and own:
            ratios.append(Figure(name=f"ours to this: {name}", value=own / plain, digits=1))
    return replace(baseline, figures=(*baseline.figures, *ratios))
