"""What the views say of rows that were written by hand, whose numbers are known."""

from pathlib import Path
from typing import Any, Final

import pytest

from streams.warehouse.dialect import BIGQUERY, CLOCKS_S, JOIN_WINDOW_S, VIEWS
from streams.warehouse.duckdb_warehouse import DuckDbReader, DuckDbWarehouse
from streams.warehouse.port import Found
from tests.warehouse_world import NOW_S, place, result_batch, result_value, webhook_batch, webhook_body

Json = dict[str, Any]


class Shop:
    """A warehouse with what was told to it."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._loader = DuckDbWarehouse(path)
        self._loader.prepare()
        self._offset = 0

    def webhooks(self, *told: tuple[str, Json]) -> None:
        """A metric and what `data` has, for each."""
        bodies = [
            webhook_body(f"{self._offset + number}", metric, **data) for number, (metric, data) in enumerate(told)
        ]
        self._loader.append([webhook_batch(bodies, self._offset)])
        self._offset += len(bodies)

    def results(self, *told: Json) -> None:
        """Changes to the result of a delivered event, for each."""
        at = place(topic="customerio-results", incarnation=f"made-{self._offset}")
        self._offset += 1
        self._loader.append([result_batch([result_value(number, **each) for number, each in enumerate(told)], at=at)])

    def see(self, view: str) -> list[Found]:
        """All of it."""
        return DuckDbReader(self._path).read(view, limit=1_000)


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    """Give an empty one."""
    return Shop(tmp_path / "shop.duckdb")


def seen(rows: list[Found], *names: str) -> list[tuple[Any, ...]]:
    """These columns, in order."""
    return sorted(tuple(row[name] for name in names) for row in rows)


def journey(delivery: str, *metrics: str, **data: Any) -> list[tuple[str, Json]]:  # noqa: ANN401 - any JSON
    """What is reported of one message, a minute apart."""
    return [
        (metric, {"delivery_id": delivery, "at_s": NOW_S + 60 * number, **data})
        for number, metric in enumerate(metrics)
    ]


def test_a_funnel_counts_messages_not_reports(shop: Shop) -> None:
    """By campaign, broadcast, newsletter and template; repeats and later opens change nothing."""
    shop.webhooks(
        *journey("d1", "sent", "delivered", "opened", "opened", "clicked", "clicked", campaign_id=7),
        *journey("d2", "sent", "delivered", "opened", campaign_id=7),
        *journey("d3", "sent", "bounced", campaign_id=7),
        *journey("d4", "sent", "delivered", "unsubscribed", broadcast_id=12, trigger_id=3),
        *journey("d5", "attempted", "failed", transactional_message_id=3),
        *journey("d6", "sent", "converted", newsletter_id=1),
        ("subscribed", {"delivery_id": None}),
    )

    rows = seen(
        shop.see("message_funnel"),
        *("kind", "id", "messages", "sent", "delivered", "opened", "clicked"),
        *("bounced", "failed", "unsubscribed", "converted"),
    )
    assert [
        ("broadcast", "12", 1, 1, 1, 0, 0, 0, 0, 1, 0),
        ("campaign", "7", 3, 3, 2, 2, 1, 1, 0, 0, 0),
        ("newsletter", "1", 1, 1, 0, 0, 0, 0, 0, 0, 1),
        ("transactional", "3", 1, 0, 0, 0, 0, 0, 1, 0, 0),
    ] == rows


def test_tries_and_replies_are_counted(shop: Shop) -> None:
    """Of a message of which only its person's doing was reported, nothing else is known."""
    shop.webhooks(
        *journey("d1", "attempted", "deferred", "attempted", "sent", "replied", transactional_message_id=3),
        ("unsubscribed", {"delivery_id": "d2", "campaign_id": None}),
    )

    rows = seen(shop.see("message_funnel"), "kind", "messages", "attempted", "deferred", "sent", "replied")
    assert [("transactional", 1, 1, 1, 1, 1), ("unknown", 1, 0, 0, 0, 0)] == rows


def test_machines_are_told_from_people(shop: Shop) -> None:
    """What was fetched ahead is no open; a click by a machine is no click, and the open concluded from it is none."""
    shop.webhooks(
        *journey("ahead", "opened", campaign_id=7, prefetched=True),
        *journey("both", "opened", campaign_id=7, prefetched=True),
        *journey("both", "opened", campaign_id=7, prefetched=False, proxied=True),
        *journey("robot", "clicked", campaign_id=7, machine=True),
        *journey("robot", "opened", campaign_id=7, synthetic=True),
        *journey("clicker", "opened", campaign_id=7, synthetic=True),
        *journey("clicker", "clicked", campaign_id=7),
    )

    (row,) = shop.see("message_funnel")
    assert (2, 2, 1, 1) == (row["opened"], row["opened_by_machine"], row["clicked"], row["clicked_by_machine"])


