"""Who the sandbox takes an identify to be about, and which of the attributes count."""

from dataclasses import replace

from streams.sandbox.operation import Identifier
from tests.unit.sandbox_operations import ADA, BOB, EMAIL, NOW, act, apply_all, identify, make_world, person_of


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
