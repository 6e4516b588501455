"""`dlq list`, `show` and `stats` on a real Kafka: filters, shapes, folding, masking, and what must not crash them."""

import json
from dataclasses import replace

from confluent_kafka import Producer

from schemas.record import Stored
from streams.kafka.clients import librdkafka_config
from streams.settings import Settings
from tests.conftest import SettingsFactory
from tests.integration import worker_in_process as process
from tests.integration.letters_on_kafka import dlq, told, write_letters
from tests.letters import make_letter
from tests.unit.input_records import InputRecord, make_event, make_upsert

ADA = "ada.lovelace@example.com"


def on(settings: Settings, record: InputRecord, partition: int = 0, offset: int = 0) -> InputRecord:
    """The record at its place in these settings' topics."""
    topic = settings.topic(record.topic)
    return InputRecord(
        topic=topic, partition=partition, offset=offset, key=record.key, value=record.value, headers=record.headers
    )


def at(hour: int) -> str:
    """A time of that day."""
    return f"2026-11-22T{hour:02d}:00:00.000Z"


def a_mix(settings: Settings) -> list[Stored]:
    """Letters of two topics and partitions, the newest first, and a record of somebody else."""
    change, event = make_upsert(email=ADA, key=b"u-1"), make_event(user_id="u-2", key=b"u-2")
    return [
        make_letter(on(settings, change, 0, 10), "rejected", status=207, attempts=1, failed_at=at(12)),
        make_letter(on(settings, event, 1, 11), "retries_exhausted", status=503, attempts=3, failed_at=at(11)),
        make_letter(on(settings, change, 0, 12), "malformed", failed_at=at(10), replays=3),
        Stored(settings.topic("customerio-dlq"), 1, 0, 0, b"\xff", b"of nobody", [("cio.reason", None)]),
    ]


def test_list_prints_an_object_a_line_the_newest_first(settings_factory: SettingsFactory) -> None:
    """With all that the contract names; what is not ours is passed over aloud."""
    settings = settings_factory()
    names = write_letters(settings, a_mix(settings))
    done = dlq(settings, "list", "--json")
    lines = [json.loads(line) for line in done.stdout.splitlines()]

    assert names[:3] == [line["letter"] for line in lines]
    assert {
        "letter": names[0],
        "topic": settings.topic("user-changes"),
        "partition": 0,
        "offset": 10,
        "reason": "rejected",
        "status": 207,
        "attempts": 1,
        "failed_at": at(12),
        "user_id": "u-1",
        "replays": 0,
        "state": "open",
        "message": "user.plan: no",
        "repeats": 1,
    } == lines[0]
    assert ["open", "open", "parked"] == [line["state"] for line in lines]
    assert "no worker of ours wrote them: 1" in done.stderr


def test_filters_must_all_hold(settings_factory: SettingsFactory) -> None:
    """Each narrows what is listed."""
    settings = settings_factory()
    names = write_letters(settings, a_mix(settings))
    filters = {
        "--topic user-changes --reason rejected --status 207 --state open": [0],
        "--partition 1 --offset 11 --user u-2": [1],
        f"--since {at(10)} --until {at(12)}": [1, 2],
        "--limit 1": [0],
    }
    listed = {each: [line["letter"] for line in told(settings, "list", *each.split())] for each in filters}

    assert {each: [names[number] for number in numbers] for each, numbers in filters.items()} == listed


def test_stats_count_by_everything(settings_factory: SettingsFactory) -> None:
    """The oldest is the oldest open one."""
    settings = settings_factory()
    write_letters(settings, a_mix(settings))
    (stats,) = told(settings, "stats")
    plain = dlq(settings, "stats").stdout

    assert (3, 2, at(11)) == (stats["total"], stats["open"], stats["oldest"])
    assert {"rejected": 1, "retries_exhausted": 1, "malformed": 1} == stats["by_reason"]
    assert {settings.topic("user-changes"): 2, settings.topic("domain-events"): 1} == stats["by_topic"]
    assert {"open": 2, "parked": 1, "replayed": 0, "discarded": 0} == stats["by_state"]
    assert {"207": 1, "503": 1, "none": 1} == stats["by_status"]
    assert "3 dead letters, 2 open, the oldest since 2026-11-22T11" in plain


def test_a_loop_is_one_row_for_people(settings_factory: SettingsFactory) -> None:
    """The same content, and the same record that died again; for programs each is a line that tells how many."""
    settings = settings_factory()
    same = [make_letter(on(settings, make_upsert(plan="pro"), 0, offset)) for offset in range(3)]
    died_again = make_letter(on(settings, make_upsert(plan="free"), 0, 1))
    write_letters(settings, [*same, died_again])

    (_, row) = dlq(settings, "list").stdout.splitlines()
    lines = told(settings, "list")
    (stats,) = told(settings, "stats")

    assert row.startswith("0/3")
    assert " 4 " in row
    assert [4, 4, 4, 4] == [line["repeats"] for line in lines]
    assert [3] == [each["at_least"] for each in stats["repeated"]]


