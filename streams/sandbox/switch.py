"""What can be changed about a sandbox while it runs: a frozen dataclass, replaced whole by a checked one."""

from collections.abc import Mapping
from typing import Any, Generic, TypeVar

from pydantic import TypeAdapter, ValidationError

from schemas.errors import ConfigError

T = TypeVar("T")


class Switch(Generic[T]):
    """Whoever holds it reads `value` each time anew; a change makes a new object, also an equal one."""

    def __init__(self, value: T) -> None:
        self._adapter: TypeAdapter[T] = TypeAdapter(type(value))
        self.value = value
        self.change({})  # checks what was made without being checked

    def change(self, given: Mapping[str, Any]) -> None:
        """Replace what is given; what is left out keeps its value.

        Raises:
            ConfigError: Names every field that is wrong; nothing was changed.
        """
        try:
            self.value = self._adapter.validate_python(self._adapter.dump_python(self.value) | dict(given))
        except ValidationError as error:
            wrong = ("{}: {}".format(".".join(map(str, fault["loc"])), fault["msg"]) for fault in error.errors())
            raise ConfigError("; ".join(wrong)) from None

    def shown(self) -> dict[str, Any]:
        """Return the value as JSON may show it: secrets as asterisks."""
        shown: dict[str, Any] = self._adapter.dump_python(self.value, mode="json")
        return shown
