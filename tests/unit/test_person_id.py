import pytest

from schemas.person_id import ERASED, ID_SHOWN_MAX, erased_key, id_text, key_text, presentable


@pytest.mark.parametrize(("value", "expected"), [("u-1", "u-1"), (" ", " "), (7, "7"), (-7, "-7"), (0, "0")])
def test_ids_are_strings_or_integers(value: object, expected: str) -> None:
    """A string stays as it is, an integer becomes its decimal text."""
    assert expected == id_text(value)


@pytest.mark.parametrize("value", ["", None, True, False, 1.0, [], {}])
def test_nothing_else_is_an_id(value: object) -> None:
    """Empty strings, floats, booleans and the rest are refused."""
    with pytest.raises(ValueError, match=r"^must "):
        id_text(value)


@pytest.mark.parametrize(
    ("key", "expected"), [(b"u-1", "u-1"), ("é".encode(), "é"), (b"", None), (None, None), (b"\xff", None)]
)
def test_a_key_is_an_id_when_it_is_text(key: bytes | None, expected: str | None) -> None:
    """No key, an empty one and one that is not UTF-8 name nobody."""
    assert expected == key_text(key)


@pytest.mark.parametrize(
    ("person_id", "expected"),
    [
        ("u-1", "u-1"),
        ("x" * ID_SHOWN_MAX, "x" * ID_SHOWN_MAX),
        ("x" * (ID_SHOWN_MAX + 1), None),
        ("", None),
        (None, None),
    ],
)
def test_a_result_repeats_no_huge_id(person_id: str | None, expected: str | None) -> None:
    """An id that would make a result too large for Kafka is left out."""
    assert expected == presentable(person_id)


def test_the_key_of_an_erased_person_is_nobodys_id() -> None:
    """It begins as no text does, is the same each time, and differs from person to person."""
    key = erased_key(b"u-1")

    assert (len(key), key_text(key), key[:1]) == (17, None, ERASED)
    assert key == erased_key(b"u-1") != erased_key(b"u-2")
