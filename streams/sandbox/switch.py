"""What can be changed about a sandbox while it runs: a frozen dataclass, replaced whole by a checked one."""

from collections.abc import Mapping
from functools import cache
from typing import Any, Generic, TypeVar

from pydantic import TypeAdapter, ValidationError

from schemas.errors import ConfigError

T = TypeVar("T")


def changed(current: T, given: Mapping[str, Any]) -> T:
    """Return `current` with what is given instead; a `ConfigError` names every field that is wrong."""
    adapter = _adapter(type(current))
    try:
        replaced: T = adapter.validate_python(adapter.dump_python(current) | dict(given))
    except ValidationError as error:
        wrong = ("{}: {}".format(".".join(map(str, fault["loc"])), fault["msg"]) for fault in error.errors())
        raise ConfigError("; ".join(wrong)) from None
    return replaced


class Switch(Generic[T]):
    """Whoever holds it reads `value` each time anew; a change makes a new object, also an equal one."""

    def __init__(self, value: T) -> None:
        self.value = changed(value, {})

    def change(self, given: Mapping[str, Any]) -> None:
        """Replace what is given; what is left out keeps its value, and nothing changes when anything is wrong."""
        self.value = changed(self.value, given)

    def shown(self) -> dict[str, Any]:
        """Return the value as JSON may show it: secrets as asterisks."""
        shown: dict[str, Any] = _adapter(type(self.value)).dump_python(self.value, mode="json")
        return shown


@cache
def _adapter(kind: type[Any]) -> TypeAdapter[Any]:
    return TypeAdapter(kind)
