"""Of what Customer.io says of a record, its contents are hidden."""

import orjson
import pytest

from agents.steps.unquoted import unquoted

VALUE = orjson.dumps({"user": {"id": "u-4711", "plan": "Ada Lovelace, 5 Main Street"}, "list of ada": [{"a": "Byron"}]})


@pytest.mark.parametrize(
    ("detail", "shown"),
    [
        ("invalid attributes.plan: Ada Lovelace is no plan", "invalid attributes.plan: Ada *** is no plan"),
        ("user u-4711 has the name 'byron'", "user *** has the name '***'"),
        ('{"plan":"Lovelace"}', '{"plan":"***"}'),
        ("cut off in Lovel", "cut off in ***"),
        ("attributes.plan: must be shorter", "attributes.plan: must be shorter"),
        ("sent: Authorization: Basic c2l0ZTprZXk= x", "sent: Authorization: Basic *** x"),
        ("sent: bearer c2l0ZTprZXk=", "sent: bearer ***"),
    ],
)
def test_contents_are_hidden_and_names_stay(detail: str, shown: str) -> None:
    """Whole words, in any case; of one that was cut off its beginning."""
    assert shown == unquoted(detail, VALUE)


@pytest.mark.parametrize("value", [None, b"{", b"\xff", b"7"])
def test_what_has_no_contents_is_quoted_nowhere(value: bytes | None) -> None:
    """Such a record was never sent; what is said of it is ours."""
    assert "not JSON: at byte 1" == unquoted("not JSON: at byte 1", value)
