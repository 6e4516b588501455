"""One run of the fault test: publish, make trouble, let it drain, stop everything, audit."""

import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import orjson
from confluent_kafka import TopicPartition

from streams.audit.audit import audit as audit_topics
from streams.audit.report import as_complaint
from streams.kafka import topics
from streams.kafka.clients import connected_admin, librdkafka_config
from streams.sandbox.options import SandboxOptions
from streams.sandbox.serve import running_sandbox
from streams.settings import Settings
from tests.faults.audit import Traces, audit
from tests.faults.chaos import Chaos
from tests.faults.evidence import Output, committed, end_of, read_committed, read_sandbox
from tests.faults.fleet import Fleet
from tests.faults.publisher import Publisher
from tests.faults.traffic import CHANGES, EVENTS, Traffic
from tests.integration.worker_process import environment

WORKERS: Final = 4
TURN_S: Final = 0.1
DRAIN_POLL_S: Final = 0.5
REQUEST_TIMEOUT_S: Final = 3.0
PAST_S: Final = 100_000  # the records' times begin so long ago, and grow by a second with each record of a person


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """How large a run is: `chaos_s` of trouble while `records` are published, then up to `drain_s_max` of peace."""

    seed: int = 1
    records: int = 20_000
    persons: int = 3_000
    partitions: int = 6
    chaos_s: float = 45.0
    drain_s_max: float = 90.0
    folder: Path | None = None  # keeps the workers' logs and the sandbox's


@dataclass(slots=True, kw_only=True)
class Report:
    """What a run has shown."""

    figures: dict[str, object] = field(default_factory=dict)
    signals: dict[str, int] = field(default_factory=dict)
    violations: list[str] = field(default_factory=list)


def run(plan: Plan, *, bootstrap: str) -> Report:
    """Run once; topics and group are of this run alone."""
    name = f"faults-{plan.seed}-{time.time_ns()}"
    settings = Settings(
        kafka_bootstrap_servers=bootstrap,
        app_id=name,
        topic_prefix=f"{name}.",
        topic_partitions=plan.partitions,
    )
    with (
        _topics(settings),
        running_sandbox(SandboxOptions(keep_log=True)) as url,
        _fleet(settings, url, plan.folder) as fleet,
    ):
        return _Run(plan, settings, fleet, url).run()


@contextmanager
def _topics(settings: Settings) -> Iterator[None]:
    admin = connected_admin(settings)
    topics.create(admin, settings)
    try:
        yield
    finally:
        ours = [name for name in admin.list_topics(timeout=10).topics if name.startswith(settings.topic_prefix)]
        for future in admin.delete_topics(ours).values():
            future.result()


@contextmanager
def _fleet(settings: Settings, sandbox_url: str, kept: Path | None) -> Iterator[Fleet]:
    own = environment(
        settings,
        sandbox_url,
        REQUEST_TIMEOUT_S=str(REQUEST_TIMEOUT_S),
        RETRY_BACKOFF_S="0.2",
        RETRY_ATTEMPTS="10",  # the weather changes within seconds here: three or five failures tell nothing of a record
    )
    with tempfile.TemporaryDirectory(prefix="cio-faults-") as folder:
        fleet = Fleet(
            environment=own,
            folder=kept or Path(folder),
            drain_s=settings.drain_s,
        )
        try:
            yield fleet
        finally:
            fleet.abandon()


