"""What the sandbox's workspace keeps: events by ULID, suppressions, devices, all within limits."""

from dataclasses import replace

from streams.sandbox.chronicle import Chronicle
from streams.sandbox.history import History
from streams.sandbox.operation import Identifier, Operation
from streams.sandbox.people import People
from streams.sandbox.person import DEVICES_MAX, Person
from tests.unit.sandbox_operations import BOB, EMAIL, NOW, act, apply_all, identify, make_world, person_of


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
    history, ada = History(events_max=2, ids_max=2), Person(cio_id="1", created_at=1)
    for letter in "ABC":
        sale = act("event", name="sale", event_id=letter * 26)
        history.keep(sale, owner=ada, received_at=NOW, now=NOW)

    assert [history.is_repeat(letter * 26, now=NOW) for letter in "ABC"] == [False, True, True]
    assert ([event.operation.event_id for event in history.of(ada)], history.counts["person"]) == (
        ["B" * 26, "C" * 26],
        3,
    )


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
        chronicle.conclude(chronicle.accept(identify(), now=NOW), why=None)

    assert (b"".join(chronicle.log_blocks(1)).count(b"\n"), chronicle.log_dropped) == (2, 1)
