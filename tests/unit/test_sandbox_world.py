"""What the sandbox's workspace keeps: people, attributes by timestamp, events by ULID, suppressions."""

from dataclasses import replace
from typing import Any

from streams.sandbox.chronicle import Chronicle
from streams.sandbox.operation import Identifier, Operation
from streams.sandbox.options import SandboxOptions
from streams.sandbox.people import People
from streams.sandbox.person import DEVICES_MAX, Person
from streams.sandbox.world import World

NOW = 1_700_000_000.0
ADA = Identifier("id", "u-1")
BOB = Identifier("id", "u-2")
EMAIL = Identifier("email", "ada@example.com")


def make_world(**options: Any) -> World:  # noqa: ANN401 - the options' own types hold
    """Build an empty workspace."""
    return World(options=SandboxOptions(**options))


def identify(identifier: Identifier = ADA, *, timestamp: int | None = None, **attributes: object) -> Operation:
    """Build an identify."""
    return Operation(
        kind="person", action="identify", identifier=identifier, attributes=attributes, timestamp=timestamp
    )


def act(action: str, identifier: Identifier = ADA, **fields: Any) -> Operation:  # noqa: ANN401 - as the operation's
    """Build any other operation on a person."""
    return Operation(kind="person", action=action, identifier=identifier, **fields)


def apply_all(world: World, *operations: Operation) -> list[str | None]:
    """Apply one after the other and say why each had no effect."""
    return [world.apply(operation, now=NOW) for operation in operations]


def person_of(world: World, identifier: Identifier = ADA) -> Person:
    """Return a person who must exist."""
    person = world.people.find(identifier)
    assert person is not None
    return person


def test_the_newest_timestamp_wins_for_each_attribute() -> None:
    """An older update sets only what no newer one has set."""
    world = make_world()
    apply_all(
        world,
        identify(timestamp=100, plan="pro"),
        identify(timestamp=50, plan="free", city="London"),
        identify(timestamp=60, city="Paris"),
        identify(timestamp=55, city="Rome"),
    )

    assert person_of(world).shown_attributes() == {"plan": "pro", "city": "Paris"}


def test_equal_timestamps_count_by_arrival() -> None:
    """Of two updates of the same second the later one to arrive wins."""
    world = make_world()
    apply_all(
        world,
        identify(timestamp=100, plan="free", city="London"),
        identify(timestamp=100, plan="pro"),
        identify(timestamp=100, city="Paris"),
    )

    assert person_of(world).shown_attributes() == {"plan": "pro", "city": "Paris"}


def test_an_update_without_time_counts_by_arrival() -> None:
    """Without timestamp an update always counts, and an older one that comes after it does not."""
    world = make_world()
    last = identify(timestamp=int(NOW) - 1, plan="late")

    assert apply_all(world, identify(timestamp=int(NOW) + 9, plan="a"), identify(plan="b"), last) == [
        None,
        None,
        "older",
    ]
    assert person_of(world).shown_attributes() == {"plan": "b"}


def test_a_cleared_attribute_stays_cleared() -> None:
    """Null or an empty text clears an attribute, and an older update does not bring it back."""
    world = make_world()
    apply_all(
        world,
        identify(timestamp=10, plan="pro", city="London"),
        identify(timestamp=30, plan=None, city=""),
        identify(timestamp=20, plan="free"),
    )

    assert person_of(world).shown_attributes() == {}


def test_a_person_has_at_most_300_attributes() -> None:
    """Attributes beyond the limit are not added, those that are there can change."""
    world = make_world()
    apply_all(world, act("identify", attributes={f"a{n}": n for n in range(300)}), identify(extra=1, a0="changed"))
    attributes = person_of(world).shown_attributes()

    assert (len(attributes), attributes["a0"]) == (300, "changed")


def test_email_is_found_in_any_case_and_id_is_not() -> None:
    """E-mail addresses are case-insensitive, ids are case-sensitive."""
    world = make_world()
    apply_all(world, identify(email="Ada@Example.com"))

    assert person_of(world) is world.people.find(Identifier("email", "ADA@example.COM"))
    assert world.people.find(Identifier("id", "U-1")) is None


def test_a_new_id_with_a_known_email_names_that_person() -> None:
    """Somebody known by e-mail only gets the id, and stays one person."""
    world = make_world()
    apply_all(world, identify(EMAIL, plan="pro"), identify(email=EMAIL.value))

    assert len(world.people) == 1
    assert person_of(world) is person_of(world, EMAIL)


def test_an_email_of_somebody_else_fails_the_update() -> None:
    """Two people never share an e-mail address; the update is accepted and has no effect."""
    world = make_world()
    apply_all(world, identify(email=EMAIL.value), identify(BOB, plan="pro"))

    assert apply_all(
        world,
        identify(BOB, plan="free", email=EMAIL.value),
        identify(Identifier("id", "u-3"), email=EMAIL.value),
    ) == ["conflict", "conflict"]
    assert person_of(world, BOB).shown_attributes() == {"plan": "pro"}


