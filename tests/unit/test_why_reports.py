"""Which webhooks belong to a record, and what is said where there are none."""

from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from schemas.dead_letter import Origin
from streams.settings import Settings
from streams.warehouse.duckdb_warehouse import DuckDbReader, DuckDbWarehouse
from streams.why import tell
from streams.why.reports import MESSAGES_MAX, WEBHOOKS_MAX, Reports, find_in, find_reports
from streams.why.story import Story
from tests.warehouse_world import NOW_S, result_batch, result_value, webhook_batch, webhook_body

PLACE = Origin("domain-events", 0, 0)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Give where there is no warehouse yet."""
    return tmp_path / "w.duckdb"


def reports(path: Path, result: dict[str, Any], *webhooks: tuple[str, dict[str, Any]]) -> Reports:
    """What is found of the record at `PLACE`."""
    made = DuckDbWarehouse(path)
    made.prepare()
    bodies = [webhook_body(f"e{number}", metric, **data) for number, (metric, data) in enumerate(webhooks)]
    made.append([webhook_batch(bodies), result_batch([result_value(0, **result)])])
    made.close()
    return find_in(DuckDbReader(path), [PLACE])


def known(found: Reports) -> list[tuple[str, str, list[str]]]:
    """Each message, how it is known, and what was reported of it."""
    return sorted(
        (each.delivery_id, each.known_by, sorted(webhook["metric"] for webhook in each.webhooks))
        for each in found.messages
    )


def shown(found: Reports) -> str:
    """What a person reads."""
    story = Story(
        place=PLACE,
        asked=PLACE,
        record=None,
        next_offset=None,
        results=[],
        letters=[],
        replays=[],
        user_id=None,
        person=None,
    )
    output = StringIO()
    Console(file=output, width=150, markup=False).print(tell.as_table(story, reports=found, reveal=False))
    assert found.remark == tell.as_data(story, reports=found, reveal=False)["webhooks"]["remark"]
    return output.getvalue()


def test_an_events_messages_are_found_by_its_id_or_guessed(path: Path) -> None:
    """And it is said which."""
    found = reports(
        path,
        {"event_id": "ULID1"},
        ("sent", {"delivery_id": "d1", "campaign_id": 7, "trigger_event_id": "ULID1"}),
        ("opened", {"delivery_id": "d1", "campaign_id": 7, "trigger_event_id": "ULID1", "prefetched": True}),
        ("sent", {"delivery_id": "d2", "campaign_id": 7, "at_s": NOW_S + 10}),
        ("sent", {"delivery_id": "d3", "campaign_id": 7, "identifiers": {"id": "u-2"}}),
    )

    assert [("d1", "event id", ["opened", "sent"]), ("d2", "person and time", ["sent"])] == known(found)
    text = shown(found)
    assert "email d1, by a machine, known by event id" in text
    assert "email d2, known by person and time, a guess" in text


def test_a_sends_message_is_its_delivery(path: Path) -> None:
    """A broadcast's messages have its trigger id, and only some of them are told."""
    sent = reports(
        path, {"operations": ["send_email"], "delivery_id": "d1"}, ("sent", {}), ("delivered", {"delivery_id": "d1"})
    )
    path.unlink()
    each = [("sent", {"delivery_id": f"d{number:02d}", "broadcast_id": 12, "trigger_id": 5}) for number in range(20)]
    triggered = reports(path, {"operations": ["trigger_broadcast"], "delivery_id": "5"}, *each)

    assert [("d1", "delivery id", ["delivered"])] == known(sent)
    assert (MESSAGES_MAX, {"trigger id"}) == (len(triggered.messages), {how for _, how, _ in known(triggered)})
    assert "there are more" in shown(triggered)


def test_of_many_webhooks_the_newest_are_told(path: Path) -> None:
    """And that there are more."""
    each = [("opened", {"delivery_id": "d1", "at_s": NOW_S + number}) for number in range(WEBHOOKS_MAX + 5)]
    found = reports(path, {"operations": ["send_email"], "delivery_id": "d1"}, *each)

    (message,) = found.messages
    times = [webhook["happened_at"].timestamp() - NOW_S for webhook in message.webhooks]
    assert (WEBHOOKS_MAX, 5, WEBHOOKS_MAX + 4) == (len(times), min(times), max(times))
    assert f"the newest {WEBHOOKS_MAX} of d1; there are more" in shown(found)


def test_it_says_why_there_are_none(path: Path) -> None:
    """No warehouse, no result in it, no message, nothing reported."""
    without = find_reports(Settings(warehouse=f"duckdb:{path}"), [PLACE])
    nothing = reports(path, {"event_id": "ULID1"})
    unknown = find_in(DuckDbReader(path), [Origin("domain-events", 0, 99)])

    assert "There is no warehouse at" in shown(without)
    assert "no message is known that it led to" in shown(nothing)
    assert "has not loaded it yet" in shown(unknown)
