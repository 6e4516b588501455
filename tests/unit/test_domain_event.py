import pytest
from pydantic import ValidationError

from schemas.domain_event import DomainEvent


def test_an_event_needs_a_name_and_a_person() -> None:
    """Everything else may be left out; data is then empty."""
    event = DomainEvent.model_validate({"name": "n", "user_id": 7})

    assert (event.person, event.person_path, event.id, event.occurred_ms, event.data) == (
        "7",
        "user_id",
        None,
        None,
        {},
    )


def test_an_anonymous_event_belongs_to_its_anonymous_id() -> None:
    """Without a user the anonymous id is the person's."""
    event = DomainEvent.model_validate({"name": "n", "anonymous_id": "a-1", "id": None, "occurred_at": None})

    assert (event.person, event.person_path) == ("a-1", "anonymous_id")


@pytest.mark.parametrize("person", [{}, {"user_id": "u-1", "anonymous_id": "a-1"}])
def test_an_event_has_exactly_one_person(person: dict[str, str]) -> None:
    """Neither and both are refused."""
    with pytest.raises(ValidationError, match="exactly one"):
        DomainEvent.model_validate({"name": "n", **person})


@pytest.mark.parametrize("name", ["", " ", "\t\n", "\u3000"])
def test_a_name_is_not_blank(name: str) -> None:
    """Customer.io refuses blank names, so they are not sent."""
    with pytest.raises(ValidationError, match="must not be blank"):
        DomainEvent.model_validate({"name": name, "user_id": "u-1"})
