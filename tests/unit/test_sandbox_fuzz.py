"""Whatever arrives, the sandbox answers: nothing that is JSON makes a rule, the world or a view fail."""

from functools import partial
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.sandbox.operation import Identifier, Operation, RefusedError
from streams.sandbox.options import SandboxOptions
from streams.sandbox.page import render
from streams.sandbox.request_log import RequestLog
from streams.sandbox.track_v1 import read_added_device, read_anonymous_event, read_event, read_identify, read_merge
from streams.sandbox.track_v2 import ACTIONS, PERSON_ACTIONS, read_item
from streams.sandbox.views import show_person, summarise
from streams.sandbox.world import World

OPTIONS = SandboxOptions(keep_log=True)
LENIENT_AND_LATE = SandboxOptions(
    keep_log=True,
    rejects_malformed_ulid=False,
    refuses_milliseconds=False,
    event_for_nobody="hold",
    dedupe_window_s=1,
    apply_after_s=5,
    applies_out_of_order=True,
)
FIELDS = (
    "id",
    "email",
    "name",
    "data",
    "timestamp",
    "_timestamp",
    "token",
    "device_token",
    "platform",
    "object_id",
    "primary",
    "device",
)
TEXT = st.sampled_from(["", "a", "B@example.com", "b@example.com", "0" * 26, "opened", "é" * 80])
SCALARS = st.none() | st.booleans() | st.integers(-1, 2**63 - 1) | st.floats(allow_nan=False) | TEXT
JSON = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(FIELDS), inner, max_size=4),
    max_leaves=8,
)
NAMED = st.dictionaries(st.sampled_from(["id", "email", "phone", "cio_id", "object_id", "object_type_id"]), TEXT)
ITEMS = JSON | st.fixed_dictionaries(
    {"type": st.sampled_from([*ACTIONS]), "action": st.sampled_from([*PERSON_ACTIONS, "identify_anonymous"])},
    optional={
        "identifiers": NAMED | JSON,
        "attributes": JSON,
        "timestamp": JSON,
        "name": TEXT | JSON,
        "id": TEXT | JSON,
        "device": st.fixed_dictionaries({"token": TEXT, "platform": st.just("ios")}) | JSON,
        "primary": NAMED,
        "secondary": NAMED,
        "cio_relationships": JSON,
    },
)


def show_all(world: World) -> None:
    """Render every view."""
    people = [show_person(person) for person in world.people]
    orjson.dumps(people)
    render(summarise(world, RequestLog(), now=1.0), people)


@pytest.mark.parametrize("options", [OPTIONS, LENIENT_AND_LATE])
@given(items=st.lists(ITEMS, max_size=12))
def test_any_item_is_applied_or_refused(options: SandboxOptions, items: list[Any]) -> None:
    """An item becomes an operation that can be applied and shown, at once or later, or a refusal."""
    world = World(options=options)
    read = [read_item(item, options=options) for item in items]
    accepted = [operation for operation in read if isinstance(operation, Operation)]
    for operation in accepted:
        world.apply(operation, now=1.0)
    show_all(world)
    world.settle(now=9.0)
    show_all(world)

    assert world.chronicle.applied == world.chronicle.seq == len(accepted)


@given(JSON)
def test_any_v1_body_is_applied_or_refused(body: object) -> None:
    """A v1 body becomes an operation that can be applied and shown, or a refusal."""
    world = World(options=OPTIONS)
    ada = Identifier("id", "u-1")
    accepted = 0
    for read in (
        partial(read_identify, ada, body, options=OPTIONS),
        partial(read_event, ada, body, options=OPTIONS),
        partial(read_anonymous_event, body, options=OPTIONS),
        partial(read_added_device, ada, body),
        partial(read_merge, body),
    ):
        try:
            world.apply(read(), now=1.0)
        except RefusedError:
            continue
        accepted += 1

    show_all(world)
    assert world.chronicle.seq == accepted


def test_the_deepest_value_that_is_accepted_can_be_shown() -> None:
    """Nesting is refused before it is too deep for the log and the views around it."""
    world = World(options=OPTIONS)
    ada = Identifier("id", "u-1")
    nested: list[Any] = []
    accepted = 0
    for _ in range(300):
        nested = [nested]
        try:
            world.apply(read_identify(ada, {"a": nested}, options=OPTIONS), now=1.0)
        except RefusedError:
            break
        accepted += 1
        show_all(world)

    assert 200 < accepted < 300
