import pytest

from schemas.strict_json import NotStrictJsonError, canonical_json, parse_json


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (b'{"a": [1, 2.5, "x", null, true]}', {"a": [1, 2.5, "x", None, True]}),
        (b'{"a": 1, "a": 2}', {"a": 2}),
        (b"[18446744073709551615, -9223372036854775808]", [2**64 - 1, -(2**63)]),
        (b'["99999999999999999999999"]', ["99999999999999999999999"]),
        (b"[0.12345678901234567890123]", [0.12345678901234568]),
        (b"[1.0e25]", [1e25]),
        (b"[" * 32 + b"]" * 32, [[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]),
        (b'["' + b"[" * 1000 + b'"]', ["[" * 1000]),
        (b"[" + b"{}," * 100 + b"1]", [{}] * 100 + [1]),
    ],
)
def test_json_is_read_as_it_stands(value: bytes, expected: object) -> None:
    """Digits and braces in strings, 64-bit integers and long fractions are no reason to refuse."""
    assert expected == parse_json(value)


@pytest.mark.parametrize(
    ("value", "detail"),
    [
        (b"", "value: is empty"),
        (b"  ", "value: is not JSON (character 0)"),
        (b"{", "value: is not JSON (character 1)"),
        (b"[1]x", "value: is not JSON (character 3)"),
        (b"\xef\xbb\xbf{}", "value: is not JSON (character 0)"),
        (b'["\xff"]', "value: is not UTF-8 (byte 2)"),
        ('{"a":1}'.encode("utf-16"), "value: is not UTF-8 (byte 0)"),
        (rb'["\ud800"]', "value: is not JSON (character 2)"),
        (b'["\x01"]', "value: is not JSON (character 2)"),
        (b"[NaN]", "value: is not JSON (character 1)"),
        (b"[-Infinity]", "value: is not JSON (character 2)"),
        (b"[1e400]", "value: is not JSON (character 1)"),
        (b"[" * 33 + b"]" * 33, "value: nested deeper than 32 levels"),
        (b'{"a":' * 33 + b"1" + b"}" * 33, "value: nested deeper than 32 levels"),
        (b"[" * 1_000_000, "value: nested deeper than 32 levels"),
        (b"18446744073709551616", "value: integer beyond 64 bits"),
        (b"[-9223372036854775809]", "0: integer beyond 64 bits"),
        (
            b'{"user":{"attributes":{"n":[1,{"m":123456789012345678901}]}}}',
            "user.attributes.n.1.m: integer beyond 64 bits",
        ),
    ],
)
def test_what_is_not_strict_json_is_refused(value: bytes, detail: str) -> None:
    """What is broken, or would be quietly changed on its way, is refused with the place and never with the content."""
    with pytest.raises(NotStrictJsonError) as raised:
        parse_json(value)

    assert detail == str(raised.value)


def test_canonical_json_does_not_depend_on_the_order_of_keys() -> None:
    """Keys are sorted on every level, without blanks, in UTF-8."""
    assert canonical_json({"b": {"d": 1, "c": "é"}, "a": []}) == '{"a":[],"b":{"c":"é","d":1}}'.encode()
