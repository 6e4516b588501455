"""Whatever arrives at its App API, the sandbox answers: no JSON makes a rule, the mailroom or a view fail."""

from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.sandbox.app_broadcast import FORMS, read_trigger
from streams.sandbox.app_send import read_send
from streams.sandbox.liquid import fill
from streams.sandbox.mailroom import Mailroom
from streams.sandbox.message import CHANNELS, Channel
from streams.sandbox.operation import Identifier, RefusedError
from streams.sandbox.options import SandboxOptions
from streams.sandbox.outbox_page import render_outbox
from streams.sandbox.switch import Switch
from streams.sandbox.templates import Templates
from streams.sandbox.world import World
from tests.unit.app_sandbox import TEMPLATES
from tests.unit.sandbox_operations import identify

OPTIONS = SandboxOptions(refuses_unfit_flags=False)
TEXT = st.sampled_from(
    [
        "",
        "a",
        "ada@example.com",
        "a@b, c@d",
        "+12025550123",
        "{{x}}",
        "{{customer.y.0}}",
        "{% if %}",
        "Receipt",
        "é" * 80,
    ]
)
SCALARS = st.none() | st.booleans() | st.integers(-1, 2**63 - 1) | st.floats(allow_nan=False) | TEXT
KEYS = st.sampled_from(
    ["id", "email", "cio_id", "data", "and", "or", "not", "segment", "attribute", "field", "operator"]
)
JSON = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS | TEXT, inner, max_size=4),
    max_leaves=8,
)
IDENTIFIERS = st.dictionaries(st.sampled_from(["id", "email", "cio_id", "phone"]), TEXT, max_size=2)
OPTIONAL: dict[str, st.SearchStrategy[Any]] = {
    "transactional_message_id": st.sampled_from([3, 4, "receipt", "new"]) | JSON,
    **dict.fromkeys(("subject", "body", "from", "cc", "title", "message", "headers"), TEXT | JSON),
    "message_data": st.dictionaries(KEYS | TEXT, JSON, max_size=3) | JSON,
    "attachments": st.dictionaries(st.sampled_from(["a.csv", "b.exe", "c"]), TEXT | JSON, max_size=2),
    "send_at": st.sampled_from([0, 5, 10**9]) | JSON,
    **dict.fromkeys(("queue_draft", "auto_create", "send_to_unsubscribed"), st.booleans() | JSON),
}
SENDS = JSON | st.fixed_dictionaries({"identifiers": IDENTIFIERS | JSON, "to": TEXT | JSON}, optional=OPTIONAL)
PEOPLE = st.lists(st.fixed_dictionaries({}, optional={"id": TEXT, "email": TEXT, "data": JSON}) | JSON, max_size=3)
FORM_NAMES: tuple[str, ...] = FORMS
AUDIENCE: dict[str, st.SearchStrategy[Any]] = {
    **dict.fromkeys(FORM_NAMES, JSON),
    "per_user_data": PEOPLE,
    "ids": st.lists(TEXT, max_size=3),
    "data": st.dictionaries(KEYS, JSON, max_size=3),
    **dict.fromkeys(("id_ignore_missing", "email_ignore_missing"), st.booleans()),
}
TRIGGERS = JSON | st.fixed_dictionaries({}, optional=AUDIENCE)


def make_mailroom(*, is_told: bool) -> tuple[Mailroom, World]:
    """A mailroom with a person, and with templates or none."""
    world = World(options=OPTIONS)
    world.apply(identify(Identifier("id", "a"), email="ada@example.com", x={"y": [1]}, unsubscribed="1"), now=0)
    templates = Switch(Templates())
    templates.change(TEMPLATES if is_told else {})
    return Mailroom(world, templates=templates, options=OPTIONS), world


def show_all(world: World) -> None:
    """Render every view of the outbox."""
    shown = [delivery.as_json() for delivery in world.outbox.newest(100)]
    orjson.dumps(shown)
    render_outbox(shown, count=world.outbox.count)


@pytest.mark.parametrize("is_told", [False, True])
@pytest.mark.parametrize("channel", CHANNELS)
@given(bodies=st.lists(SENDS, max_size=6))
def test_any_send_is_carried_out_or_refused(*, channel: Channel, is_told: bool, bodies: list[Any]) -> None:
    """A body becomes a message in the outbox, at once or later, or a refusal; every message has one end."""
    mailroom, world = make_mailroom(is_told=is_told)
    sent = 0
    for body in bodies:
        try:
            mailroom.send(read_send(channel, body, now=1.0), now=1.0)
        except RefusedError:
            continue
        sent += 1
    show_all(world)
    mailroom.settle(now=1e10)
    show_all(world)

    assert sent == world.outbox.count == sum(world.outbox.ends.values())
    assert world.outbox.ends["scheduled"] == 0


@pytest.mark.parametrize("is_told", [False, True])
@given(bodies=st.lists(TRIGGERS, max_size=6))
def test_any_trigger_is_carried_out_or_refused(*, is_told: bool, bodies: list[Any]) -> None:
    """A body becomes a trigger, with messages or with errors and without any, or a refusal."""
    mailroom, world = make_mailroom(is_told=is_told)
    triggered = 0
    for body in bodies:
        try:
            trigger = read_trigger(body, options=OPTIONS)
        except RefusedError:
            continue
        before = world.outbox.count
        done = mailroom.trigger(12, trigger, now=1.0)
        triggered += 1
        assert not done.errors or world.outbox.count == before
    show_all(world)

    assert triggered == mailroom.triggers.count == len(mailroom.triggers.of(12))


@given(text=st.text(alphabet="{}%|-.[]0a'\" ", max_size=60), values=st.dictionaries(st.just("a"), JSON))
def test_any_text_can_be_filled(text: str, values: dict[str, Any]) -> None:
    """Whatever stands in it; what holds no placeholder stays as it is."""
    filled = fill(text, values)

    assert filled.text == text or "{{" in text


def test_the_deepest_data_that_are_accepted_can_be_shown() -> None:
    """Nesting is refused before it is too deep for the views around it."""
    mailroom, world = make_mailroom(is_told=False)
    nested: list[Any] = []
    accepted = 0
    for _ in range(300):
        nested = [nested]
        body = {"identifiers": {"id": "a"}, "transactional_message_id": 3, "message_data": {"x": nested}}
        try:
            mailroom.send(read_send("in_app", body, now=1.0), now=1.0)
        except RefusedError:
            break
        accepted += 1
    show_all(world)

    assert 200 < accepted < 300
