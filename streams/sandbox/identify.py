"""Decides who an identify is about, by Customer.io's resolution rules, and carries it out on the people."""

from streams.sandbox.operation import Identifier, Operation
from streams.sandbox.people import People, normal
from streams.sandbox.person import Person

CLAIMABLE = ("id", "email")


def identify(people: People, operation: Operation, *, now: int, updates_email_by_id: bool) -> str | None:
    """Create or update a person; the answer says why it had no effect, or is None.

    An identifier that belongs to somebody else, or may not be changed this way, makes the whole update fail.
    """
    claims = _claims(operation)
    if any(people.is_suppressed(claim) for claim in claims):
        return "suppressed"
    person = people.find(operation.identifier) or _by_claim(people, claims)
    if person is None and (operation.is_update_only or operation.identifier.kind == "cio_id"):
        return "unknown_person"
    if _is_conflict(people, operation, claims, person=person, updates_email_by_id=updates_email_by_id):
        return "conflict"
    if person is None:
        person = people.create(now=now)
    _name(people, person, operation, claims=claims)
    is_updated = person.update(operation.attributes, timestamp=operation.timestamp, now=now)
    return None if is_updated else "older"


def _claims(operation: Operation) -> list[Identifier]:
    claims = [operation.identifier] if operation.identifier.kind != "cio_id" else []
    for kind in CLAIMABLE:
        value = operation.attributes.get(kind)
        if isinstance(value, str | int) and value != "":
            claims.append(Identifier(kind, str(value)))
    return claims


def _by_claim(people: People, claims: list[Identifier]) -> Person | None:
    found = (people.find(claim) for claim in claims)
    return next((person for person in found if person is not None), None)


def _is_conflict(
    people: People, operation: Operation, claims: list[Identifier], *, person: Person | None, updates_email_by_id: bool
) -> bool:
    for claim in claims:
        owner = people.find(claim)
        if owner is not None:
            if owner is not person and _is_fresh(person, operation, claim):
                return True
            continue
        is_set = person is not None and claim.kind in person.identifiers
        by_cio_id = operation.identifier.kind == "cio_id"
        by_id = updates_email_by_id and claim.kind == "email" and operation.identifier.kind == "id"
        if is_set and not by_cio_id and not by_id and _is_fresh(person, operation, claim):
            return True
    return False


def _is_fresh(person: Person | None, operation: Operation, claim: Identifier) -> bool:
    return person is None or claim == operation.identifier or person.accepts(claim.kind, timestamp=operation.timestamp)


def _name(people: People, person: Person, operation: Operation, *, claims: list[Identifier]) -> None:
    for claim in claims:
        is_new = person.identifiers.get(claim.kind) != normal(claim).value
        if is_new and _is_fresh(person, operation, claim):
            people.name(person, claim)
    is_cleared = "email" in operation.attributes and operation.attributes["email"] in (None, "")
    if is_cleared and operation.identifier.kind != "email" and person.accepts("email", timestamp=operation.timestamp):
        people.unname(person, "email")
