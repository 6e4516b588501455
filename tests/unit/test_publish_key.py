"""Which key a line gets on its way to an input topic."""

import pytest

from streams.kafka.topic_plan import BROADCAST_TRIGGERS, DOMAIN_EVENTS, INPUTS, TRANSACTIONAL_MESSAGES, USER_CHANGES
from streams.messaging.drafts import message
from streams.publishing.publish_key import KEY_PATHS, find_key


@pytest.mark.parametrize(
    ("topic", "line", "key"),
    [
        (USER_CHANGES, b'{"type": "user.upserted", "user": {"id": "u-1"}}', b"u-1"),
        (USER_CHANGES, b'{"type": "user.deleted", "user_id": "u-1"}', b"u-1"),
        (USER_CHANGES, b'{"type": "user.upserted", "user": {"id": 17}}', b"17"),
        (USER_CHANGES, '{"user": {"id": "ü"}}'.encode(), "ü".encode()),
        (DOMAIN_EVENTS, b'{"name": "n", "user_id": "u-1"}', b"u-1"),
        (DOMAIN_EVENTS, b'{"name": "n", "anonymous_id": "a-1"}', b"a-1"),
        (DOMAIN_EVENTS, b'{"user_id": null, "anonymous_id": "a-1"}', b"a-1"),
        (DOMAIN_EVENTS, b'{"user_id": "u-1", "anonymous_id": "a-1"}', b"u-1"),
        (TRANSACTIONAL_MESSAGES, b'{"message_id": "m", "identifiers": {"id": "u-1"}}', b"u-1"),
        (TRANSACTIONAL_MESSAGES, b'{"message_id": "m", "identifiers": {"email": "ada@example.com"}}', b"m"),
        (TRANSACTIONAL_MESSAGES, b'{"message_id": 17, "identifiers": {"cio_id": "a3"}}', b"17"),
        (TRANSACTIONAL_MESSAGES, b'{"message_id": "m", "identifiers": {"id": null, "cio_id": "a3"}}', b"m"),
        (BROADCAST_TRIGGERS, b'{"trigger_id": "t", "broadcast_id": 12}', b"12"),
    ],
)
def test_the_key_is_what_the_topic_is_keyed_by(topic: str, line: bytes, key: bytes) -> None:
    """The user's id, else the anonymous one, or else the message's; of a broadcast its id."""
    assert find_key(line, topic=topic) == key


@pytest.mark.parametrize(
    ("topic", "line"),
    [
        (USER_CHANGES, b"no json"),
        (USER_CHANGES, b"null"),
        (USER_CHANGES, b"[1]"),
        (USER_CHANGES, b"\xff\xfe"),
        (USER_CHANGES, b'{"user": "u-1"}'),
        (USER_CHANGES, b'{"user": {"id": ""}}'),
        (USER_CHANGES, b'{"user": {"id": true}}'),
        (USER_CHANGES, b'{"user": {"id": 1.5}}'),
        (USER_CHANGES, b'{"user": {"id": 123456789012345678901234567890}}'),
        (USER_CHANGES, b'{"name": "n", "anonymous_id": "a-1"}'),
        (DOMAIN_EVENTS, b'{"user": {"id": "u-1"}}'),
        (TRANSACTIONAL_MESSAGES, b'{"identifiers": {"email": "ada@example.com"}}'),
        (USER_CHANGES, b"[" * 5_000),
    ],
)
def test_a_line_that_names_nobody_has_no_key(topic: str, line: bytes) -> None:
    """Bad records can be published on purpose: they go without key."""
    assert find_key(line, topic=topic) is None


@pytest.mark.parametrize("identifiers", [{"id": "u-1"}, {"id": 17}, {"email": "ada@example.com"}, {"cio_id": "a3"}])
def test_a_queued_message_has_the_key_of_a_published_one(identifiers: dict[str, str | int]) -> None:
    """So repeats meet on one partition, whichever way each came."""
    draft = message({"message_id": "m-1", "channel": "push", "identifiers": identifiers}, now_ms=0)

    assert draft.key == find_key(draft.value, topic=TRANSACTIONAL_MESSAGES)


def test_every_input_topic_has_a_key() -> None:
    """A new input topic cannot be forgotten here."""
    assert set(KEY_PATHS) == set(INPUTS)
