"""A fingerprint depends on what is said, and on nothing else."""

import orjson
import ulid
from hypothesis import given, settings
from hypothesis import strategies as st

from agents.steps.fingerprint import fingerprint, ulid_of
from agents.steps.translate_change import translate_change
from agents.steps.translate_event import translate_event
from schemas.strict_json import canonical_json
from schemas.translated import Change, Event
from tests.unit.input_records import InputRecord

EXAMPLES_MAX = 200

leaves = st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(max_size=10)
trees = st.recursive(
    leaves, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3)
)
objects = st.dictionaries(st.text(max_size=5).map(lambda name: f"x{name}"), trees, max_size=5)
seconds = st.integers(0, 4_000_000_000)
fingerprints = st.binary(min_size=16, max_size=16)


def reordered(tree: object) -> object:
    """Turn the order of all keys round."""
    if isinstance(tree, dict):
        return {name: reordered(tree[name]) for name in reversed(tree)}
    return [reordered(inner) for inner in tree] if isinstance(tree, list) else tree


def change(attributes: object, *, occurred_at: int | None, timestamp: int = 0) -> Change:
    """Translate an upsert with these attributes."""
    tree = {"type": "user.upserted", "occurred_at": occurred_at, "user": {"id": "u-1", "attributes": attributes}}
    translated = translate_change(InputRecord(value=orjson.dumps(tree), timestamp=timestamp))
    assert isinstance(translated, Change)
    return translated


def event(data: object, **fields: object) -> Event:
    """Translate an event with this data, at a fixed time unless the fields name another."""
    tree = {"name": "n", "user_id": "u-1", "occurred_at": 1, "data": data, **fields}
    translated = translate_event(InputRecord(value=orjson.dumps(tree)))
    assert isinstance(translated, Event)
    return translated


@settings(max_examples=EXAMPLES_MAX)
@given(objects)
def test_the_order_of_keys_does_not_matter(content: dict[str, object]) -> None:
    """Neither at the top nor deeper; publishers' libraries differ in it."""
    turned = reordered(content)

    assert change(content, occurred_at=1).fingerprint == change(turned, occurred_at=1).fingerprint
    assert event(content).fingerprint == event(turned).fingerprint


@settings(max_examples=EXAMPLES_MAX)
@given(objects, seconds, seconds, st.integers(0, 2**62))
def test_the_time_of_a_change_does_not_matter(attributes: object, first: int, second: int, timestamp: int) -> None:
    """`last_seen_at` and `timestamp` change by themselves: a user who says the same again says nothing new."""
    other_times = {
        change(attributes, occurred_at=first).fingerprint,
        change(attributes, occurred_at=second).fingerprint,
        change(attributes, occurred_at=None, timestamp=timestamp).fingerprint,
    }

    assert len(other_times) == 1


@settings(max_examples=EXAMPLES_MAX)
@given(objects, objects)
def test_other_content_has_another_fingerprint(first: dict[str, object], second: dict[str, object]) -> None:
    """Two changes, or two events, are alike only if they say the same."""
    is_same = canonical_json(first) == canonical_json(second)

    assert is_same is (change(first, occurred_at=1).fingerprint == change(second, occurred_at=1).fingerprint)
    assert is_same is (event(first).fingerprint == event(second).fingerprint)


@settings(max_examples=EXAMPLES_MAX)
@given(objects, seconds, seconds)
def test_the_time_of_an_event_matters_unless_it_has_an_id(data: object, first: int, second: int) -> None:
    """Without an id the time belongs to the event; with one, user, name and id are all there is."""
    assert (first == second) is (event(data, occurred_at=first).event_id == event(data, occurred_at=second).event_id)
    assert event(data, occurred_at=first, id="e").event_id == event({}, occurred_at=second, id="e").event_id


@settings(max_examples=EXAMPLES_MAX)
@given(fingerprints)
def test_a_ulid_is_the_fingerprint(digest: bytes) -> None:
    """The 26 characters can be read back to the same 16 bytes, and are a ULID to others."""
    event_id = ulid_of(digest)

    assert len(event_id) == 26
    assert ulid.ULID.from_str(event_id).bytes == digest
    assert event_id == str(ulid.ULID(digest))


@settings(max_examples=EXAMPLES_MAX)
@given(objects)
def test_the_same_event_keeps_its_ulid(data: object) -> None:
    """It is made of the fingerprint alone, so restarts and repeats do not change it."""
    first = event(data)

    assert first.event_id == event(data).event_id == ulid_of(first.fingerprint)


@settings(max_examples=EXAMPLES_MAX)
@given(st.binary())
def test_a_fingerprint_has_sixteen_bytes(canonical: bytes) -> None:
    """The ledger keeps that many, a ULID holds that many."""
    assert len(fingerprint(canonical)) == 16
