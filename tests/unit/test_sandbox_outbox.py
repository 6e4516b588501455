"""The sandbox's outbox: each message as its person would get it, for people and for programs."""

from typing import Any

import orjson
import pytest

from streams.sandbox.liquid import Filled, fill
from streams.sandbox.operation import Identifier
from streams.sandbox.outbox import Delivery, Outbox
from tests.unit.app_sandbox import EMAIL, NOW, Sandbox

RECEIPT: dict[str, Any] = {
    "to": "ada@example.com",
    "identifiers": {"id": "u-1"},
    "transactional_message_id": 3,
    "message_data": {"total": 42.5, "items": [{"name": "a <b>lamp</b>"}]},
}
VALUES = {"a": {"b": [1, {"c": "x"}], "empty": "", "none": None}, "flag": True, "deep-er": 2}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("no placeholder", Filled(text="no placeholder")),
        ("{{a.b[0]}}{{ a.b.1.c }}", Filled(text="1x")),
        ("{{-flag -}} {{deep-er}}", Filled(text="true 2")),
        ("{{a.b}}", Filled(text='[1,{"c":"x"}]')),
        ("<{{a.empty}}>", Filled(text="<>")),
        ("<{{a.none}}{{x.y}}{{x.y}}{{a.b[9]}}>", Filled(text="<>", missing=("a.none", "x.y", "a.b[9]"))),
        ("{{a.b.99999999999999999999}}", Filled(text="", missing=("a.b.99999999999999999999",))),
        ("{{x | default: 'you'}} {{ flag|default: \"no\" }}{{a.empty | default:''}}", Filled(text="you true")),
        ("{{flag | upcase}}", Filled(text="{{flag | upcase}}", is_whole=False)),
        ("{% if flag %}{{flag}}{% endif %}", Filled(text="{% if flag %}true{% endif %}", is_whole=False)),
        ("{{ }} {{", Filled(text="{{ }} {{", is_whole=False)),
    ],
)
def test_placeholders_are_filled(text: str, expected: Filled) -> None:
    """With paths and defaults; what has no value is empty and named, other Liquid stays as it is."""
    assert fill(text, VALUES) == expected


async def test_a_message_is_shown_as_its_person_would_get_it() -> None:
    """Its template is filled with the message's data and with what is known of the person."""
    sandbox = Sandbox()
    await sandbox.tell_templates()
    await sandbox.identify("u-1", first_name="Ada")
    await sandbox.send(RECEIPT)
    (delivery,) = await sandbox.outbox()

    assert delivery == {
        "seq": 1,
        "delivery_id": "sandbox-000000000001",
        "queued_at": NOW,
        "send_at": None,
        "channel": "email",
        "status": "sent",
        "identifiers": {"id": "u-1"},
        "to": ["ada@example.com"],
        "cc": [],
        "bcc": [],
        "from": "shop@example.com",
        "subject": "Ada, your receipt",
        "body": "<p>You paid 42.5 for a <b>lamp</b>.</p>",
        "attachments": {},
        "data": RECEIPT["message_data"],
        "transactional_message_id": 3,
        "broadcast_id": None,
        "trigger_id": None,
        "campaign_id": None,
        "trigger_event_id": None,
        "missing": [],
        "is_whole": True,
    }


async def test_a_message_s_own_words_come_before_its_template_s() -> None:
    """Subject and body of the send; the sender is still the template's."""
    sandbox = Sandbox()
    await sandbox.tell_templates()
    await sandbox.send(RECEIPT | {"subject": "Hello {{total}}", "body": "", "cc": "c@example.com"})
    (delivery,) = await sandbox.outbox()

    assert [delivery[name] for name in ("subject", "body", "from", "cc")] == [
        "Hello 42.5",
        "",
        "shop@example.com",
        ["c@example.com"],
    ]


async def test_a_broadcast_is_filled_in_for_each_of_its_people() -> None:
    """With the trigger's data, and each one's own before them."""
    sandbox = Sandbox()
    await sandbox.tell_templates()
    await sandbox.identify("u-1", email="ada@example.com", first_name="Ada")
    await sandbox.identify("u-2", email="bob@example.com", first_name="Bob")
    people = [{"id": "u-1"}, {"id": "u-2", "data": {"code": "B"}}]
    await sandbox.trigger({"data": {"code": "A"}, "per_user_data": people})
    shown = [(each["to"], each["subject"], each["broadcast_id"], each["trigger_id"]) for each in await sandbox.outbox()]

    assert shown == [(["ada@example.com"], "A for Ada", 12, 1), (["bob@example.com"], "B for Bob", 12, 1)]


