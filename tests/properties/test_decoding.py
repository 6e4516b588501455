"""Whatever a publisher writes is an outcome, never an exception."""

import json
from datetime import UTC, datetime, timedelta
from typing import TypeVar

import orjson
from hypothesis import given, settings
from hypothesis import strategies as st

from agents.steps.limits import ITEM_BYTES_MAX
from agents.steps.translate_change import identify_body, translate_change
from agents.steps.translate_event import translate_event
from schemas.strict_json import NotStrictJsonError, canonical_json, parse_json
from schemas.times import UNIX_S_MAX, unix_ms
from schemas.translated import Change, Event, Unsendable
from tests.unit.input_records import InputRecord

T = TypeVar("T")
EXAMPLES_MAX = 300


def mostly(usual: st.SearchStrategy[T], other: st.SearchStrategy[object]) -> st.SearchStrategy[object]:
    """Draw what is usual nine times of ten, so that records with one fault, or none, are common."""
    return st.integers(0, 9).flatmap(lambda dice: usual if dice else other)


numbers = st.integers() | st.integers(-(2**65), 2**65) | st.floats() | st.booleans() | st.none()
leaves = numbers | st.text(max_size=40) | st.sampled_from(["u-1", "2026-11-22T10:00:00Z", 1795341600, 1795341600123])
FIELDS = (
    "type user user_id anonymous_id id name data version occurred_at email plan preferences attributes last_seen_at"
)
names = st.text(max_size=10) | st.sampled_from(FIELDS.split())
trees = st.recursive(leaves, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(names, inner, max_size=5))
harmless = st.dictionaries(
    st.text(max_size=5), st.text(max_size=5) | st.integers(0, 9) | st.lists(st.booleans()), max_size=5
)
texts = mostly(st.text(max_size=200) | st.none(), trees)
times = mostly(st.sampled_from(["2026-11-22T10:00:00Z", 1795341600, 0.5, None]), trees)
ids = mostly(st.sampled_from(["u-1", 7]), leaves)
answers = mostly(st.booleans() | st.none(), leaves)
preferences = st.fixed_dictionaries({}, optional={"marketing": answers, "transactional": answers})
users = st.fixed_dictionaries(
    {"id": ids},
    optional={
        "email": texts,
        "firstName": texts,
        "created_at": times,
        "preferences": mostly(preferences, trees),
        "attributes": mostly(harmless, trees),
    },
)
upserts = st.fixed_dictionaries(
    {"type": mostly(st.just("user.upserted"), leaves), "user": mostly(users, trees)},
    optional={"version": mostly(st.integers(0, 9), leaves), "occurred_at": times},
)
deletions = st.fixed_dictionaries({"type": st.just("user.deleted"), "user_id": ids}, optional={"occurred_at": times})
persons = mostly(st.sampled_from(["user_id", "anonymous_id"]), names)
events = st.builds(
    lambda event, person, person_id: event | {person: person_id},
    st.fixed_dictionaries(
        {"name": mostly(st.text("abc ", min_size=1), leaves)},
        optional={"id": ids, "occurred_at": times, "data": mostly(harmless, trees)},
    ),
    persons,
    ids,
)
headers = st.lists(
    st.tuples(
        st.sampled_from(["cio.timestamp_ms", "x"]), st.none() | st.binary() | st.integers().map(lambda n: b"%d" % n)
    )
)


def written(tree: object) -> bytes:
    """Write a tree as careless publishers do: NaN, huge integers and lone surrogates included."""
    return json.dumps(tree, ensure_ascii=True).encode()


changes = upserts | deletions
values = mostly(st.one_of(upserts, deletions, events).map(written), st.none() | st.binary() | trees.map(written))
records = st.builds(
    InputRecord,
    key=mostly(st.none(), st.binary(max_size=200) | st.just(b"u-1")),
    value=values,
    timestamp=st.integers(-(2**63), 2**63 - 1),
    headers=headers,
)


