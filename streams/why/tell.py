"""Tells a story as data for programs, and as a short timeline for people. Of content only what an edit has changed.

Masked, ids too, unless they are wanted in full.
"""

from collections.abc import Iterator
from typing import Any

from rich import box
from rich.table import Table
from rich.text import Text

from agents.steps.report import iso_utc
from schemas.dead_letter import NAMED, Origin, replay_texts
from schemas.person_id import key_text
from schemas.person_state import PersonState
from schemas.record import Stored
from streams.dead_letters.edited import edit_of
from streams.dead_letters.letter import Letter
from streams.dead_letters.masking import shown_id, shown_message
from streams.plural import so_many
from streams.printable import printable
from streams.why.reports import Reports
from streams.why.story import ResultTold, Story
from streams.why.tell_reports import Event, reported, reports_as_data


def as_data(story: Story, *, reports: Reports | None = None, reveal: bool) -> dict[str, Any]:
    """Everything, with names that stay."""
    record = story.record
    return {
        **story.place._asdict(),
        "asked": story.asked._asdict(),
        "record": None if record is None else _record(record, reveal=reveal),
        "next_offset": story.next_offset,
        "results": [_result(each, reveal=reveal) for each in story.results_of(story.place)],
        "letters": [_letter(each, reveal=reveal) for each in story.letters],
        "replays": [
            {
                "topic": copy.topic,
                "partition": copy.partition,
                "offset": copy.offset,
                "at": _at(copy.timestamp),
                "edited": _edited(story, copy, reveal=reveal),
                "results": [_result(each, reveal=reveal) for each in story.results_of(_place(copy))],
            }
            for copy in story.replays
        ],
        "user_id": _shown(story.user_id, reveal=reveal),
        "user": None if story.person is None else _person(story.person),
        "webhooks": None if reports is None else reports_as_data(reports),
    }


def as_table(story: Story, *, reports: Reports | None = None, reveal: bool) -> Table:
    """A line for each thing that happened, in its order; what is so now comes last."""
    table = Table(box=box.SIMPLE_HEAD, title=str(story.place), title_justify="left")
    for name in ("when", "what", ""):
        table.add_column(name, overflow="fold")
    happened = [*_happened(story, reveal=reveal), *(reported(reports) if reports else ())]
    now = [*_now(story, reveal=reveal), *(_remark_on_reports(reports) if reports else ())]
    for event in [*sorted(happened, key=lambda event: event.at), *now]:
        remark = "\n".join(map(printable, (event.remark, *event.below)))
        table.add_row(*map(Text, (printable(event.at), printable(event.what), remark)))
    return table


def _happened(story: Story, *, reveal: bool) -> Iterator[Event]:
    record = story.record
    if record is not None:
        size = "null" if record.value is None else so_many(len(record.value), "byte")
        yield Event(_at(record.timestamp), "record", f"key {_shown_key(record, reveal=reveal)}, value {size}")
    for copy in story.replays:
        yield _replayed(story, copy, reveal=reveal)
    for result in story.results:
        yield Event(result.processed_at, result.outcome, _remark_on_result(result, reveal=reveal))
    for found in story.letters:
        letter = found.letter
        message = _message(letter.message, reveal=reveal) or letter.reason
        yield Event(letter.failed_at, "letter", f"{letter.name}, {found.state}: {message}")
        if found.decision is not None:
            note = f": {found.decision.note}" if found.decision.note else ""
            yield Event(
                found.decision.at, found.decision.decision, f"letter {letter.name}, by {found.decision.by}{note}"
            )


def _replayed(story: Story, copy: Stored, *, reveal: bool) -> Event:
    edited = _edited(story, copy, reveal=reveal)
    if edited is None:
        return Event(_at(copy.timestamp), "replay", str(_place(copy)))
    note = f": {edited['note']}" if edited["note"] else ""
    remark = f"{_place(copy)}, edited at {edited['at']} by {edited['by']}{note}"
    return Event(_at(copy.timestamp), "replay", remark, edited["diff"].split("\n"))


def _now(story: Story, *, reveal: bool) -> Iterator[Event]:
    if story.record is None:
        yield Event("now", "record", "deleted, as the topic's retention has it")
    if not story.results_of(story.place):
        yield Event("now", "no result", _without_result(story))
    if story.user_id is not None:
        known = "nothing was ever delivered" if story.person is None else _in_words(story.person)
        yield Event("now", "user", f"{_shown(story.user_id, reveal=reveal)}: {known}")