def test_an_event_is_joined_by_its_id(shop: Shop) -> None:
    """With the times from the event's record on, also where the person's other events are nearer."""
    shop.results({"event_id": "ULID1"}, {"event_id": "ULID2"})
    shop.webhooks(*journey("d1", "sent", "delivered", "opened", "clicked", campaign_id=7, trigger_event_id="ULID1"))

    columns = (
        "event_id",
        "delivery_id",
        "joined_by",
        "seconds_to_delivered",
        "seconds_to_opened",
        "seconds_to_clicked",
    )
    assert [("ULID1", "d1", "event id", 60.0, 120.0, 180.0)] == seen(shop.see("event_messages"), *columns)


@pytest.mark.parametrize(
    ("later_s", "is_joined"),
    [
        (-CLOCKS_S - 1, False),
        (0, True),
        (60, True),
        (JOIN_WINDOW_S, True),
        (JOIN_WINDOW_S + 2, False),
    ],
)
def test_without_its_id_an_event_is_joined_by_person_and_time(shop: Shop, later_s: int, *, is_joined: bool) -> None:
    """Within a window; the row says that it is a guess."""
    shop.results({"event_id": "ULID1"})
    shop.webhooks(("sent", {"campaign_id": 7, "trigger_event_id": "another", "at_s": NOW_S + later_s}))

    found = seen(shop.see("event_messages"), "event_id", "joined_by")
    assert [("ULID1", "person and time")] * is_joined == found


def test_of_several_events_the_last_one_before_the_message_counts(shop: Shop) -> None:
    """Of the same person; what has an id is not guessed as well; broadcasts and templates have no event."""
    shop.results(
        {"event_id": "old", "processed_at": "2026-11-22T09:59:00Z"},
        {"event_id": "new", "processed_at": "2026-11-22T10:00:00Z"},
        {"event_id": "later", "processed_at": "2026-11-22T10:30:00Z"},
        {"event_id": "another's", "user_id": "u-2", "processed_at": "2026-11-22T10:00:30Z"},
        {"event_id": "refused", "outcome": "dead", "processed_at": "2026-11-22T10:00:30Z"},
    )
    shop.webhooks(
        *journey("d1", "delivered", campaign_id=7, at_s=NOW_S + 60),
        *journey("d2", "delivered", campaign_id=7, at_s=NOW_S + 60, trigger_event_id="old"),
        *journey("d3", "delivered", broadcast_id=1, at_s=NOW_S + 60),
    )

    assert [("d1", "new", "person and time"), ("d2", "old", "event id")] == seen(
        shop.see("event_messages"), "delivery_id", "event_id", "joined_by"
    )


def test_an_event_that_was_delivered_again_is_one(shop: Shop) -> None:
    """A replay has the same ULID."""
    again = {"topic": "customerio-replay", "partition": 0, "offset": 0, "timestamp_ms": NOW_S * 1000 + 1}
    shop.results({"event_id": "ULID1"}, {"event_id": "ULID1", "source": again, "processed_at": "2026-11-23T10:00:00Z"})
    shop.webhooks(*journey("d1", "sent", campaign_id=7, trigger_event_id="ULID1"))

    assert [("domain-events", "d1")] == seen(shop.see("event_messages"), "source_topic", "delivery_id")


def test_an_event_from_after_the_message_counts_only_where_there_is_none_before(shop: Shop) -> None:
    """Clocks differ by little; within one second nobody can tell, for webhooks know whole seconds."""
    shop.results(
        {"event_id": "before", "processed_at": "2026-11-22T10:00:00Z"},
        {"event_id": "after", "processed_at": "2026-11-22T10:01:03Z"},
        {"event_id": "alone", "user_id": "u-2", "processed_at": "2026-11-22T10:01:03Z"},
        {"event_id": "earlier", "user_id": "u-3", "processed_at": "2026-11-22T10:00:00Z"},
        {"event_id": "same second", "user_id": "u-3", "processed_at": "2026-11-22T10:01:00.900Z"},
    )
    for person in ("u-1", "u-2", "u-3"):
        shop.webhooks(*journey(person, "sent", campaign_id=7, identifiers={"id": person}, at_s=NOW_S + 60))

    assert [("u-1", "before"), ("u-2", "alone"), ("u-3", "same second")] == seen(
        shop.see("event_messages"), "delivery_id", "event_id"
    )


REPLAY: Final[Json] = {
    "source": {"topic": "customerio-replay", "partition": 0, "offset": 9, "timestamp_ms": (NOW_S + 7_100) * 1000},
    "origin": {"topic": "domain-events", "partition": 0, "offset": 0},
    "processed_at": "2026-11-22T12:00:00Z",
}


