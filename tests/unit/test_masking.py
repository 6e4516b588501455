"""What stays of a record when personal data is masked."""

import time

import pytest

from streams.dead_letters.masking import Json, masked, masked_text, shown_id, shown_message, without_contacts


@pytest.mark.parametrize(
    ("text", "expected"),
    [("ada@example.com", "a***m (15)"), ("Ada", "*** (3)"), ("", "*** (0)"), ("Adah", "A***h (4)")],
)
def test_a_text_keeps_its_ends_and_its_length(text: str, expected: str) -> None:
    """A short one only its length."""
    assert expected == masked_text(text)


@pytest.mark.parametrize(
    "text",
    [
        *("u-1", "1042", "12345678", "123456789", "123456789012345678", "order-123456789", "a@"),
        *("550e8400-e29b-41d4-a716-446655440000", "user:550E8400-E29B-41D4-A716-446655440000"),
        # pragma: allowlist nextline secret - ids
        *("01JD1234567890123456789ABC", "evt_01JD1234567890123456789ABC", "65f1a2234567890123b4c5d6"),
    ],
)
def test_an_id_is_shown(text: str) -> None:
    """As it is."""
    assert text == shown_id(text)


@pytest.mark.parametrize(
    "text",
    [
        *("ada@example.com", "+44 20 7946 0958", "(555) 123-4567", "02079460958", "447911123456"),
        *("whatsapp:+447911123456", "tel_447911123456", "x447911123456y", "u/+44-7911-123456", "1234567890"),
        *("ada%40zzmail.example", "mailto:ada%2540zzmail.example", "550e8400-447911123456"),
    ],
)
def test_an_id_that_reaches_a_person_is_masked(text: str) -> None:
    """An e-mail address, a telephone number."""
    assert masked_text(text) == shown_id(text)


@pytest.mark.parametrize(
    "text", ["Ada Lovelace, St James 5, London", '{"id":"u-1","name":"Lovelace"}', "x" * 65, "ada\x1b"]
)
def test_an_id_that_is_no_token_is_masked(text: str) -> None:
    """A name, an address, a whole record: whatever a publisher takes for a key."""
    assert masked_text(text) == shown_id(text)


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        ("user.attributes.plan: over 1000 bytes", "user.attributes.plan: over 1000 bytes"),
        ("value: is not JSON (character 1234567)", "value: is not JSON (character 1234567)"),
        ("invalid attributes.email: in use", "invalid attributes.email: in use"),
        ("user.ada@x.com: unknown field", "user.a***m (9): unknown field"),
        ("user.attributes.Ada Lovelace: over 1000 bytes", "user.attributes.A***e (12): over 1000 bytes"),
        ("user.attributes.a: Ada Lovelace: name over 150 bytes", "user.attributes.a***e (15): name over 150 bytes"),
        ("invalid attributes.Ada Lovelace: no", "invalid attributes.A***e (12): no"),
        ("Ada Lovelace: unknown field", "A***e (12): unknown field"),
        ("data.+447911123456: unknown field", "data.+***6 (13): unknown field"),
        ("data.tel_447911123456: unknown field", "data.tel_4***6 (12): unknown field"),
        ("data.447911123456.x: unknown field", "data.4***6 (12).x: unknown field"),
        ("key and user.id differ", "key and user.id differ"),
        ("", ""),
    ],
)
def test_a_message_keeps_names_of_fields_that_are_nobodys(message: str, expected: str) -> None:
    """A publisher chooses names of fields freely."""
    assert expected == shown_message(message)


def test_structure_and_names_stay() -> None:
    """Ids, names of events, types, versions, times, flags and small numbers too."""
    change: Json = {
        "type": "user.upserted",
        "version": 17,
        "occurred_at": "2026-11-22T10:00:00Z",
        "user": {"id": "u-1", "created_at": 1_700_000_000, "preferences": {"marketing": True}, "plan": None},
    }
    event: Json = {"name": "order_completed", "id": "evt-123", "user_id": 42, "data": {"total": 42.5, "items": [1, 2]}}

    assert change == masked(change)
    assert event == masked(event)


@pytest.mark.parametrize(
    ("tree", "expected"),
    [
        ({"user": {"email": "ada@example.com"}}, {"user": {"email": "a***m (15)"}}),
        ({"user": {"id": "ada@example.com"}}, {"user": {"id": "a***m (15)"}}),
        ({"name": "Ada Lovelace"}, {"name": "A***e (12)"}),
        ({"type": "Lovelace"}, {"type": "L***e (8)"}),
        ({"user": {"Ada Lovelace": 1}}, {"user": {"A***e (12)": 1}}),
        ({"type": "ada@example.com"}, {"type": "a***m (15)"}),
        ({"occurred_at": "Ada Lovelace"}, {"occurred_at": "A***e (12)"}),
        ({"data": {"phone": 447911123456}}, {"data": {"phone": "*** (number, 12 digits)"}}),
        ({"data": {"at": [51.5073509, 0.1]}}, {"data": {"at": ["*** (number, 9 digits)", 0.1]}}),
        ({"data": {"id": "Lovelace"}}, {"data": {"id": "L***e (8)"}}),
        (["Lovelace"], ["L***e (8)"]),
        ("Lovelace", "L***e (8)"),
    ],
)
def test_contents_are_masked_wherever_they_stand(tree: Json, expected: Json) -> None:
    """Also where something else should stand."""
    assert expected == masked(tree)


def test_names_that_look_alike_once_masked_are_kept_apart() -> None:
    """Each value stays at its place."""
    tree = masked({"ada@x.com": 1, "ann@x.com": 2})

    assert isinstance(tree, dict)
    assert [("a***m (9)", 1), ("a***m (9)'", 2)] == list(tree.items())


def test_many_names_that_look_alike_are_kept_apart_at_once() -> None:
    """A publisher may write as many as a record has room for."""
    started_s = time.process_time()
    tree = masked({f"a{number:05}@x.com": 1 for number in range(40_000)})

    assert isinstance(tree, dict)
    assert (len(tree), list(tree)[1:3]) == (40_000, ["a***m (12)'", "a***m (12)'3"])
    assert time.process_time() - started_s < 5


@pytest.mark.parametrize("text", ["a", "a@", "+1(", "1", "+1", "a.b"])
def test_a_long_text_is_masked_at_once(text: str) -> None:
    """Without looking through it from each of its letters."""
    started_s = time.process_time()
    without_contacts(text * (400_000 // len(text)))
    shown_message(text * (400_000 // len(text)) + ": no")

    assert time.process_time() - started_s < 5


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        ("value: is not JSON (character 1234567)", "value: is not JSON (character 1234567)"),
        ("user.plan: over 1,000 bytes", "user.plan: over 1,000 bytes"),
        ("user.ada@x.com: unknown field", "u***m (14): unknown field"),
        ("call +44 20 7946 0958 now", "call +***8 (16) now"),
        ("call 447911123456", "call 4***6 (12)"),
        ("call tel_447911123456", "call tel_4***6 (12)"),
        ("mail ada%40x.com, or not", "mail a***m (11), or not"),
        ("message 550e8400-e29b-41d4-a716-446655440000", "message 550e8400-e29b-41d4-a716-446655440000"),
    ],
)
def test_a_message_keeps_all_but_contacts(message: str, expected: str) -> None:
    """Numbers that say how much, or where, are no telephones."""
    assert expected == without_contacts(message)
