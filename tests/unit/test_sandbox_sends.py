"""The sandbox's sends over HTTP, without a network: what is accepted, and in which words it is refused."""

import base64
from typing import Any

import pytest

from tests.unit.app_sandbox import EMAIL, NOW, Sandbox

SHORT = {"transactional_message_id": 3, "identifiers": {"id": "u-1"}}
DAY_S = 86_400


def attached(size: int) -> str:
    """An attachment of so many bytes."""
    return base64.b64encode(b"x" * size).decode()


def without(name: str) -> dict[str, Any]:
    """The e-mail without one of its fields."""
    return {field: value for field, value in EMAIL.items() if field != name}


@pytest.mark.parametrize(
    ("channel", "body"),
    [
        ("email", EMAIL),
        ("email", {"to": '"Lovelace, Ada" <ada@example.com>, b@example.com', **SHORT}),
        ("email", EMAIL | {"headers": '[{"name":"X-Tag","value":"a"}]', "attachments": {"a.csv": attached(1_999_999)}}),
        ("email", EMAIL | {"headers": {"X-Tag": "a"}, "identifiers": {"cio_id": "0300"}, "something": "new"}),
        ("push", SHORT | {"to": "last_used", "title": "Hello", "custom_data": {}}),
        ("sms", SHORT | {"to": "+12025550123"}),
        ("in_app", SHORT | {"transactional_message_id": "welcome", "message_data": {"a": [1]}}),
    ],
)
async def test_an_accepted_send_has_a_delivery_id(channel: str, body: dict[str, Any]) -> None:
    """It is answered with the id and the time, under the usual headers."""
    answer = await Sandbox().send(body, channel=channel)

    assert (answer.status_code, answer.json()) == (200, {"delivery_id": "sandbox-000000000001", "queued_at": int(NOW)})
    assert answer.headers["content-type"] == "application/json; charset=utf-8"


@pytest.mark.parametrize(
    ("channel", "body", "status", "message"),
    [
        ("email", [], 400, "must be an object"),
        ("email", without("to"), 400, "to must be a string"),
        ("email", without("subject"), 400, "subject must be a string"),
        ("email", without("body"), 400, "body must be a string"),
        ("email", without("from"), 400, "from must be a string"),
        ("email", without("identifiers"), 400, "identifiers must have exactly one of id, email, cio_id"),
        ("email", EMAIL | {"identifiers": {"id": "a", "email": "b"}}, 400, "identifiers must have exactly one of"),
        ("email", EMAIL | {"identifiers": {"id": "a", "phone": "b"}}, 400, "identifiers must have exactly one of"),
        ("email", EMAIL | {"identifiers": {"id": ""}}, 400, "identifiers.id cannot be empty"),
        ("email", EMAIL | {"to": "nobody"}, 400, "to must be e-mail addresses, separated by commas"),
        ("email", EMAIL | {"to": "(" * 2_000}, 400, "to must be e-mail addresses, separated by commas"),
        ("email", EMAIL | {"to": "a:" * 2_000}, 400, "to must be e-mail addresses, separated by commas"),
        ("email", EMAIL | {"to": " "}, 400, "to cannot be empty"),
        ("email", EMAIL | {"message_data": []}, 400, "message_data must be an object"),
        ("email", EMAIL | {"send_at": int(NOW) + 91 * DAY_S}, 400, "send_at cannot be more than 90 days in the future"),
        ("email", EMAIL | {"headers": "no JSON"}, 400, "headers must be a JSON string"),
        ("email", EMAIL | {"headers": '[{"name":"X Tag","value":"a"}]'}, 400, "headers must have names and values of"),
        ("email", EMAIL | {"attachments": {"a.csv": "%"}}, 400, 'Attachment must be base64 encoded: "a.csv"'),
        ("email", EMAIL | {"attachments": {"a.exe": ""}}, 403, "Forbidden file type exe for attachment a.exe."),
        (
            "email",
            EMAIL | {"attachments": {"a.csv": attached(2_000_000)}},
            413,
            "Total attachment size exceeds the limit",
        ),
        ("push", {"identifiers": {"id": "u-1"}}, 400, "transactional_message_id must be an integer or a trigger name"),
        ("sms", SHORT, 400, "to must be a string"),
        ("sms", SHORT | {"to": "0171 2345"}, 400, "invalid phone number format"),
        ("in_app", SHORT | {"transactional_message_id": True}, 400, "transactional_message_id must be an integer or"),
    ],
)
async def test_a_broken_rule_is_refused_in_the_envelope_of_sends(
    channel: str, body: object, status: int, message: str
) -> None:
    """The answer says which rule in `meta.error`, and nothing is sent to anybody."""
    sandbox = Sandbox()
    answer = await sandbox.send(body, channel=channel)

    assert answer.status_code == status
    assert answer.json()["meta"]["error"].startswith(message)
    assert await sandbox.outbox() == []


