"""Decides who a trigger's audience is, among the people of a workspace; it changes nothing."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from streams.sandbox.message import Named, Trigger
from streams.sandbox.operation import Identifier
from streams.sandbox.people import People
from streams.sandbox.person import Person


@dataclass(slots=True, kw_only=True)
class Audience:
    """The people, each with data of their own; the `suppressed`; and a line for each who is missing."""

    people: list[tuple[Person, Mapping[str, Any]]] = field(default_factory=list)
    suppressed: list[Identifier] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)


def find_audience(people: People, trigger: Trigger) -> Audience:
    """Return whom the trigger means: without any form, everybody."""
    if trigger.form == "data_file_url":
        return Audience()
    if trigger.form in {None, "recipients"}:
        return Audience(people=[(person, {}) for person in people if _fits(person, trigger.recipients)])
    audience = Audience()
    for named in trigger.named:
        _look_up(people, named, trigger=trigger, audience=audience)
    return audience


def _look_up(people: People, named: Named, *, trigger: Trigger, audience: Audience) -> None:
    person = people.find(named.identifier)
    if person is not None:
        audience.people.append((person, named.data))
    elif named.identifier.kind not in trigger.ignores:
        # Somebody suppressed is deleted, and so missing like anybody else who is not there.
        audience.missing.append(f"line {named.line}: no person has this {named.identifier.kind}")
    elif people.is_suppressed(named.identifier):
        audience.suppressed.append(named.identifier)


def _fits(person: Person, node: Mapping[str, Any] | None) -> bool:
    if node is None:
        return True
    ((name, inner),) = node.items()
    match name:
        case "and":
            return all(_fits(person, each) for each in inner)
        case "or":
            return any(_fits(person, each) for each in inner)
        case "not":
            return not _fits(person, inner)
        case "segment":
            return inner["id"] in person.segments
        case _:
            return _has(person, inner)


def _has(person: Person, attribute: Mapping[str, Any]) -> bool:
    name = attribute["field"]
    value = person.identifiers.get(name, person.values.get(name))
    if value is None or attribute["operator"] == "exists":
        return value is not None
    return any(_alike(each) == _alike(attribute["value"]) for each in _each(value))


def _each(value: object) -> Iterator[object]:
    yield from value if isinstance(value, list) else (value,)


def _alike(value: object) -> str:
    # The OpenAPI says that a value is a string, and has a boolean in its example.
    return str(value).lower() if isinstance(value, bool) else str(value)
