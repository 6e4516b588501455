import pytest
from pydantic import TypeAdapter, ValidationError

from schemas.user_change import RESERVED_NAMES, User, UserChange, UserDeleted, UserUpserted

CHANGE: TypeAdapter[UserUpserted | UserDeleted] = TypeAdapter(UserChange)


def test_a_field_left_out_differs_from_one_that_is_null() -> None:
    """What was not given is not in `model_fields_set`; null is."""
    user = User.model_validate({"id": "u-1", "email": None})

    assert user.model_fields_set == {"id", "email"}


def test_the_other_spelling_means_the_same() -> None:
    """`firstName`, `lastName` and `createdAt` are read as their counterparts with underscores."""
    camel = User.model_validate({"id": "u-1", "firstName": "Ada", "lastName": "L", "createdAt": 1.5})
    snake = User.model_validate({"id": "u-1", "first_name": "Ada", "last_name": "L", "created_at": 1})

    assert camel == snake


@pytest.mark.parametrize("name", sorted(RESERVED_NAMES))
def test_reserved_names_are_no_attributes(name: str) -> None:
    """An attribute must not pass for a field, a column of ours or a switch of Customer.io."""
    with pytest.raises(ValidationError, match=f"must not hold {name}"):
        User.model_validate({"id": "u-1", "attributes": {name: 1}})


def test_there_are_twelve_reserved_names() -> None:
    """The list is the contract's."""
    contract = "id email first_name last_name plan created_at marketing_opt_in transactional_opt_in last_seen_at cio_id"

    assert {*contract.split(), "_timestamp", "_update"} == RESERVED_NAMES


def test_the_type_tells_an_upsert_from_a_deletion() -> None:
    """Both kinds come through one door."""
    upserted = CHANGE.validate_python(
        {"type": "user.upserted", "user": {"id": 7}, "occurred_at": None, "version": None}
    )
    deleted = CHANGE.validate_python({"type": "user.deleted", "user_id": 7, "occurred_at": 1.25, "version": -1})

    assert isinstance(upserted, UserUpserted)
    assert (upserted.user.id, upserted.occurred_ms, upserted.version) == ("7", None, None)
    assert isinstance(deleted, UserDeleted)
    assert (deleted.user_id, deleted.occurred_ms, deleted.version) == ("7", 1250, -1)


def test_a_change_cannot_be_changed() -> None:
    """What was decoded stays as it was decoded."""
    user = User.model_validate({"id": "u-1"})

    with pytest.raises(ValidationError, match="frozen"):
        user.id = "u-2"  # type: ignore[misc]  # that is the point
