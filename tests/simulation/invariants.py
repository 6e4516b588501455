"""What must hold of every run, whatever its seed did: each violation begins with the name of what was violated."""

import copy
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from typing import Any

from tests.faults.audit_events import audit_events
from tests.faults.audit_letters import audit_letters
from tests.faults.order import Arrival, check_order
from tests.faults.publisher import Place, Published
from tests.faults.reference import Expected, Person
from tests.faults.traffic import CHANGES
from tests.simulation.budgets import check_budgets
from tests.simulation.poison import REASONS, is_poisoned_person
from tests.simulation.replays import as_worked_on, changes_of, events_of, first_of
from tests.simulation.script import BASE_S
from tests.simulation.traces import Traces

NEVER_SENT = {"duplicate", "superseded", "skipped"}
RETRY_ATTEMPTS = 3
LATE = "reached the sandbox before"
#: What the product does not promise, or not yet; everything else is a violation.
WEAKNESSES = {
    "given up in bad weather": "while requests fail at random, a good record may fail as often as a bad one; and the "
    "region may answer while no data is taken",
}


def check(traces: Traces) -> list[str]:
    """Every violation."""
    people: dict[str, Person] = defaultdict(Person)
    return [
        *_conclusions(traces),
        *_attempts(traces),
        *_changes(traces, people),
        *_events(traces, people),
        *_replays(traces, people),
        *_letters(traces),
        *_order(traces, people),
        *_final_states(traces, people),
        *check_budgets(traces),
    ]


def _conclusions(traces: Traces) -> Iterator[str]:
    """Exactly one for each record, with the record's own key and time."""
    drafts = {each.place: each.draft for each in traces.published}
    results = traces.results
    yield from traces.doubles
    yield from (f"conclusions: {place} has none" for place in sorted(drafts.keys() - results.keys()))
    yield from (f"conclusions: {place} was never published" for place in sorted(results.keys() - drafts.keys()))
    for place in drafts.keys() & results.keys():
        result, draft = results[place], drafts[place]
        if result["key"] != draft.key or result["source"]["timestamp_ms"] != draft.timestamp_ms:
            yield f"conclusions: {place} has another key or timestamp"
        if place in traces.given_up:
            name = _named("dead letters", traces, result)
            yield f"{name}: {place} is innocent, but dead: {result['reason']}, {result['detail']}"
        if draft.is_malformed and (result["outcome"], result["reason"]) != ("dead", "malformed"):
            yield f"dead letters: {place} is malformed, but {result['outcome']}, {result['reason']}"


def _was_partly_bad(traces: Traces, result: dict[str, Any]) -> bool:
    """Whether a record may have failed again and again by no fault of its own, and others been accepted meanwhile."""
    place = Place(*(result["source"][name] for name in ("topic", "partition", "offset")))
    since_s = next(at_s for at_s, published in traces.script.records if published.place == place)
    until_s = datetime.fromisoformat(result["processed_at"]).timestamp() - BASE_S
    spells = [each for each in traces.script.weather.spells if each.since_s <= until_s and since_s <= each.until_s]
    return any(spell.is_partial for spell in spells)


def _attempts(traces: Traces) -> Iterator[str]:
    for place, result in traces.results.items():
        attempts, status, outcome = result["attempts"], result["status"], result["outcome"]
        was_sent = outcome not in NEVER_SENT and result["reason"] != "malformed"
        least = RETRY_ATTEMPTS if result["reason"] == "retries_exhausted" else 1
        if attempts < least if was_sent else (attempts, status) != (0, None):
            yield f"attempts: {place}, {outcome}, has {attempts} and status {status}"
        if outcome == "delivered" and status not in {200, 207}:
            yield f"attempts: {place} is delivered with status {status}"


def _changes(traces: Traces, people: dict[str, Person]) -> Iterator[str]:
    """What became of user changes, held against the reference."""
    victims = _victims(traces)
    concluded = {place: number for number, place in enumerate(traces.results)}
    changes = [each for each in changes_of(traces.published) if not each.draft.is_malformed]
    for each in as_worked_on(changes, concluded):
        expected = _judge(each, traces, people)
        result = traces.results[each.place]
        if (each.draft.key or b"").decode() in victims:
            continue
        if fault := expected.fault(result):
            yield f"{_named('outcomes', traces, result)}: {each.place} {fault}"


def _named(invariant: str, traces: Traces, result: dict[str, Any]) -> str:
    """Who is refused may be given up before that is known, as anybody in bad weather."""
    is_given_up = result["reason"] == "retries_exhausted" and _was_partly_bad(traces, result)
    return "given up in bad weather" if is_given_up else invariant


def _judge(each: Published, traces: Traces, people: dict[str, Person]) -> Expected:
    name = (each.draft.key or b"").decode()
    kind = traces.poison.get(each.place)
    if kind is None and each.place not in traces.given_up:
        return _judged(people[name], each)
    people[name].was_ever_out |= each.place in traces.given_up  # it may have been applied all the same
    dead = Expected("dead", REASONS[kind] if kind else traces.results[each.place]["reason"])
    if is_poisoned_person(name):
        return dead
    as_if = copy.deepcopy(people[name])
    expected = _judged(as_if, each)
    if expected.outcome == "delivered":
        return dead
    people[name] = as_if
    return expected


def _judged(person: Person, each: Published) -> Expected:
    first = first_of(each)
    return person.judge(
        each.draft.value,
        first.timestamp_ms,
        offset=first.place.offset,
        is_replay=first.is_replay,
        even_if_older=first.even_if_older,
    )


