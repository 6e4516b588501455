"""The official rules of sends and broadcasts, for any record: what keeps them is read, what breaks one is not."""

import time
from base64 import b64encode
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.broadcast_trigger import FLAGS, FORMS, LIST_MAX, BroadcastTrigger
from schemas.codec import Malformed, decode_broadcast_trigger, decode_transactional_message
from schemas.transactional_message import (
    ATTACHMENTS_BYTES_MAX,
    RECIPIENTS_MAX,
    SEND_AT_DAYS_MAX,
    TransactionalMessage,
)

JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)
ADDRESSES = st.builds(
    lambda parts: "".join(text * times for text, times in parts),
    st.lists(
        st.tuples(
            st.text('()<>:;",@\\ a.', min_size=1, max_size=6) | st.text(max_size=3),
            st.integers(1, 5) | st.sampled_from([600, 1_200]),
        ),
        max_size=6,
    ),
)
RECIPIENTS = [
    "ada@example.com",
    "Ada Lovelace <ada@example.com>",
    '"Lovelace, Ada; \\" (x" <ada@example.com>',
    "ada@example.com <ada@example.com>",
    "ada@example.com (of, London (and; Marylebone))",
    '"ada lovelace"@example.com',
    "<ada@example.com>",
]
OBJECT = st.dictionaries(st.text(max_size=5), JSON, max_size=3)
TIME_S = 1_795_341_600
NAMED: dict[str, Any] = {"id": "u-1", "email": "ada@example.com", "cio_id": "a3"}
FITS = {
    "segment": (),
    "recipients": (),
    "emails": ("email_ignore_missing", "email_add_duplicates"),
    "ids": ("id_ignore_missing",),
    "per_user_data": FLAGS,
    "data_file_url": FLAGS,
}
VALUES: dict[str, Any] = {
    "segment": {"id": 7},
    "recipients": {"segment": {"id": 7}},
    "emails": ["ada@example.com"],
    "ids": ["u-1"],
    "per_user_data": [{"id": "u-1"}],
    "data_file_url": "https://example.com/people.jsonl",
}


def message(**fields: object) -> TransactionalMessage | Malformed:
    """A message with some fields of its own."""
    least = {"message_id": "m-1", "channel": "email", "to": "ada@example.com", "transactional_message_id": 3}
    return decode_transactional_message(orjson.dumps(least | {"identifiers": {"id": "u-1"}} | fields))


def trigger(**fields: object) -> BroadcastTrigger | Malformed:
    """A trigger with some fields of its own."""
    return decode_broadcast_trigger(orjson.dumps({"trigger_id": "t-1", "broadcast_id": 12} | fields))


@given(st.sets(st.sampled_from(sorted(NAMED))))
def test_a_message_names_its_person_in_exactly_one_way(names: set[str]) -> None:
    """Neither none nor two."""
    read = message(identifiers={name: NAMED[name] for name in names})

    assert isinstance(read, TransactionalMessage) is (len(names) == 1)


@given(st.integers(1, 20), st.integers(0, 20), st.integers(0, 20))
def test_a_message_has_at_most_fifteen_recipients(to: int, cc: int, bcc: int) -> None:
    """Over all three fields together."""
    fields = {"to": to, "cc": cc, "bcc": bcc}
    read = message(**{name: ",".join(f"{name}{n}@example.com" for n in range(count)) for name, count in fields.items()})

    assert isinstance(read, TransactionalMessage) is (to + cc + bcc <= RECIPIENTS_MAX)


@given(st.integers(1, 20), st.sampled_from([", ", ",", ";", " ", "\n", "  "]), st.sampled_from(RECIPIENTS))
def test_recipients_are_counted_however_they_are_written(count: int, between: str, recipient: str) -> None:
    """With a name, a comment or a quoted comma; blanks alone may stand between them too."""
    read = message(to=between.join([recipient] * count))

    assert isinstance(read, TransactionalMessage) is (count <= RECIPIENTS_MAX)


@given(st.fixed_dictionaries({"to": ADDRESSES}, optional={"cc": ADDRESSES, "bcc": ADDRESSES}))
def test_no_recipients_raise(fields: dict[str, str]) -> None:
    """However deep, long and broken what is written there."""
    read = message(**fields)

    assert not isinstance(read, Malformed) or read.detail


@pytest.mark.parametrize("to", ["(" * 600, "(ada@example.com)", ",;", " , ", "(ada@example.com"])
def test_an_email_without_recipient_is_malformed(to: str) -> None:
    """Comments and commas are nobody."""
    assert message(to=to) == Malformed(detail="value: has no recipient in to", user_id="u-1")


