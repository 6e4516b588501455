"""What the sandbox reports: which webhooks come of what happens in it, and when."""

import pytest

from streams.sandbox.message import Channel
from streams.sandbox.operation import Identifier
from streams.sandbox.outbox import Delivery
from tests.unit.webhook_world import NOW, TEMPLATES, ULID, WebhookWorld, metrics

LIFE = ["sent", "delivered", "opened", "clicked", "converted"]


def make_world(**options: object) -> WebhookWorld:
    """Build one with Ada, of whom all addresses are known."""
    world = WebhookWorld(**options)
    world.act("add_device", device={"token": "t-1", "platform": "ios", "last_used": 1})
    world.identify(email="ada@example.com", first_name="Ada")
    return world


@pytest.mark.parametrize(
    ("channel", "expected"),
    [
        ("email", LIFE),
        ("push", LIFE),
        ("sms", ["sent", "delivered", "clicked", "converted"]),
        ("in_app", ["sent", "opened", "clicked", "converted"]),
    ],
)
def test_a_message_goes_through_what_its_channel_knows(channel: Channel, expected: list[str]) -> None:
    """In this order, each with a time and an id of its own."""
    world = make_world()
    world.send(channel)
    bodies = world.bodies()
    times = [body["timestamp"] for body in bodies]

    assert metrics(bodies) == [f"{channel} {metric}" for metric in expected]
    assert times == sorted(times)
    assert len({body["event_id"] for body in bodies}) == len(bodies)
    assert {body["data"]["delivery_id"] for body in bodies} == {"sandbox-000000000001"}


@pytest.mark.parametrize(
    ("chances", "expected"),
    [
        ({"bounced": 1}, ["sent", "bounced"]),
        ({"delivered": 0}, ["sent"]),
        ({"spammed": 1}, ["sent", "delivered", "spammed"]),
        ({"opened": 0}, ["sent", "delivered"]),
        ({"clicked": 0}, ["sent", "delivered", "opened"]),
        ({"converted": 0}, ["sent", "delivered", "opened", "clicked"]),
    ],
)
def test_each_chance_says_how_far_it_goes(chances: dict[str, int], expected: list[str]) -> None:
    """What did not happen is followed by nothing."""
    world = make_world(**chances)
    world.send()

    assert metrics(world.bodies()) == [f"email {metric}" for metric in expected]


def test_a_message_says_what_it_was_made_by() -> None:
    """A template, a broadcast's trigger, or a campaign with the event that triggered it."""
    world = make_world(delivered=0, opened=0)
    world.send()
    world.send(template=3, channel="sms")
    world.broadcast()
    world.happen()
    of_template, of_sms, of_broadcast, of_campaign, _ = sorted(
        (body["data"] for body in world.bodies()), key=lambda data: str(data["delivery_id"])
    )

    assert (of_template["transactional_message_id"], of_sms["transactional_message_id"]) == (1, 3)
    assert (of_broadcast["broadcast_id"], of_broadcast["trigger_id"]) == (12, 1)
    assert (of_campaign["campaign_id"], of_campaign["trigger_event_id"]) == (21, ULID)
    assert of_campaign["subject"] == "Thank you for a lamp, Ada"
    assert of_campaign["identifiers"] == {"id": "u-1", "email": "ada@example.com", "cio_id": "000000000001"}


def test_an_event_triggers_each_campaign_once() -> None:
    """A repeat of it, another event, and one that is older than 72 hours trigger nothing."""
    world = make_world(delivered=0)
    world.happen()
    world.happen()
    world.happen(name="visit", event_id=None)
    world.happen(event_id=None, timestamp=int(NOW) - 73 * 3_600)
    world.happen(event_id=None, now=NOW + 5, timestamp=int(NOW) - 71 * 3_600)

    sent = [body["data"] for body in world.bodies() if body["metric"] == "sent"]
    assert [
        (each["campaign_id"], each["trigger_event_id"]) for each in sorted(sent, key=lambda each: each["delivery_id"])
    ] == [
        (21, ULID),
        (22, ULID),
        (21, None),
        (22, None),
    ]


def test_a_campaign_does_not_reach_who_has_unsubscribed_or_has_no_address() -> None:
    """That is told too."""
    world = WebhookWorld()
    world.happen()
    world.identify(email="ada@example.com", unsubscribed=True)
    world.happen(event_id=None)
    messages = [body for body in world.bodies() if body["object_type"] == "email"]

    assert metrics(messages) == ["email undeliverable"] * 2
    assert {body["data"]["failure_message"] for body in messages} == {
        "The person has no address of this kind",
        "The person has unsubscribed",
    }