def test_an_id_cannot_change_except_by_cio_id() -> None:
    """A set id changes only under the person's `cio_id`."""
    world = make_world()
    apply_all(world, identify(plan="pro"))
    cio_id = Identifier("cio_id", person_of(world).cio_id)

    assert apply_all(world, identify(id="u-9"), identify(cio_id, id="u-9")) == ["conflict", None]
    assert world.people.find(ADA) is None
    assert person_of(world, Identifier("id", "u-9")).shown_attributes() == {"id": "u-9", "plan": "pro"}


def test_an_email_changes_by_id_when_the_workspace_allows_it() -> None:
    """Changing an e-mail by id is a setting of the workspace; the old address is free afterwards."""
    change = identify(email="new@example.com")
    allowed, forbidden = make_world(), make_world(updates_email_by_id=False)

    assert apply_all(allowed, identify(email=EMAIL.value), change) == [None, None]
    assert allowed.people.find(EMAIL) is None
    assert apply_all(forbidden, identify(email=EMAIL.value), change) == [None, "conflict"]


def test_an_older_email_does_not_rename() -> None:
    """An e-mail address follows the timestamps as every attribute does."""
    world = make_world()
    apply_all(world, identify(timestamp=20, email="new@example.com"), identify(timestamp=10, email=EMAIL.value, a=1))

    assert world.people.find(EMAIL) is None
    assert person_of(world).identifiers == {"id": "u-1", "email": "new@example.com"}


def test_a_cleared_email_is_free() -> None:
    """Clearing the e-mail frees the address."""
    world = make_world()
    apply_all(world, identify(email=EMAIL.value), identify(email=None))

    assert world.people.find(EMAIL) is None


def test_update_only_never_creates() -> None:
    """`_update` on an unknown person, or an unknown `cio_id`, has no effect."""
    world = make_world()
    unknown = identify(Identifier("cio_id", "ffff"), plan="pro")

    assert apply_all(world, replace(identify(plan="pro"), is_update_only=True), unknown) == ["unknown_person"] * 2
    assert len(world.people) == 0


def test_suppress_deletes_and_blocks_every_identifier() -> None:
    """A suppressed person is gone, and calls for the id or the e-mail have no effect."""
    world = make_world()
    apply_all(world, identify(email=EMAIL.value), act("suppress"))

    assert (
        apply_all(
            world,
            identify(plan="pro"),
            identify(EMAIL),
            identify(BOB, email="ADA@example.com"),
            act("event"),
            act("delete"),
        )
        == ["suppressed"] * 5
    )
    assert (len(world.people), world.people.suppressed_count) == (0, 1)


def test_unsuppress_frees_all_and_restores_nothing() -> None:
    """After an unsuppress by id the next identify makes a fresh person, e-mail included."""
    world = make_world()
    apply_all(world, identify(email=EMAIL.value, plan="pro"), act("suppress"))

    assert apply_all(world, act("unsuppress"), act("unsuppress"), identify(email=EMAIL.value)) == [
        None,
        "not_suppressed",
        None,
    ]
    assert ({"email": EMAIL.value}, 0) == (person_of(world).shown_attributes(), world.people.suppressed_count)


def test_an_unknown_person_can_be_suppressed() -> None:
    """An identifier is blocked before anybody has it; an unknown `cio_id` blocks nothing."""
    world = make_world()

    assert apply_all(world, act("suppress"), identify(plan="pro"), act("suppress", Identifier("cio_id", "ffff"))) == [
        None,
        "suppressed",
        "unknown_person",
    ]


def test_a_deleted_person_can_come_back_empty() -> None:
    """Deleting frees the identifiers; whoever comes back has no attributes, no events and another `cio_id`."""
    world = make_world()
    apply_all(world, identify(timestamp=50, plan="pro"), act("event", name="sale"))
    old = person_of(world)

    assert apply_all(world, act("delete"), act("delete"), identify(timestamp=10, city="London")) == [
        None,
        "unknown_person",
        None,
    ]
    new = person_of(world)
    assert (new.shown_attributes(), world.events_of(new), old.cio_id != new.cio_id) == ({"city": "London"}, [], True)


def test_an_event_with_a_known_ulid_is_ignored() -> None:
    """A ULID counts once, whoever it comes for; without one every event counts."""
    world = make_world()
    sale = act("event", name="sale", event_id="A" * 26)

    assert apply_all(world, sale, sale, replace(sale, identifier=BOB)) == [None, "repeated", "repeated"]
    assert apply_all(world, act("event", name="visit"), act("event", name="visit")) == [None, None]
    assert [event.operation.name for event in world.events_of(person_of(world))] == ["sale", "visit", "visit"]
    assert (world.events["person"], world.chronicle.ignored["repeated"]) == (3, 2)


def test_an_event_of_a_suppressed_person_is_not_remembered() -> None:
    """What had no effect does not make a later event a repeat."""
    world = make_world()
    sale = act("event", name="sale", event_id="A" * 26)

    assert apply_all(world, act("suppress"), sale, act("unsuppress"), sale) == [None, "suppressed", None, None]