def _events(traces: Traces, people: dict[str, Person]) -> Iterator[str]:
    """What became of events, and what arrived of them."""
    replayed = _replayed_events(traces)
    sound = [each for each in traces.sound() if traces.results.get(each.place, {}).get("event_id") not in replayed]
    log = [entry for entry in traces.sandbox.log if entry.get("id") not in traces.spoiled | replayed.keys()]
    sandbox = replace(traces.sandbox, log=log)
    for text in audit_events(sound, traces.results, sandbox, people):
        is_halved = LATE in text and (traces.has_failing_poison or traces.script.weather.spells)
        yield f"{'halved' if is_halved else 'events'}: {text}"
    for place, kind in traces.poison.items():
        result = traces.results.get(place)
        if place.topic == CHANGES or result is None:
            continue
        name = (result["key"] or b"").decode()
        found = result["outcome"], result["reason"]
        may_skip = name in people and people[name].was_ever_out and found[0] == "skipped"
        if found != ("dead", REASONS[kind]) and not may_skip:
            invariant = _named("events", traces, result)
            yield f"{invariant}: {place} is {found}, must be dead ({REASONS[kind]}); {result['detail']}"


def _replayed_events(traces: Traces) -> dict[str, list[dict[str, Any]]]:
    """All results of each event that was replayed, as its repeats were, in the order in which they were written."""
    replays = [traces.results[each.place] for each in events_of(traces.published) if each.place in traces.results]
    ids = {result["event_id"] for result in replays} - traces.spoiled
    found: dict[str, list[dict[str, Any]]] = {event_id: [] for event_id in sorted(ids)}
    for result in traces.results.values():
        if result["event_id"] in ids:
            found[result["event_id"]].append(result)
    return found


def _replays(traces: Traces, people: dict[str, Person]) -> Iterator[str]:
    """Where each was first, and that a replayed event is delivered once, whoever brings it."""
    for each in traces.published:
        first, result = first_of(each), traces.results.get(each.place, {})
        origin = {"topic": first.place.topic, "partition": first.place.partition, "offset": first.place.offset}
        if result and result.get("origin") != (origin if first.is_replay else None):
            yield f"replays: {each.place} has origin {result.get('origin')}"
    for event_id, results in _replayed_events(traces).items():
        outcomes = [result["outcome"] for result in results if result["outcome"] != "skipped"]
        person = people.get(results[0]["user_id"])
        may_skip = person is not None and person.was_ever_out
        if outcomes != ["delivered", *["duplicate"] * (len(outcomes) - 1)] and not (may_skip and not outcomes):
            yield f"replays: event {event_id} is {outcomes}"
        counted = sum(entry.get("id") == event_id and entry["why"] is None for entry in traces.sandbox.log)
        if counted > 1 or (not may_skip and not counted):
            yield f"replays: event {event_id} was counted {counted} times"


def _letters(traces: Traces) -> Iterator[str]:
    """One for each dead record; those of poison say the same reason as the result."""
    sound = list(traces.sound())
    places = {each.place for each in sound}
    results = {place: result for place, result in traces.results.items() if place in places}
    letters = [letter for letter in traces.letters if _source(letter.headers) in places]
    yield from (f"dead letters: {text}" for text in audit_letters(sound, results, letters))
    reasons: dict[Place, list[str]] = defaultdict(list)
    for letter in traces.letters:
        reasons[_source(letter.headers)].append(dict(letter.headers)["cio.reason"].decode())
    for place in traces.poison:
        result = traces.results.get(place)
        expected = [result["reason"]] if result and result["outcome"] == "dead" else []
        if result and reasons[place] != expected:
            yield f"dead letters: {place} has letters {reasons[place]}, must have {expected}"


def _source(headers: tuple[tuple[str, bytes], ...]) -> Place:
    found = dict(headers)
    partition, offset = int(found["__dlq.errors.partition"]), int(found["__dlq.errors.offset"])
    return Place(found["__dlq.errors.topic"].decode(), partition, offset)


def _order(traces: Traces, people: dict[str, Person]) -> Iterator[str]:
    """What arrived of a person's changes, in the order of the topic, and all of it."""
    for name in sorted((people.keys() | traces.arrivals.keys()) - _victims(traces) - _replayed(traces)):
        sends = people[name].sends if name in people else []
        verdict = check_order(sends, [_arrival(entry) for entry in traces.arrivals.get(name, ())])
        if verdict.violation:
            yield f"order: {name}: {verdict.violation}"
        yield from (f"order: {name}: log line {seq} came after a newer operation" for seq in verdict.stale)


def _replayed(traces: Traces) -> set[str]:
    """People of whom a change was replayed: what a killed worker has sent of it may come before, or after all."""
    changes = changes_of(traces.published)
    return {(each.draft.key or b"").decode() for each in changes if first_of(each).is_replay}


def _victims(traces: Traces) -> set[str]:
    """People of whom something was given up, which may have been applied all the same."""
    keys = {each.place: each.draft.key or b"" for each in traces.published}
    return {keys[place].decode() for place in traces.given_up}


def _arrival(entry: dict[str, Any]) -> Arrival:
    return Arrival(
        seq=entry["seq"],
        action=entry["action"],
        attributes=entry.get("attributes", {}),
        timestamp=entry["timestamp"],
        why_ignored=entry["why"],
    )


def _final_states(traces: Traces, people: dict[str, Person]) -> Iterator[str]:
    """What Customer.io has in the end."""
    for name, person in people.items():
        if name in _victims(traces):
            continue
        is_out, shown = person.is_deleted or person.is_opted_out, traces.sandbox.people.get(name)
        if is_out != (name in traces.sandbox.suppressed):
            yield f"final state: {name} is {'not ' if is_out else ''}suppressed"
        if is_out and shown is not None:
            yield f"final state: {name} is still there"
        if person.is_known and (shown is None or shown["attributes"] != person.shown):
            yield f"final state: {name} differs"
