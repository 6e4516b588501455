"""Audits domain events: each distinct one delivered once and counted once, in its person's order.

Both topics run side by side, so for a person who was ever deleted or opted out an event may have been sent or skipped.
"""

import json
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any, Final

from tests.faults.evidence import SandboxTraces
from tests.faults.publisher import Place, Published
from tests.faults.reference import Person, unix_ms
from tests.faults.traffic import EVENTS

_OUT: Final = "suppressed"


@dataclass(slots=True, kw_only=True)
class _Event:
    """A distinct event and its records, in topic order."""

    person: str
    contents: list[tuple[str, object, int]] = field(default_factory=list)
    results: list[tuple[Place, dict[str, Any]]] = field(default_factory=list)


def audit_events(
    published: Sequence[Published],
    results: Mapping[Place, dict[str, Any]],
    sandbox: SandboxTraces,
    people: Mapping[str, Person],
) -> Iterator[str]:
    """Yield every violation."""
    events = _distinct(published, results)
    arrived: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for entry in sandbox.log:
        if entry["action"] == "event":
            arrived[entry["id"]].append(entry)
    known: dict[str, _Event] = {}
    for event in events:
        is_steady = event.person not in people or not people[event.person].was_ever_out
        ids = {result["event_id"] for _, result in event.results}
        if len(ids) != 1:
            yield f"{event.results[0][0]}: its repeats have {len(ids)} different event ids"
        for event_id in ids & known.keys():
            yield f"{event.results[0][0]}: has the event id of another event, at {known[event_id].results[0][0]}"
        known.update(dict.fromkeys(ids, event))
        yield from _audit_outcomes(event, is_steady=is_steady)
        yield from _audit_arrivals(event, [entry for each in ids for entry in arrived[each]], is_steady=is_steady)
    yield from (f"log line {arrived[each][0]['seq']}: unknown event" for each in arrived.keys() - known.keys())
    steady = [event for event in events if event.person not in people or not people[event.person].was_ever_out]
    yield from _audit_order(steady, arrived)


def _distinct(published: Sequence[Published], results: Mapping[Place, dict[str, Any]]) -> list[_Event]:
    events: dict[tuple[object, ...], _Event] = {}
    for record in sorted(published, key=lambda record: record.place):
        draft = record.draft
        if not record.place.topic.endswith(EVENTS) or draft.is_malformed or record.place not in results:
            continue
        said = json.loads(draft.value or b"")
        time_ms = unix_ms(said["occurred_at"]) if "occurred_at" in said else draft.timestamp_ms
        person = said.get("user_id") or f"anonymous {said['anonymous_id']}"
        what = said["id"] if "id" in said else (time_ms, json.dumps(said["data"], sort_keys=True))
        event = events.setdefault((person, said["name"], what), _Event(person=person))
        event.contents.append((said["name"], said["data"], time_ms // 1000))
        event.results.append((record.place, results[record.place]))
    return list(events.values())


def _audit_outcomes(event: _Event, *, is_steady: bool) -> Iterator[str]:
    """Delivered once, skipped at most before or after, a duplicate only after."""
    is_delivered = False
    for place, result in event.results:
        outcome = result["outcome"]
        allowed = {"duplicate"} if is_delivered else {"delivered"}
        if outcome not in (allowed if is_steady else allowed | {"skipped"}):
            yield f"{place}: {outcome}, expected {' or '.join(allowed)}"
        is_delivered |= outcome == "delivered"


def _audit_arrivals(event: _Event, entries: Sequence[dict[str, Any]], *, is_steady: bool) -> Iterator[str]:
    place = event.results[0][0]
    counted = sum(entry["why"] is None for entry in entries)
    is_delivered = any(result["outcome"] == "delivered" for _, result in event.results)
    if counted > 1:
        yield f"{place}: counted {counted} times at the sandbox"
    if is_delivered and not counted and (is_steady or not any(entry["why"] == _OUT for entry in entries)):
        yield f"{place}: delivered, but never applied at the sandbox"
    for entry in entries:
        if (entry["name"], entry.get("attributes", {}), entry["timestamp"]) not in event.contents:
            yield f"{place}: log line {entry['seq']} says something else"


def _audit_order(events: Sequence[_Event], arrived: Mapping[str, list[dict[str, Any]]]) -> Iterator[str]:
    """Of one person who never was out, events arrive first in the order of the records that delivered them.

    Of others an event may be skipped, and delivered when its chunk comes again after the person's return.
    """
    by_person: dict[str, list[tuple[Place, int]]] = defaultdict(list)
    for event in events:
        for place, result in event.results:
            entries = arrived.get(result["event_id"])
            if result["outcome"] == "delivered" and entries:
                by_person[event.person].append((place, entries[0]["seq"]))
    for person, pairs in by_person.items():
        places = sorted(pairs)
        for (before, earlier), (after, later) in pairwise(places):
            if later < earlier:
                yield f"{after} of {person} reached the sandbox before {before}"