def test_an_event_creates_the_person_unless_told_otherwise() -> None:
    """Whether an event creates its person is undocumented, so it is an option; a `cio_id` never does."""
    world, strict = make_world(), make_world(creates_on_event=False)
    by_cio_id = act("event", Identifier("cio_id", "ffff"), name="sale")

    assert apply_all(world, act("event", name="sale"), by_cio_id) == [None, "unknown_person"]
    assert apply_all(strict, act("event", name="sale")) == ["unknown_person"]


def test_anonymous_events_join_the_person() -> None:
    """Events of an anonymous id become the person's who is identified with it, those that follow included."""
    world = make_world()
    visit = Operation(kind="anonymous", action="event", identifier=Identifier("anonymous_id", "anon-1"), name="visit")
    stray = replace(visit, identifier=Identifier("anonymous_id", "anon-2"))
    apply_all(world, visit, stray, identify(anonymous_id="anon-1"), visit, identify(BOB, anonymous_id="anon-1"))

    assert (len(world.events_of(person_of(world))), len(world.events_of(person_of(world, BOB)))) == (2, 0)
    assert world.events["anonymous"] == 3


def test_a_repeated_anonymous_event_is_ignored() -> None:
    """Anonymous events are deduplicated by ULID too."""
    world = make_world()
    anonymous = Identifier("anonymous_id", "anon-1")
    visit = Operation(kind="anonymous", action="event", identifier=anonymous, name="visit", event_id="B" * 26)

    assert apply_all(world, visit, visit) == [None, "repeated"]


def test_a_merge_moves_what_the_primary_lacks() -> None:
    """The secondary's attributes, identifiers, devices and events fill the primary's gaps; then it is gone."""
    world = make_world()
    device = {"token": "t", "platform": "ios"}
    apply_all(
        world,
        identify(plan="pro"),
        identify(BOB, email=EMAIL.value, plan="free", city="London"),
        act("event", BOB, name="sale"),
        act("add_device", BOB, device=device),
        act("merge", secondary=BOB),
    )
    person = person_of(world)

    assert {"plan": "pro", "email": EMAIL.value, "city": "London"} == person.shown_attributes()
    assert person is person_of(world, EMAIL)
    assert (1, {"t": device}, None) == (len(world.events_of(person)), person.devices, world.people.find(BOB))


def test_a_merge_without_primary_does_nothing() -> None:
    """The primary must exist."""
    world = make_world()

    assert apply_all(world, identify(BOB), act("merge", secondary=BOB)) == [None, "unknown_person"]
    assert world.people.find(BOB) is not None


def test_devices_come_and_go() -> None:
    """A device is kept by its token, the newest few of them."""
    world = make_world()
    added = [act("add_device", device={"token": f"t{n}"}) for n in range(DEVICES_MAX + 1)]
    apply_all(world, *added)

    assert (len(person_of(world).devices), "t0" in person_of(world).devices) == (DEVICES_MAX, False)
    assert apply_all(
        world,
        act("delete_device", device={"token": "t1"}),
        act("delete_device", device={"token": "t1"}),
        act("add_device", Identifier("cio_id", "ffff"), device={"token": "t"}),
    ) == [None, "unknown_device", "unknown_person"]


def test_what_has_no_state_here_is_accepted() -> None:
    """Relationships, objects and deliveries are counted and change nothing."""
    world = make_world()
    delivery = Operation(kind="delivery", action="event", identifier=Identifier("id", "d"), name="opened")

    assert apply_all(world, act("add_relationships"), delivery) == [None, None]
    assert (world.chronicle.seq, len(world.people)) == (2, 0)


def test_memory_is_bounded_and_counters_are_exact() -> None:
    """Beyond their limits the oldest events and ULIDs are forgotten, the counters go on."""
    world = World(options=SandboxOptions(), events_max=2, ids_max=2)
    events = [act("event", name="sale", event_id=letter * 26) for letter in "ABC"]

    assert apply_all(world, *events, events[0]) == [None] * 4
    assert (len(world.events_of(person_of(world))), world.events["person"]) == (2, 4)


def test_people_and_suppressions_are_bounded() -> None:
    """Beyond the limit the oldest person or suppression is forgotten, and that is counted."""
    people = People(people_max=1, suppressed_max=1)
    for name in ("a", "b"):
        people.name(people.create(now=1), Identifier("id", name))

    assert (len(people), people.forgotten, people.find(Identifier("id", "a"))) == (1, 1, None)
    people.suppress(Identifier("id", "x"))
    people.suppress(Identifier("id", "y"))
    assert (people.suppressed_count, people.forgotten, people.is_suppressed(Identifier("id", "x"))) == (1, 2, False)


def test_the_log_is_bounded() -> None:
    """A full log drops its oldest lines and counts them."""
    chronicle = Chronicle(keep_log=True, log_max=2)
    for _ in range(3):
        chronicle.note(identify(), why=None, now=NOW)

    assert (b"".join(chronicle.log_blocks(1)).count(b"\n"), chronicle.log_dropped) == (2, 1)