@pytest.mark.parametrize(("count", "status"), [(15, 200), (16, 400)])
async def test_fifteen_recipients_are_the_most(count: int, status: int) -> None:
    """They are counted over `to`, `cc` and `bcc`."""
    many = ",".join(f"p-{number}@example.com" for number in range(count - 2))
    answer = await Sandbox().send(EMAIL | {"to": many, "cc": "c@example.com", "bcc": "b@example.com"})

    assert answer.status_code == status


@pytest.mark.parametrize("body", [b"", b"{", b'{"to":NaN}', b'{"a":' + b"[" * 300 + b"]" * 300 + b"}"])
async def test_what_is_no_strict_json_is_refused(body: bytes) -> None:
    """As is what is nested more deeply than a view could show."""
    answer = await Sandbox(drops_not_a_number=True).client.post("/v1/send/email", content=body)

    assert (answer.status_code, list(answer.json())) == (400, ["meta"])


async def test_an_oversized_body_is_a_413() -> None:
    """More than any mail with its attachments can be."""
    answer = await Sandbox().client.post("/v1/send/email", content=b" " * 8_000_001)

    assert answer.status_code == 413


async def test_the_named_person_is_created() -> None:
    """A send to somebody unknown makes a profile, which the message is then about; also by e-mail address."""
    sandbox = Sandbox()
    await sandbox.send()
    await sandbox.send(EMAIL | {"identifiers": {"email": "Ada@Example.com"}})

    assert (await sandbox.client.get("/sandbox/people/u-1")).status_code == 200
    assert (await sandbox.client.get("/sandbox/people/ada%40example.com")).status_code == 200
    assert len(sandbox.world.people) == 2


@pytest.mark.parametrize("status", [400, 404])
async def test_an_unknown_template_is_refused_once_templates_are_told(status: int) -> None:
    """With none told of, each exists; which status it is, Customer.io does not document."""
    sandbox = Sandbox(unknown_template_status=status)
    mail = {**SHORT, "to": "ada@example.com"}
    before = await sandbox.send(mail | {"transactional_message_id": 99})
    await sandbox.tell_templates()
    after = [await sandbox.send(mail | {"transactional_message_id": each}) for each in (99, "nothing", 3, "RECEIPT")]

    assert [each.status_code for each in (before, *after)] == [200, status, status, 200, 200]


async def test_a_template_is_of_one_channel() -> None:
    """An e-mail's template is none for a push message."""
    sandbox = Sandbox()
    await sandbox.tell_templates()

    assert (await sandbox.send(SHORT, channel="push")).status_code == 400
    assert (await sandbox.send(SHORT | {"transactional_message_id": "Shipped"}, channel="push")).status_code == 200


async def test_a_template_may_be_created_by_its_first_send() -> None:
    """Where the send asks for it and gives a name, not a number."""
    sandbox = Sandbox()
    await sandbox.tell_templates()
    created = {**EMAIL, "transactional_message_id": "hello", "auto_create": True}
    answers = [
        await sandbox.send(created | {"transactional_message_id": 99}),
        await sandbox.send(created),
        await sandbox.send(created | {"auto_create": False}),
    ]
    templates = (await sandbox.client.get("/v1/transactional")).json()["messages"]

    assert [answer.status_code for answer in answers] == [400, 200, 200]
    assert [(each["id"], each["name"]) for each in templates] == [(3, "Receipt"), (4, "shipped"), (5, "hello")]


async def test_a_channel_may_be_off() -> None:
    """A send over it is a 403 until it is enabled; the others work."""
    sandbox = Sandbox(features_off=("sms", "push"))
    sms = SHORT | {"to": "+12025550123"}
    off = [await sandbox.send(sms, channel="sms"), await sandbox.send()]
    await sandbox.client.put("/sandbox/account", json={"features_off": []})
    on = await sandbox.send(sms, channel="sms")

    assert [each.status_code for each in (*off, on)] == [403, 200, 200]
    assert "sms" in off[0].json()["meta"]["error"]


@pytest.mark.parametrize(("is_refused", "status"), [(False, 200), (True, 400)])
async def test_a_send_to_somebody_suppressed_may_be_an_error(*, is_refused: bool, status: int) -> None:
    """It is a 200 and nothing is sent, or a refusal."""
    sandbox = Sandbox(refuses_suppressed=is_refused)
    await sandbox.suppress("u-1")
    answer = await sandbox.send()

    assert answer.status_code == status
    assert [each["status"] for each in await sandbox.outbox()] == ([] if is_refused else ["suppressed"])
    assert len(sandbox.world.people) == 0
