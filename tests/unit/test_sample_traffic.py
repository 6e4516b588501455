"""Sample traffic is reproducible, mixed as it says it is, and valid except for what is malformed on purpose."""

from collections import Counter
from datetime import UTC, datetime, timedelta
from itertools import islice
from random import Random

import orjson
import pytest

from agents.steps.translate_change import translate_change
from agents.steps.translate_event import translate_event
from schemas.translated import Change, Event, Unsendable
from streams.kafka.topic_plan import DOMAIN_EVENTS, USER_CHANGES
from streams.publishing.publish_key import find_key
from streams.publishing.sample_traffic import PEOPLE_MAX, SHARES, SampleRecord, sample_traffic
from tests.unit.input_records import InputRecord

START = datetime(2026, 11, 22, 10, tzinfo=UTC)


def make_traffic(count: int, *, seed: int = 1) -> list[SampleRecord]:
    """Give the first records of a seed, one every 20 ms."""
    ticks = iter(range(10**9))
    return list(
        islice(sample_traffic(Random(seed), now=lambda: START + timedelta(milliseconds=20 * next(ticks))), count)
    )


def translate(record: SampleRecord) -> Change | Event | Unsendable:
    """Read a sample as a worker does."""
    translate_one = translate_change if record.topic == USER_CHANGES else translate_event
    return translate_one(InputRecord(topic=record.topic, key=record.key, value=record.value))


def test_the_same_seed_gives_the_same_records() -> None:
    """Whoever reports something odd can name the seed."""
    assert make_traffic(500, seed=7) == make_traffic(500, seed=7)


def test_another_seed_gives_other_records() -> None:
    """The seed is not for show."""
    assert make_traffic(500, seed=7) != make_traffic(500, seed=8)


@pytest.mark.parametrize("seed", range(5))
def test_all_is_valid_except_what_is_malformed_on_purpose(seed: int) -> None:
    """A worker takes every record that is not meant to be refused, and refuses those that are."""
    records = make_traffic(5_000, seed=seed)

    refused = {record.kind for record in records if isinstance(translate(record), Unsendable)}
    taken = {record.kind for record in records if not isinstance(translate(record), Unsendable)}

    assert refused <= {"malformed"}
    assert "malformed" not in taken


def test_the_kinds_come_in_the_shares_they_are_said_to() -> None:
    """Within a tenth, or for rare ones five standard deviations, of thirty thousand."""
    count = 30_000
    found = Counter(record.kind for record in make_traffic(count))

    for kind, share in SHARES.items():
        expected = count * share / 1000
        assert abs(found[kind] - expected) <= max(0.1 * expected, 5 * expected**0.5), kind


def test_every_key_is_the_one_that_publish_would_choose() -> None:
    """Sample traffic and `cio-streams publish` put a user's records on the same partition."""
    named = [record for record in make_traffic(3_000) if record.value is not None and record.kind != "malformed"]

    assert [record.key for record in named] == [find_key(record.value or b"", topic=record.topic) for record in named]


def test_repeats_repeat_byte_for_byte() -> None:
    """A publisher that retries sends the very same record."""
    seen: set[tuple[str, bytes, bytes | None]] = set()
    repeats = 0
    for record in make_traffic(3_000):
        identity = (record.topic, record.key, record.value)
        if record.kind in {"repeated_change", "repeated_event"}:
            repeats += 1
            assert identity in seen
        seen.add(identity)

    assert repeats > 200


def test_late_changes_are_older_than_what_their_user_has_sent() -> None:
    """One kind is older by its version, the other, without version, by its time."""
    newest: dict[bytes, tuple[int, str]] = {}
    late: Counter[str] = Counter()
    for record in make_traffic(3_000):
        if record.topic != USER_CHANGES or record.value is None or record.kind in {"malformed", "repeated_change"}:
            continue
        content = orjson.loads(record.value)
        if record.kind == "late_version":
            assert content["version"] < newest[record.key][0]
        elif record.kind == "late_time":
            assert "version" not in content
            assert content["occurred_at"] < newest[record.key][1]
        elif "version" in content:
            newest[record.key] = (content["version"], content["occurred_at"])
        late[record.kind] += 1

    assert late["late_version"] > 10
    assert late["late_time"] > 10


def test_nobody_is_changed_after_being_deleted() -> None:
    """Only stray events and repeats still speak of a user who is gone."""
    gone: set[bytes] = set()
    for record in make_traffic(5_000):
        if record.kind in {"deletion", "tombstone"}:
            gone.add(record.key)
        elif record.topic == USER_CHANGES and record.kind not in {"malformed", "repeated_change"}:
            assert record.key not in gone

    assert len(gone) > 20


def test_opting_in_again_follows_an_opt_out() -> None:
    """Who opts in had opted out, and is heard of in between by stray events at most."""
    opted_out: set[bytes] = set()
    opted_in = 0
    for record in make_traffic(5_000):
        if record.kind == "opt_out":
            opted_out.add(record.key)
        elif record.kind == "opt_in":
            opted_in += 1
            opted_out.remove(record.key)

    assert opted_in > 20


def test_the_number_of_users_is_bounded() -> None:
    """However long it runs, memory does not grow."""
    people = {record.key for record in make_traffic(40_000) if record.kind == "upsert"}
    gone = sum(record.kind in {"deletion", "tombstone"} for record in make_traffic(40_000))

    assert len(people) - gone <= PEOPLE_MAX * 1.1


def test_both_topics_get_their_part() -> None:
    """Neither of the two topics is left out."""
    topics = Counter(record.topic for record in make_traffic(1_000))

    assert min(topics[USER_CHANGES], topics[DOMAIN_EVENTS]) > 300