def test_show_explains_and_marks_the_field(settings_factory: SettingsFactory) -> None:
    """Masked: the structure is there, the person is not; revealed, she is."""
    settings = settings_factory()
    record = make_upsert(email=ADA, key=b"u-1", plan="gold")
    with_headers = InputRecord(key=record.key, value=record.value, headers=[("from", b"Ada Lovelace")])
    letter = make_letter(
        on(settings, with_headers, 0, 9), status=207, attempts=1, message="invalid attributes.email: in use"
    )
    (name,) = write_letters(settings, [letter])

    page = dlq(settings, "show", name).stdout
    (masked,) = told(settings, "show", name)
    (revealed,) = told(settings, "show", name, "--reveal")

    assert "> " in page
    (marked,) = [line for line in page.splitlines() if "<- " in line]
    assert '"email": "a***m (24)"' in marked
    assert "Customer.io refused this very record" in page
    assert "HTTP 207 after 1 attempt" in page
    assert ADA not in page + json.dumps(masked)
    assert "Lovelace" not in page + json.dumps(masked)
    assert ["user", "email"] == masked["field"] == revealed["field"]
    assert ADA == revealed["value"]["user"]["email"] == revealed["operations"][0]["attributes"]["email"]
    assert [{"name": "from", "value": "Ada Lovelace"}] == revealed["headers"]
    assert "identify" == masked["operations"][0]["action"]
    assert "what will happen on replay\n  it would be delivered" in page
    assert "would be delivered" == masked["on_replay"]


def test_an_unknown_letter_is_one_line(settings_factory: SettingsFactory) -> None:
    """Those that are there are shown all the same."""
    settings = settings_factory()
    (name,) = write_letters(settings, [make_letter(on(settings, make_upsert()))])
    done = dlq(settings, "show", name, "0/99", "7/0", code=1)
    (line,) = done.stderr.splitlines()

    assert "no letter 0/99, 7/0" in line
    assert f"letter {name}" in done.stdout


def test_odd_letters_crash_nothing(settings_factory: SettingsFactory) -> None:
    """Binary keys and values, a megabyte, a tombstone, headers without value, names that steer terminals."""
    settings = settings_factory()
    odd = [
        InputRecord(key=b"\xff\xfe", value=b"\x00\x80"),
        InputRecord(key=b"u-1", value=None, headers=[("none", b"")]),
        InputRecord(key=b"u-2", value=b'{"user": {"id": "\\u001b[2J[red]u-2", "notes": "%s"}}' % (b"x" * 900_000)),
        InputRecord(key=b"", value=b"[1, 1e999, 123456789012345678901234567890]"),
        InputRecord(key=None, value=b""),
    ]
    letters = [make_letter(on(settings, each), "malformed", message="value: no") for each in odd]
    letters[1] = replace(letters[1], headers=[("none", None), ("\x1b[2J", b"\xff"), *letters[1].headers[1:]])
    names = write_letters(settings, letters)

    shown = dlq(settings, "show", *names, "--reveal").stdout
    masked = told(settings, "show", *names)

    assert "\x1b[2J" not in shown + dlq(settings, "list", "--reveal").stdout
    assert ["binary", "null", "json", "text", "text"] == [each["value_form"] for each in masked]
    assert [None, "u-1", "u-2", "", None] == [each["key"] for each in masked]
    assert "2 bytes: 0080" in shown
    assert len(told(settings, "list")) == len(names)


def test_a_header_name_that_is_no_text_hides_nothing_else(settings_factory: SettingsFactory) -> None:
    """A record of somebody else with whatever in it is passed over, and what comes after it is listed."""
    settings = settings_factory()
    producer = Producer(librdkafka_config(settings))
    producer.produce(settings.topic("customerio-dlq"), b"?", None, 0, headers=[("", b"x"), ("cio.replays", b"many")])
    producer.flush(10)
    (name,) = write_letters(settings, [make_letter(on(settings, make_upsert()))])

    assert [name] == [line["letter"] for line in told(settings, "list")]


def test_without_topics_or_kafka_one_line_says_so(settings_factory: SettingsFactory) -> None:
    """Which topic, or which address."""
    settings = settings_factory(create=False)
    nowhere = settings.with_changes(kafka_bootstrap_servers="127.0.0.1:1")

    (no_topic,) = dlq(settings, "list", code=1).stderr.splitlines()
    (no_kafka,) = dlq(nowhere, "stats", code=1).stderr.splitlines()

    assert "topics create" in no_topic
    assert "127.0.0.1:1 cannot be reached" in no_kafka


async def test_what_a_worker_has_set_aside_is_listed_and_explained(settings_factory: SettingsFactory) -> None:
    """Its letters are read as they are written, and six alike are one row."""
    settings = settings_factory()
    process.publish_malformed(settings, 3)
    async with process.running_app(settings):
        await process.until(lambda: process.concluded(settings).total() == 6)
    lines = told(settings, "list", "--topic", "user-changes", "--user", "u-1", "--reason", "malformed")
    (explained,) = told(settings, "show", lines[0]["letter"])

    assert [6] * 6 == [line["repeats"] for line in lines]
    assert {(partition, offset) for partition in (0, 1) for offset in range(3)} == {
        (line["partition"], line["offset"]) for line in lines
    }
    assert "value: is not JSON (character 1)" == explained["message"] == lines[0]["message"]
    assert ("u-1", "text", "text", 1, None) == tuple(
        explained[name] for name in ("key", "key_form", "value_form", "value_bytes", "value_hex")
    )
