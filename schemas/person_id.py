"""The id of a person as publishers may write it; one rule for all topics."""

from typing import Annotated, TypeAlias

from pydantic import PlainValidator

ID_SHOWN_MAX = 1_000


def id_text(value: object) -> str:
    """Give the id as text: a string that is not empty as it is, an integer as its decimal text.

    Raises:
        ValueError: It is neither; the message says what it must be.
    """
    if isinstance(value, str):
        if value:
            return value
        raise ValueError("must not be empty")
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    raise ValueError("must be a string or an integer")  # pydantic wants ValueError


PersonId: TypeAlias = Annotated[str, PlainValidator(id_text)]


def key_text(key: bytes | None) -> str | None:
    """Give a record's key as an id, or None where it cannot be one."""
    try:
        return key.decode() or None if key else None
    except UnicodeDecodeError:
        return None


def presentable(person_id: str | None) -> str | None:
    """Give an id that a result may repeat, or None: half a megabyte of id, twice, makes a result that Kafka refuses."""
    return person_id if person_id and len(person_id) <= ID_SHOWN_MAX else None
