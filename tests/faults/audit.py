"""Holds the traces against the reference; every violation names a place or a person's id, never content."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import orjson

from tests.faults.audit_events import audit_events
from tests.faults.audit_letters import audit_letters
from tests.faults.evidence import Output, SandboxTraces
from tests.faults.order import Arrival, check_order
from tests.faults.publisher import Place, Published
from tests.faults.reference import Person
from tests.faults.traffic import CHANGES

NOT_APPLIED: Final = ("conflict", "repeated")


@dataclass(slots=True, kw_only=True)
class Traces:
    """All that a run has left behind; `results` are in the order of their topic."""

    published: Sequence[Published]
    results: Sequence[Output]
    letters: Sequence[Output]
    sandbox: SandboxTraces


@dataclass(slots=True, kw_only=True)
class Findings:
    """What the audit says."""

    violations: list[str] = field(default_factory=list)
    outcomes: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    repeated_operations: int = 0
    stale: list[int] = field(default_factory=list)


def audit(traces: Traces) -> Findings:
    """Look at everything."""
    findings = Findings()
    results, doubles = _by_source(traces.results)
    findings.violations += doubles
    for result in results.values():
        findings.outcomes[result["outcome"]] += 1
    findings.violations += _audit_presence(traces, results)
    people = _audit_changes(traces, results, findings)
    findings.violations += audit_letters(traces.published, results, traces.letters)
    findings.violations += audit_events(traces.published, results, traces.sandbox, people)
    findings.violations += _audit_people(people, traces.sandbox)
    _audit_order(people, traces.sandbox, findings)
    return findings


def _by_source(outputs: Sequence[Output]) -> tuple[dict[Place, dict[str, Any]], list[str]]:
    found: dict[Place, dict[str, Any]] = {}
    violations = []
    for output in outputs:
        result = orjson.loads(output.value or b"{}")
        source = result["source"]
        place = Place(source["topic"], source["partition"], source["offset"])
        if place in found:
            violations.append(f"{place} has a second result, at {output.place}")
        if output.place.partition != place.partition:
            violations.append(f"{place} has its result on partition {output.place.partition}")
        found[place] = result | {"key": output.key}
    return found, violations


def _audit_presence(traces: Traces, results: dict[Place, dict[str, Any]]) -> Iterator[str]:
    sources = {record.place: record.draft for record in traces.published}
    yield from (f"{place} has no result" for place in sorted(sources.keys() - results.keys()))
    yield from (f"{place} has a result but was never published" for place in sorted(results.keys() - sources.keys()))
    for place in sources.keys() & results.keys():
        result, draft = results[place], sources[place]
        if result["key"] != draft.key or result["source"]["timestamp_ms"] != draft.timestamp_ms:
            yield f"{place}: its result has another key or timestamp"
        if (result["outcome"] == "dead") != draft.is_malformed:
            yield f"{place}: outcome {result['outcome']}, reason {result['reason']}, detail {result['detail']}"
        if (result["outcome"] == "delivered") != (result["attempts"] > 0 and result["status"] == 200):
            yield f"{place}: {result['outcome']} with status {result['status']} after {result['attempts']} attempts"


def _audit_changes(traces: Traces, results: dict[Place, dict[str, Any]], findings: Findings) -> dict[str, Person]:
    people: dict[str, Person] = defaultdict(Person)
    changes = [
        record for record in traces.published if record.place.topic.endswith(CHANGES) and not record.draft.is_malformed
    ]
    for record in sorted(changes, key=lambda record: record.place):
        draft = record.draft
        expected = people[(draft.key or b"").decode()].judge(draft.value, draft.timestamp_ms)
        result = results.get(record.place)
        if result is not None and (fault := expected.fault(result)):
            findings.violations.append(f"{record.place}: {fault}")
    return people


def _audit_people(people: dict[str, Person], sandbox: SandboxTraces) -> Iterator[str]:
    for user_id, person in people.items():
        is_out = person.is_deleted or person.is_opted_out
        shown = sandbox.people.get(user_id)
        if is_out != (user_id in sandbox.suppressed):
            yield f"{user_id} is {'not ' if is_out else ''}suppressed at the sandbox"
        if is_out and shown is not None:
            yield f"{user_id} is still there at the sandbox"
        if person.is_known and (shown is None or shown["attributes"] != person.shown):
            yield f"{user_id} differs at the sandbox: {_differing(person, shown)}"


def _differing(person: Person, shown: dict[str, Any] | None) -> str:
    if shown is None:
        return "there is no such person"
    actual, expected = shown["attributes"], person.shown
    return ", ".join(sorted(name for name in actual.keys() | expected.keys() if actual.get(name) != expected.get(name)))


def _audit_order(people: dict[str, Person], sandbox: SandboxTraces, findings: Findings) -> None:
    arrivals: dict[str, list[Arrival]] = defaultdict(list)
    for entry in sandbox.log:
        if entry["why"] in NOT_APPLIED and entry["action"] != "event":
            findings.violations.append(f"log line {entry['seq']} was ignored by the sandbox: {entry['why']}")
        if entry["type"] == "person" and entry["action"] != "event":
            arrivals[entry["identifier"]["id"]].append(_arrival(entry))
    for user_id in arrivals.keys() | people.keys():
        sends = people[user_id].sends if user_id in people else []
        verdict = check_order(sends, arrivals[user_id])
        findings.repeated_operations += verdict.repeats
        findings.stale += verdict.stale
        findings.violations += [f"{user_id}: log line {seq} came after a newer operation" for seq in verdict.stale]
        if verdict.violation:
            findings.violations.append(f"{user_id}: {verdict.violation}")


def _arrival(entry: dict[str, Any]) -> Arrival:
    return Arrival(
        seq=entry["seq"],
        action=entry["action"],
        attributes=entry.get("attributes", {}),
        timestamp=entry["timestamp"],
        why_ignored=entry["why"],
    )
