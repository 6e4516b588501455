"""The id of a person as publishers may write it, and what stands for it once it is erased; one rule for all topics."""

from hashlib import blake2b
from typing import Annotated, Final, TypeAlias

from pydantic import PlainValidator

ID_SHOWN_MAX = 1_000
ERASED: Final = b"\xff"
"""What an erased person's key begins with: no id does, for UTF-8 has no such byte."""

_ERASED_DIGEST_BYTES: Final = 16


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


def erased_key(user_id: bytes) -> bytes:
    """Give the ledger's key of an erased person: whoever has the id finds the state by it, and it names nobody."""
    return ERASED + blake2b(user_id, digest_size=_ERASED_DIGEST_BYTES, person=b"cio-erased").digest()