def _remark_on_reports(reports: Reports) -> Iterator[Event]:
    if reports.remark:
        yield Event("now", "webhooks", reports.remark)


def _without_result(story: Story) -> str:
    if story.next_offset is None:
        return "not yet worked on: no worker has begun on this partition"
    if story.is_passed:
        return "although the group is past it: it may have been deleted, `cio-streams audit` tells"
    ahead = story.place.offset - story.next_offset
    return f"not yet worked on: the group goes on at {story.next_offset:,}, {so_many(ahead, 'offset')} before it"


def _remark_on_result(result: ResultTold, *, reveal: bool) -> str:
    parts = [
        f"as a replay ({result.source})" if result.origin else "",
        result.reason or "",
        " + ".join(result.operations),
        f"status {result.status}" if result.status is not None else "",
        f"{result.attempts} attempts" if result.attempts > 1 else "",
        _message(result.detail, reveal=reveal) or "",
    ]
    return ", ".join(part for part in parts if part)


def _in_words(person: PersonState) -> str:
    parts = [
        "deleted" if person.deleted else "",
        "opted out" if person.opted_out else "",
        f"version {person.version}" if person.version is not None else "",
        f"as of {_at(person.occurred_ms)}" if person.occurred_ms is not None else "",
        f"last delivered {person.fingerprint.hex()[:8]}…" if person.fingerprint is not None else "",
    ]
    return ", ".join(part for part in parts if part) or "known"


def _record(record: Stored, *, reveal: bool) -> dict[str, Any]:
    return {
        "at": _at(record.timestamp),
        "timestamp_ms": record.timestamp,
        "key": None if record.key is None else _shown_key(record, reveal=reveal),
        "key_bytes": None if record.key is None else len(record.key),
        "value_bytes": None if record.value is None else len(record.value),
        "headers": len(record.headers),
    }


def _edited(story: Story, copy: Stored, *, reveal: bool) -> dict[str, Any] | None:
    """By whom, when, why and how a replay was edited; None when it was not."""
    named = replay_texts(copy.headers).get(NAMED)
    letter = next((found.letter for found in story.letters if str(found.letter.name) == named), None)
    edited = edit_of(copy, letter, reveal=reveal)
    return None if edited is None else {"by": edited.by, "at": edited.at, "note": edited.note, "diff": edited.diff}


def _result(result: ResultTold, *, reveal: bool) -> dict[str, Any]:
    return {
        "outcome": result.outcome,
        "reason": result.reason,
        "detail": _message(result.detail, reveal=reveal),
        "user_id": _shown(result.user_id, reveal=reveal),
        "operations": list(result.operations),
        "status": result.status,
        "attempts": result.attempts,
        "processed_at": result.processed_at,
    }


def _letter(found: Letter, *, reveal: bool) -> dict[str, Any]:
    letter, decision = found.letter, found.decision
    return {
        "letter": str(letter.name),
        "reason": letter.reason,
        "status": letter.status,
        "attempts": letter.attempts,
        "failed_at": letter.failed_at,
        "message": _message(letter.message, reveal=reveal),
        "replays": letter.replays,
        "state": found.state,
        "decision": None
        if decision is None
        else {"decision": decision.decision, "at": decision.at, "by": decision.by, "note": decision.note},
    }


def _person(person: PersonState) -> dict[str, Any]:
    return {
        "deleted": person.deleted,
        "opted_out": person.opted_out,
        "version": person.version,
        "occurred_at": None if person.occurred_ms is None else _at(person.occurred_ms),
        "last_sent_at": _at(person.sent_s * 1000) if person.sent_s else None,
        "fingerprint": person.fingerprint.hex() if person.fingerprint else None,
    }


def _at(timestamp_ms: int) -> str:
    """A Kafka timestamp, which may be any number."""
    try:
        return iso_utc(timestamp_ms)
    except (ValueError, OverflowError, OSError):
        return f"{timestamp_ms} ms"


def _place(copy: Stored) -> Origin:
    return Origin(copy.topic, copy.partition, copy.offset)


def _shown_key(record: Stored, *, reveal: bool) -> str:
    if record.key is None:
        return "none"
    return _shown(key_text(record.key), reveal=reveal) or f"not text, {so_many(len(record.key), 'byte')}"


def _shown(text: str | None, *, reveal: bool) -> str | None:
    return text if text is None or reveal else shown_id(text)


def _message(text: str | None, *, reveal: bool) -> str | None:
    return text if text is None or reveal else shown_message(text)
