import pytest

from schemas.field_path import NAME_CHARACTERS_MAX, PATH_CHARACTERS_MAX, field_path


@pytest.mark.parametrize(
    ("parts", "expected"),
    [
        (("user", "preferences", "marketing"), "user.preferences.marketing"),
        (("data", 3), "data.3"),
        ((), "value"),
        (("a\n\x00\x1b[31m",), "a\N{REPLACEMENT CHARACTER}\N{REPLACEMENT CHARACTER}\N{REPLACEMENT CHARACTER}[31m"),
        (("x" * 51,), "x" * NAME_CHARACTERS_MAX),
        (("é",), "é"),
        (("xy",) * 1000, ("xy." * 100)[:PATH_CHARACTERS_MAX]),
    ],
)
def test_a_path_is_short_and_printable(parts: tuple[str | int, ...], expected: str) -> None:
    """Names are a publisher's choice, so they are cut, and what does not print is replaced."""
    assert expected == field_path(*parts)