def test_whoever_unsubscribes_is_unsubscribed() -> None:
    """The message says so, then the person; after a while, some think better of it."""
    world = make_world(unsubscribed=1, resubscribed=1, opened=0)
    world.send()
    bodies = world.bodies()

    assert metrics(bodies)[2:] == ["email unsubscribed", "customer unsubscribed", "customer subscribed"]
    assert bodies[3]["data"]["email_address"] == "ada@example.com"
    person = world.world.people.find(Identifier("id", "u-1"))
    assert person is not None
    assert not person.is_unsubscribed


def test_a_change_of_the_person_is_told() -> None:
    """When it says something else than before, and only then."""
    world = make_world()
    for unsubscribed in (False, True, "true", 1, False, False):
        world.identify(unsubscribed=unsubscribed)

    assert metrics(world.bodies()) == ["customer unsubscribed", "customer subscribed"]


def test_whoever_leaves_a_topic_has_left_it() -> None:
    """The webhook names the message that was the occasion."""
    world = make_world(preferences_changed=1, opened=0)
    world.happen()
    world.send()
    bodies = world.bodies()
    (changed,) = (body for body in bodies if body["object_type"] == "customer")
    person = world.world.people.find(Identifier("id", "u-1"))

    assert changed["metric"] == "cio_subscription_preferences_changed"
    assert changed["data"]["content"] == '{"topics":{"topic_1":false}}'
    assert changed["data"]["campaign_id"] == 21
    assert person is not None
    assert person.values["cio_subscription_preferences"] == {"topics": {"topic_1": False}}


def test_what_somebody_gone_would_have_changed_changes_nothing() -> None:
    """Deleted between the message and its end."""
    world = make_world(unsubscribed=1, resubscribed=1, opened=0)
    world.send()
    world.act("delete")

    assert metrics(world.bodies()) == ["email sent", "email delivered", "email unsubscribed"]
    assert len(world.world.people) == 0


def test_a_draft_is_told_as_such_and_a_scheduled_message_in_its_time() -> None:
    """Nothing is said of a message before it is sent."""
    world = make_world(delivered=0)
    world.send(is_draft=True)
    world.send(send_at=int(NOW) + 3_600)
    before = world.bodies(now=NOW + 3_000)
    world.mailroom.settle(now=NOW + 3_601)
    after = world.bodies(now=NOW + 4_000)

    assert (metrics(before), metrics(after)) == (["email drafted"], ["email sent"])
    assert after[0]["timestamp"] >= int(NOW) + 3_600


def test_things_happen_in_their_time() -> None:
    """A step takes what the options say, on average; with none, everything is at once."""
    slow, quick = make_world(step_s=60), make_world(step_s=0)
    slow.send()
    quick.send()

    assert (len(slow.bodies(now=NOW)), len(slow.bodies(now=NOW + 5 * 120))) == (0, 5)
    assert len(quick.bodies(now=NOW)) == 5


def tell(seed: int) -> list[bytes]:
    """Let much happen, and give every body."""
    world = make_world(seed=seed, repeated=0.5, unsubscribed=0.5, resubscribed=0.5, opened=0.5, preferences_changed=0.5)
    for _ in range(20):
        world.send()
        world.happen(event_id=None)
    return world.raw()


def test_the_same_seed_tells_the_same() -> None:
    """Byte for byte."""
    assert tell(1) == tell(1)
    assert tell(1) != tell(2)


def test_a_repeat_is_the_same_again() -> None:
    """With the same event id, so that a receiver can tell."""
    world = make_world(repeated=1)
    world.send()
    raw = world.raw()

    assert len(raw) == 10
    assert raw[::2] == raw[1::2]
    assert world.webhooks.shown()["repeated"] == 5


def test_without_a_receiver_nothing_is_prepared() -> None:
    """It costs nothing then; messages are sent all the same."""
    world = make_world(url=None)
    world.send()
    world.identify(unsubscribed=True)

    assert (world.webhooks.shown()["to_come"], world.bodies()) == (0, [])
    assert world.world.outbox.count == 1


def test_a_message_to_nobody_is_not_told() -> None:
    """Webhooks are about people."""
    world = make_world()
    world.act("suppress")
    world.send()
    world.world.outbox.put(Delivery(seq=9, queued_at=NOW, channel="email", identifier=None))

    assert world.bodies() == []


def test_templates_without_a_number_are_called_as_they_were() -> None:
    """By their name, else by nothing."""
    world = make_world(delivered=0)
    world.mailroom._templates.change({"transactional": ()})
    world.send(template="unheard of")
    world.send(template=None)

    told = {body["data"]["transactional_message_id"] for body in world.bodies()}
    assert told == {"unheard of", None}
    assert TEMPLATES.transactional != ()