@pytest.mark.parametrize(
    ("wanted", "tokens"), [("all", ["t-1", "t-2"]), ("last_used", ["t-1"]), ("t-2", ["t-2"]), ("t-9", [])]
)
async def test_a_push_goes_to_the_devices_that_the_person_has(wanted: str, tokens: list[str]) -> None:
    """All, the one used last, or the one named; without any, nobody gets it."""
    sandbox = Sandbox()
    for token, last_used in (("t-1", 9), ("t-2", 5)):
        device = {"device": {"id": token, "platform": "ios", "last_used": last_used}}
        await sandbox.client.put("/api/v1/customers/u-1/devices", json=device, auth=("site", "key"))
    push = {"identifiers": {"id": "u-1"}, "transactional_message_id": 4, "to": wanted, "message": "On its way"}
    await sandbox.send(push, channel="push")
    (delivery,) = await sandbox.outbox()

    assert (delivery["to"], delivery["status"]) == (tokens, "sent" if tokens else "no_address")


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({}, "sent"),
        ({"queue_draft": True}, "draft"),
        ({"send_to_unsubscribed": False}, "unsubscribed"),
        ({"identifiers": {"cio_id": "nobody"}}, "unknown_person"),
        ({"send_at": int(NOW) - 5}, "sent"),
        ({"send_at": int(NOW) + 60}, "scheduled"),
    ],
)
async def test_only_what_is_sent_reaches_anybody(changes: dict[str, Any], status: str) -> None:
    """A person who has unsubscribed gets transactional messages, unless the message says otherwise."""
    sandbox = Sandbox()
    await sandbox.identify("u-1", unsubscribed=True)
    answer = await sandbox.send(EMAIL | changes)
    (delivery,) = await sandbox.outbox()
    state = (await sandbox.client.get("/sandbox/state")).json()

    assert (delivery["status"], state["messages"]) == (status, {status: 1})
    assert answer.json().get("send_at") == (changes["send_at"] if status == "scheduled" else None)


@pytest.mark.parametrize("is_suppressed", [False, True])
async def test_a_scheduled_message_is_sent_in_its_time(*, is_suppressed: bool) -> None:
    """To the person as the person is then: with a name by now, or suppressed meanwhile."""
    sandbox = Sandbox()
    await sandbox.send(EMAIL | {"send_at": int(NOW) + 60, "subject": "Hello {{customer.first_name}}"})
    sandbox.now += 30
    await sandbox.identify("u-1", first_name="Ada")
    if is_suppressed:
        await sandbox.suppress("u-1")
    early = [each["status"] for each in await sandbox.outbox()]
    sandbox.now += 30
    (delivery,) = await sandbox.outbox()

    assert early == ["scheduled"]
    assert delivery["status"] == ("suppressed" if is_suppressed else "sent")
    assert is_suppressed or delivery["subject"] == "Hello Ada"
    assert sum(sandbox.world.outbox.ends.values()) == 1


async def test_the_page_shows_messages_and_runs_nothing_of_them() -> None:
    """Bodies stand in frames in which nothing runs and for which nothing is fetched; all else is escaped."""
    sandbox = Sandbox()
    await sandbox.suppress("u-2")
    evil = '<script>alert("x")</script>'
    await sandbox.send(EMAIL | {"subject": evil, "body": evil, "attachments": {"a.csv": "eHg="}})
    await sandbox.send(EMAIL | {"identifiers": {"id": "u-2"}})
    await sandbox.send(EMAIL | {"body": "{{message_data.total}} {% if x %}", "send_at": int(NOW) + 60})
    await sandbox.send(
        {"identifiers": {"id": "u-1"}, "transactional_message_id": 5, "to": "+12025550123"}, channel="sms"
    )
    page = await sandbox.page()
    answer = await sandbox.client.get("/sandbox/outbox", headers={"accept": "text/html"})

    assert "<script" not in page
    assert "Suppressed: nothing was sent" in page
    assert "Not sent yet: due at 2023-11-14 22:14:20 UTC" in page
    assert "left empty: message_data.total" in page
    assert "stays as it is written" in page
    assert "a.csv (2 bytes)" in page
    assert "was told of no body" in page
    assert "+12025550123" in page
    assert "default-src 'none'" in answer.headers["content-security-policy"]
    assert 'href="/sandbox/outbox"' in (await sandbox.client.get("/")).text


async def test_programs_read_on_where_they_were() -> None:
    """`after` leaves out what was read; what is no number is refused."""
    sandbox = Sandbox()
    for _ in range(3):
        await sandbox.send()
    lines = (await sandbox.client.get("/sandbox/outbox?after=2")).text.splitlines()

    assert [orjson.loads(line)["seq"] for line in lines] == [3]
    assert (await sandbox.client.get("/sandbox/outbox?after=x")).status_code == 400


@pytest.mark.parametrize(
    "templates",
    [
        {"transactional": [{"id": 0}]},
        {"transactional": [{"id": 1, "channel": "fax"}]},
        {"broadcasts": [{"id": 1, "text": "x"}]},
        {"broadcasts": [{"id": 1, "body": "x" * 100_001}]},
        {"other": []},
    ],
)
async def test_wrong_templates_are_refused(templates: dict[str, Any]) -> None:
    """Nothing is changed, and the fault is named."""
    sandbox = Sandbox()
    await sandbox.tell_templates()
    before = (await sandbox.client.get("/sandbox/templates")).json()
    answer = await sandbox.client.put("/sandbox/templates", json=templates)

    assert (answer.status_code, "error" in answer.json()) == (400, True)
    assert before == (await sandbox.client.get("/sandbox/templates")).json()


@pytest.mark.parametrize(("deliveries", "characters", "kept"), [(3, 10_000, 3), (10, 25, 2), (10, 1, 1)])
def test_the_outbox_is_bounded(deliveries: int, characters: int, kept: int) -> None:
    """The oldest are dropped, and counted; the newest always stays."""
    outbox = Outbox(deliveries_max=deliveries, characters_max=characters)
    for number in range(5):
        identifier = Identifier("id", f"u-{number}")
        outbox.put(Delivery(seq=outbox.next_seq(), queued_at=0, channel="sms", identifier=identifier, body="x" * 10))

    assert [each.seq for each in outbox.newest(10)] == [5, 4, 3, 2, 1][:kept]
    assert (outbox.count, outbox.dropped, outbox.ends["sent"]) == (5, 5 - kept, 5)
