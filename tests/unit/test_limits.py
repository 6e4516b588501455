import pytest

from agents.steps.limits import attributes_over_limit, id_over_limit, item_over_limit, name_over_limit


def over(attributes: dict[str, object], *, json_bytes: int = 100_000) -> str | None:
    """Check attributes without the shortcut for small ones."""
    return attributes_over_limit(attributes, custom=attributes, json_bytes=json_bytes)


@pytest.mark.parametrize("person_id", ["x", "x" * 150, "é" * 75, "\N{OK HAND SIGN}" * 37])
def test_an_id_of_150_bytes_passes(person_id: str) -> None:
    """The limit counts bytes and includes its own number."""
    assert id_over_limit("user.id", person_id) is None


@pytest.mark.parametrize("person_id", ["x" * 151, "é" * 76, "\N{OK HAND SIGN}" * 38])
def test_an_id_of_151_bytes_does_not(person_id: str) -> None:
    """Characters of several bytes count as such."""
    assert id_over_limit("user.id", person_id) == "user.id: over 150 bytes"


def test_the_name_of_an_event_has_up_to_100_bytes() -> None:
    """One more is too many."""
    assert name_over_limit("x" * 100) is None
    assert name_over_limit("é" * 51) == "name: over 100 bytes"


def test_an_operation_has_up_to_32000_bytes() -> None:
    """One more is too many."""
    assert item_over_limit(bytes(32_000)) is None
    assert item_over_limit(bytes(32_001)) == "value: its operation is over 32000 bytes"


@pytest.mark.parametrize(
    "attributes",
    [
        {},
        {"n" * 150: 1},
        {"n": "x" * 1000},
        {"n": "é" * 500},
        {"n": ["x" * 996]},
        {"n": None, "m": 2**64 - 1, "o": False},
        {str(number): number for number in range(300)},
    ],
)
def test_attributes_at_their_limits_pass(attributes: dict[str, object]) -> None:
    """The limits include their own numbers; a nested value counts as its JSON."""
    assert over(attributes) is None


@pytest.mark.parametrize(
    ("attributes", "detail"),
    [
        ({"n" * 151: 1}, "user.attributes." + "n" * 50 + ": name over 150 bytes"),
        ({"é" * 76: 1}, "user.attributes." + "é" * 50 + ": name over 150 bytes"),
        ({"n": "x" * 1001}, "user.attributes.n: over 1000 bytes"),
        ({"n": "é" * 501}, "user.attributes.n: over 1000 bytes"),
        ({"n": ["x" * 997]}, "user.attributes.n: over 1000 bytes"),
        ({"n": {"m": "é" * 500}}, "user.attributes.n: over 1000 bytes"),
        ({"email": "x" * 1001}, "user.email: over 1000 bytes"),
        ({str(number): number for number in range(301)}, "user: over 300 attributes"),
    ],
)
def test_attributes_beyond_a_limit_are_named(attributes: dict[str, object], detail: str) -> None:
    """The detail says which field, and its name is cut."""
    assert over(attributes) == detail


def test_a_long_name_is_found_in_little_json() -> None:
    """The shortcut for small identifies looks at names too."""
    assert over({"n" * 151: 1}, json_bytes=300) is not None
    assert over({"n": 1}, json_bytes=300) is None