def test_times_count_from_the_record_also_where_its_replay_was_delivered(shop: Shop) -> None:
    """The replay's own place and time say nothing of the event."""
    shop.results({"outcome": "dead", "reason": "retries_exhausted", "event_id": "E"}, {"event_id": "E", **REPLAY})
    shop.webhooks(*journey("d1", "delivered", at_s=NOW_S + 7_201, campaign_id=7, trigger_event_id="E"))

    columns = ("source_topic", "source_offset", "joined_by", "seconds_to_delivered")
    assert [("domain-events", 0, "event id", 7_201.0)] == seen(shop.see("event_messages"), *columns)


def test_a_messages_times_count_from_the_record_also_where_its_replay_was_sent(shop: Shop) -> None:
    """As an event's; without the record's first result its time is not known."""
    sent: Json = {"operations": ["send_email"], "delivery_id": "d1", **REPLAY}
    first: Json = {"topic": "domain-events", "partition": 0, "offset": 77}
    shop.results({"outcome": "dead", "operations": ["send_email"]}, sent)
    shop.results({**sent, "origin": first, "source": {**REPLAY["source"], "offset": 10}})
    shop.webhooks(*journey("d1", "delivered", at_s=NOW_S + 7_201, transactional_message_id=3))

    columns = ("source_offset", "source_topic", "seconds_to_delivered")
    assert [(0, "domain-events", 7_201.0), (77, "domain-events", None)] == seen(
        shop.see("transactional_sends"), *columns
    )


def test_what_died_twice_died_of_the_last_reason(shop: Shop) -> None:
    """Whichever comes first in the alphabet, and whichever was loaded first."""
    shop.results({"outcome": "dead", "reason": "rejected", **REPLAY})
    shop.results({"outcome": "dead", "reason": "retries_exhausted"})

    assert [("rejected", 1)] == seen(shop.see("dead_reasons"), "reason", "dead")


def test_times_have_a_half_and_a_most(shop: Shop) -> None:
    """Half of the messages, and nine in ten, took no longer."""
    shop.results(*({"event_id": f"e{number}"} for number in range(11)))
    for number in range(11):
        data = {"campaign_id": 7, "trigger_event_id": f"e{number}", "delivery_id": f"d{number}"}
        shop.webhooks(("delivered", {**data, "at_s": NOW_S + number * 10}))

    (row,) = shop.see("event_times")
    assert (11, 50.0, 90.0) == (row["delivered"], row["delivered_half_s"], row["delivered_most_s"])
    assert (0, None) == (row["opened"], row["opened_half_s"])


def test_a_transactional_message_is_joined_by_its_delivery(shop: Shop) -> None:
    """One of which nothing was heard is there as well."""
    shop.results(
        {"operations": ["send_email"], "delivery_id": "d1"},
        {"operations": ["send_email"], "delivery_id": "d2"},
        {"operations": ["send_sms"], "delivery_id": None, "outcome": "dead"},
        {"operations": ["trigger_broadcast"], "delivery_id": "5"},
    )
    shop.webhooks(*journey("d1", "sent", "delivered", "opened", transactional_message_id=3))

    columns = ("delivery_id", "transactional_message_id", "seconds_to_delivered", "seconds_to_opened")
    rows = sorted(shop.see("transactional_sends"), key=lambda row: row["delivery_id"])
    assert [("d1", "3", 60.0, 120.0), ("d2", None, None, None)] == [
        tuple(row[name] for name in columns) for row in rows
    ]
    assert {(None, 1, 0), ("3", 1, 1)} == {
        (row["id"], row["accepted"], row["opened"]) for row in shop.see("transactional_times")
    }


def test_dead_letters_stand_against_deliveries(shop: Shop) -> None:
    """A record whose replay was delivered is mended; each record counts once."""
    replayed = {"topic": "customerio-replay", "partition": 0, "offset": 0, "timestamp_ms": 5}
    first = {"topic": "domain-events", "partition": 0, "offset": 1}
    shop.results(
        {"event_id": "e0"},
        {"outcome": "dead", "reason": "rejected"},
        {"outcome": "dead", "reason": "malformed"},
        {"outcome": "duplicate", "reason": "fingerprint"},
        {"source": replayed, "origin": first},
    )

    names = ("topic", "records", "delivered", "left_out", "died", "mended", "dead", "dead_share")
    assert [("domain-events", 4, 2, 1, 2, 1, 1, 0.25)] == seen(shop.see("topic_outcomes"), *names)
    assert [("domain-events", "malformed", 1)] == seen(shop.see("dead_reasons"), "topic", "reason", "dead")


def test_every_file_of_a_view_is_listed_and_has_words_for_both_engines() -> None:
    """And says first what it shows."""
    folder = Path(__file__).parents[2] / "streams" / "warehouse" / "views"

    assert set(VIEWS) == {path.stem for path in folder.glob("*.sql")}
    for view in VIEWS:
        text = BIGQUERY.view(view)
        assert text.startswith("-- ")
        assert "{" not in text