class _Run:
    def __init__(self, plan: Plan, settings: Settings, fleet: Fleet, sandbox_url: str) -> None:
        self._plan = plan
        self._settings = settings
        self._fleet = fleet
        self._sandbox_url = sandbox_url
        self._kafka: dict[str, Any] = librdkafka_config(settings)
        traffic = Traffic(seed=plan.seed, persons=plan.persons, base_s=int(time.time()) - PAST_S)
        self._publisher = Publisher(
            self._kafka,
            traffic.records(plan.records),
            rate_per_s=plan.records / plan.chaos_s,
            topic=settings.topic,
        )
        self._report = Report()

    def run(self) -> Report:
        started = time.monotonic()
        for _ in range(WORKERS):
            self._fleet.start()
        self._make_trouble()
        troubled = time.monotonic()
        self._drain()
        drained = time.monotonic()
        self._fleet.close()
        self._audit()
        self._report.violations[:0] = self._publisher.failures + self._fleet.violations
        self._report.figures |= {
            "seconds of trouble": round(troubled - started, 1),
            "seconds to drain": round(drained - troubled, 1),
            "seconds in all": round(time.monotonic() - started, 1),
        }
        return self._report

    def _make_trouble(self) -> None:
        chaos = Chaos(self._fleet, sandbox_url=self._sandbox_url, seed=self._plan.seed)
        self._publisher.start()
        ends_at = time.monotonic() + self._plan.chaos_s
        while time.monotonic() < ends_at or not self._publisher.is_done:
            chaos.turn()
            time.sleep(TURN_S)
        chaos.end()

    def _drain(self) -> None:
        """Wait until the group has committed everything."""
        places = [
            (self._settings.topic(topic), partition)
            for topic in (CHANGES, EVENTS)
            for partition in range(self._plan.partitions)
        ]
        ends = {place: end_of(self._kafka, TopicPartition(*place)) for place in places}
        deadline = time.monotonic() + self._plan.drain_s_max
        left = places
        while left and time.monotonic() < deadline:
            time.sleep(DRAIN_POLL_S)
            self._fleet.sweep()
            found = committed(self._kafka, self._settings.app_id, left)
            left = [place for place in left if found[place] < ends[place]]
        self._report.violations += [f"{topic}/{partition} was not drained" for topic, partition in left]

    def _audit(self) -> None:
        traces = Traces(
            published=self._publisher.published,
            results=list(self._outputs("customerio-results")),
            letters=list(self._outputs("customerio-dlq")),
            sandbox=read_sandbox(self._sandbox_url),
        )
        findings = audit(traces)
        if self._plan.folder:
            self._keep(self._plan.folder, traces, findings.stale)
        self._report.violations += findings.violations + self._unproven(len(traces.published))
        summary, counts = traces.sandbox.summary, self._fleet.counts
        self._report.signals = {f"{name} of workers": counts[name] for name in ("kills", "stops", "pauses")}
        self._report.figures |= {
            "seed": self._plan.seed,
            "records published": len(traces.published),
            "workers started": counts["starts"],
            **self._report.signals,
            "slowest stop, seconds": round(self._fleet.slowest_stop_s, 1),
            "results": len(traces.results),
            **{f"  {outcome}": count for outcome, count in sorted(findings.outcomes.items())},
            "dead letters": len(traces.letters),
            "requests": sum(summary["requests"].values()),
            "faults": sum(summary["faults"].values()),
            "operations applied": len(traces.sandbox.log),
            "  of which user changes again": findings.repeated_operations,
            "  of which stale": len(findings.stale),
            "  of which events again": summary["repeated_events"],
        }

    def _unproven(self, published: int) -> list[str]:
        """What the product's own audit has against it."""
        found = audit_topics(self._settings, [CHANGES, EVENTS])
        said = [] if found.is_proven else [f"cio-streams audit: {as_complaint(found)}"]
        seen = found.total.inputs
        return said if seen == published else [*said, f"cio-streams audit has seen {seen} of {published} records"]

    def _keep(self, folder: Path, traces: Traces, stale: list[int]) -> None:
        lines = [orjson.dumps(line | {"stale": line["seq"] in stale}) for line in traces.sandbox.log]
        (folder / "sandbox.jsonl").write_bytes(b"\n".join(lines))
        (folder / "signals.txt").write_text("\n".join(self._fleet.told))
        (folder / "violations.txt").write_text("\n".join(self._report.violations))

    def _outputs(self, topic: str) -> Iterator[Output]:
        return read_committed(self._kafka, self._settings.topic(topic), self._plan.partitions)