@settings(max_examples=EXAMPLES_MAX)
@given(records)
def test_any_change_is_translated_or_set_aside(record: InputRecord) -> None:
    """Keys, values, headers and timestamps of any kind have an outcome, and what is sent is within the limit."""
    translated = translate_change(record)

    assert isinstance(translated, Change | Unsendable)
    assert translated.record is record
    if isinstance(translated, Change) and translated.kind == "identify":
        body = identify_body(translated.user_id, translated.attributes, translated.time_s)
        assert len(body) <= ITEM_BYTES_MAX


@settings(max_examples=EXAMPLES_MAX)
@given(records)
def test_any_event_is_translated_or_set_aside(record: InputRecord) -> None:
    """Keys, values, headers and timestamps of any kind have an outcome, and what is sent is within the limit."""
    translated = translate_event(record)

    assert isinstance(translated, Event | Unsendable)
    assert translated.record is record
    if isinstance(translated, Event):
        assert len(translated.body) <= ITEM_BYTES_MAX
        assert orjson.loads(translated.body)["id"] == translated.event_id


@settings(max_examples=EXAMPLES_MAX)
@given(st.one_of(changes, events).map(written), st.data())
def test_a_damaged_value_is_translated_or_set_aside(value: bytes, data: st.DataObject) -> None:
    """A record cut off or with a byte overwritten is an outcome like any other."""
    place = data.draw(st.integers(0, len(value)))
    damaged = value[:place] + data.draw(st.binary(max_size=2)) + value[place + data.draw(st.integers(0, 2)) :]

    assert translate_change(InputRecord(value=damaged)).record.value == damaged
    assert translate_event(InputRecord(value=damaged)).record.value == damaged


@settings(max_examples=EXAMPLES_MAX)
@given(records)
def test_a_detail_is_one_short_printable_line(record: InputRecord) -> None:
    """It goes to logs and headers, and publishers choose the names in it."""
    for translated in (translate_change(record), translate_event(record)):
        if isinstance(translated, Unsendable):
            assert translated.detail.isprintable()
            assert 0 < len(translated.detail) < 300


@settings(max_examples=EXAMPLES_MAX)
@given(st.sampled_from(["email", "first_name", "plan"]), st.integers() | st.lists(st.integers()) | st.booleans())
def test_a_detail_never_holds_the_content(field: str, content: object) -> None:
    """Whatever stands where a string belongs, the detail is the same."""
    value = written({"type": "user.upserted", "user": {"id": "u-1", field: ["secret", content]}})
    translated = translate_change(InputRecord(value=value))

    assert isinstance(translated, Unsendable)
    assert translated.detail in {f"user.{field}: must be a string", f"user.{field}.1: integer beyond 64 bits"} | {
        f"user.{field}.1.{index}: integer beyond 64 bits" for index in range(100)
    }


strict_leaves = (
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text()
)
strict_trees = st.recursive(
    strict_leaves,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=15,
)


@settings(max_examples=EXAMPLES_MAX)
@given(strict_trees)
def test_strict_json_survives_the_round_trip(tree: object) -> None:
    """What can be written canonically is read back as it was, and written again as the same bytes."""
    canonical = canonical_json(tree)

    assert parse_json(canonical) == tree
    assert canonical_json(parse_json(canonical)) == canonical


@settings(max_examples=EXAMPLES_MAX)
@given(st.integers(-(10**40), 10**40) | st.integers(2**64 - 3, 2**64 + 3) | st.integers(-(2**63) - 3, 3 - 2**63))
def test_an_integer_is_read_exactly_or_refused(number: int) -> None:
    """None is ever rounded to a float."""
    try:
        read = parse_json(b'{"n":[%d]}' % number)
    except NotStrictJsonError:
        assert not -(2**63) <= number < 2**64
    else:
        assert read == {"n": [number]}
        assert -(2**63) <= number < 2**64


@settings(max_examples=EXAMPLES_MAX)
@given(st.integers(0, UNIX_S_MAX * 1000 - 1))
def test_milliseconds_are_exact_in_every_form(ms: int) -> None:
    """A float of three decimals and ISO 8601 say the same instant."""
    moment = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=ms)

    assert unix_ms(float(f"{ms // 1000}.{ms % 1000:03}")) == ms
    assert unix_ms(moment.isoformat()) == ms
