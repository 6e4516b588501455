"""Operations on a workspace of the sandbox, built with only what matters to a test."""

from typing import Any

from streams.sandbox.operation import Identifier, Operation
from streams.sandbox.options import SandboxOptions
from streams.sandbox.person import Person
from streams.sandbox.world import World

NOW = 1_700_000_000.0
ADA = Identifier("id", "u-1")
BOB = Identifier("id", "u-2")
EMAIL = Identifier("email", "ada@example.com")


def make_world(**options: Any) -> World:  # noqa: ANN401 - the options' own types hold
    """Build an empty workspace."""
    return World(options=SandboxOptions(**options))


def identify(identifier: Identifier = ADA, *, timestamp: int | None = None, **attributes: object) -> Operation:
    """Build an identify."""
    return Operation(
        kind="person", action="identify", identifier=identifier, attributes=attributes, timestamp=timestamp
    )


def act(action: str, identifier: Identifier = ADA, **fields: Any) -> Operation:  # noqa: ANN401 - as the operation's
    """Build any other operation on a person."""
    return Operation(kind="person", action=action, identifier=identifier, **fields)


def apply_all(world: World, *operations: Operation) -> list[str | None]:
    """Apply one after the other and say why each had no effect."""
    return [world.apply(operation, now=NOW) for operation in operations]


def person_of(world: World, identifier: Identifier = ADA) -> Person:
    """Return a person who must exist."""
    person = world.people.find(identifier)
    assert person is not None
    return person