@pytest.mark.parametrize("text", ["(", "a:", "<", '"', "\\", "()", ",", '"\\', "a@b ", "<@", '("'])
@pytest.mark.parametrize("field", ["to", "cc", "bcc"])
def test_long_recipients_are_read_at_once(field: str, text: str) -> None:
    """They are gone through once: nobody waits for those of another."""
    started_s = time.process_time()
    message(**{field: text * (900_000 // len(text))})

    assert time.process_time() - started_s < 10


@given(st.lists(st.integers(ATTACHMENTS_BYTES_MAX // 3 - 1, ATTACHMENTS_BYTES_MAX // 3 + 2), min_size=1, max_size=4))
def test_attachments_are_under_two_megabytes_together(sizes: list[int]) -> None:
    """As they are, before base64 makes a third more of them."""
    read = message(attachments={f"{n}.txt": b64encode(b"x" * size).decode() for n, size in enumerate(sizes)})

    assert isinstance(read, TransactionalMessage) is (sum(sizes) < ATTACHMENTS_BYTES_MAX)


@given(st.integers(0, TIME_S + 200 * 86_400), st.none() | st.integers(1, TIME_S))
def test_a_message_is_scheduled_within_ninety_days(send_at: int, time_s: int | None) -> None:
    """Of its own time, where it has one; what has passed is sent at once."""
    read = message(send_at=send_at)

    assert isinstance(read, TransactionalMessage)
    is_late = time_s is not None and send_at > time_s + SEND_AT_DAYS_MAX * 86_400
    assert (read.send_at_fault(time_s) is not None) is is_late


@given(st.dictionaries(st.from_regex(r"x_[a-z]{1,8}", fullmatch=True), JSON, max_size=3), OBJECT)
def test_what_we_do_not_know_is_passed_on(further: dict[str, Any], data: dict[str, Any]) -> None:
    """As it is, beside the message's data; what is ours is not."""
    read = message(message_data=data, occurred_at=TIME_S, **further)

    assert isinstance(read, TransactionalMessage)
    assert read.request() == {
        "to": "ada@example.com",
        "transactional_message_id": 3,
        "identifiers": {"id": "u-1"},
        "message_data": data,
    } | {name: value for name, value in further.items() if value is not None}


@given(st.sets(st.sampled_from(FORMS)), st.dictionaries(st.sampled_from(FLAGS), st.booleans()), st.booleans())
def test_a_broadcast_has_one_audience_and_flags_that_fit(
    forms: set[str],
    flags: dict[str, bool],
    is_inside: bool,  # noqa: FBT001 - drawn
) -> None:
    """Wherever the flags stand."""
    audience = {form: VALUES[form] for form in forms}
    read = trigger(audience=audience | flags) if is_inside else trigger(audience=audience, **flags)

    is_right = len(forms) == 1 and set(flags) <= set(FITS[min(forms)])
    assert isinstance(read, BroadcastTrigger) is is_right


@given(st.sampled_from(["ids", "per_user_data"]), st.integers(LIST_MAX - 2, LIST_MAX + 2))
def test_a_list_has_at_most_ten_thousand_entries(form: str, count: int) -> None:
    """Ids and data alike."""
    entry: object = 7 if form == "ids" else {"id": 7}
    read = trigger(audience={form: [entry] * count})

    assert isinstance(read, BroadcastTrigger) is (count <= LIST_MAX)


@pytest.mark.parametrize("count", [LIST_MAX, 200_000])
@pytest.mark.parametrize("entry", [1.5, None, {}, "", {"id": ""}])
@pytest.mark.parametrize("form", ["ids", "emails", "per_user_data"])
def test_a_list_of_faults_is_refused_at_once(form: str, entry: object, count: int) -> None:
    """At the first of them: to look at all would take longer than all else that a worker does with a record."""
    raw = orjson.dumps({"trigger_id": "t-1", "broadcast_id": 12, "audience": {form: [entry] * count}})
    started_s = time.process_time()
    read = decode_broadcast_trigger(raw)

    assert isinstance(read, Malformed)
    assert read.detail.startswith(f"audience.{form}" if count > LIST_MAX else f"audience.{form}.0")
    assert time.process_time() - started_s < 1


@given(st.sampled_from(["id", "email"]), st.booleans(), OBJECT | st.none())
def test_of_a_person_in_a_list_only_what_is_given_is_passed_on(
    name: str,
    is_other_null: bool,  # noqa: FBT001 - drawn
    data: dict[str, Any] | None,
) -> None:
    """Customer.io refuses a null id or address; nulls within a person's data are content."""
    person = {name: NAMED[name]} | ({} if data is None else {"data": data})
    nulls = dict.fromkeys({"id", "email"} - {name}) if is_other_null else {}
    read = trigger(audience={"per_user_data": [person | nulls]})

    assert isinstance(read, BroadcastTrigger)
    assert read.request() == {"per_user_data": [person]}


@given(JSON | st.dictionaries(st.sampled_from(["message_id", "channel", "identifiers", "to", "audience"]), JSON))
def test_nothing_that_is_written_raises(value: object) -> None:
    """It comes out as malformed, with a detail."""
    raw = orjson.dumps(value)

    for read in (decode_transactional_message(raw), decode_broadcast_trigger(raw)):
        assert not isinstance(read, Malformed) or read.detail
