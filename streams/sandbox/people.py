"""Everybody in the workspace: who an identifier means, and who is suppressed. Sees neither requests nor events."""

from collections import OrderedDict
from collections.abc import Iterator
from itertools import islice
from typing import Final

from streams.sandbox.operation import Identifier
from streams.sandbox.person import Person

PEOPLE_MAX: Final = 1_000_000
"""Beyond it the oldest person is forgotten, and counted in `forgotten`."""

SUPPRESSED_MAX: Final = 1_000_000
"""Beyond it the oldest suppression is forgotten, and counted in `forgotten`."""


def normal(identifier: Identifier) -> Identifier:
    """E-mail addresses are the same in any case, ids are not."""
    return Identifier("email", identifier.value.lower()) if identifier.kind == "email" else identifier


class People:
    """The people by their identifiers, and the suppressed identifiers by the group in which they were suppressed."""

    def __init__(self, *, people_max: int = PEOPLE_MAX, suppressed_max: int = SUPPRESSED_MAX) -> None:
        self._people_max = people_max
        self._suppressed_max = suppressed_max
        # Ordered ones give up their oldest entry in constant time; a dict slows down with each that it gave up.
        self._by_cio_id: OrderedDict[str, Person] = OrderedDict()
        self._by_identifier: dict[Identifier, Person] = {}
        self._suppressed: OrderedDict[Identifier, tuple[Identifier, ...]] = OrderedDict()
        self._suppressions = 0
        self._created = 0
        self.forgotten = 0

    def __len__(self) -> int:
        return len(self._by_cio_id)

    @property
    def suppressed_count(self) -> int:
        """How many suppressions there are, each of one person's identifiers."""
        return self._suppressions

    def newest(self, count: int) -> list[Person]:
        """Return the people created last, the newest first."""
        return list(islice(reversed(self._by_cio_id.values()), count))

    def __iter__(self) -> Iterator[Person]:
        return iter(tuple(self._by_cio_id.values()))

    def suppressed(self) -> list[tuple[Identifier, ...]]:
        """Return the suppressions, each as the identifiers that it blocks."""
        return list(dict.fromkeys(self._suppressed.values()))

    def find(self, identifier: Identifier) -> Person | None:
        """Return the person who has `identifier`."""
        if identifier.kind == "cio_id":
            return self._by_cio_id.get(identifier.value)
        return self._by_identifier.get(normal(identifier))

    def create(self, *, now: int) -> Person:
        """Add a person without identifiers, who is to get one at once."""
        self._created += 1
        person = Person(cio_id=f"{self._created:012x}", created_at=now)
        self._by_cio_id[person.cio_id] = person
        if len(self._by_cio_id) > self._people_max:
            self.remove(next(iter(self._by_cio_id.values())))
            self.forgotten += 1
        return person

    def name(self, person: Person, identifier: Identifier) -> None:
        """Give `person` an identifier that is nobody else's, in place of the one of that kind."""
        self.unname(person, identifier.kind)
        identifier = normal(identifier)
        person.identifiers[identifier.kind] = identifier.value
        self._by_identifier[identifier] = person

    def unname(self, person: Person, kind: str) -> None:
        """Take the identifier of `kind` away from `person`."""
        value = person.identifiers.pop(kind, None)
        if value is not None:
            del self._by_identifier[Identifier(kind, value)]

    def remove(self, person: Person) -> None:
        """Forget a person; the identifiers are free again."""
        for kind in tuple(person.identifiers):
            self.unname(person, kind)
        del self._by_cio_id[person.cio_id]

    def is_suppressed(self, identifier: Identifier) -> bool:
        """Whether calls for `identifier` have no effect."""
        return bool(self._suppressed) and normal(identifier) in self._suppressed

    def suppress(self, identifier: Identifier) -> bool:
        """Delete the person and block `identifier` with all their others; false when there is nothing to block."""
        person = self.find(identifier)
        group = {normal(identifier)} if identifier.kind != "cio_id" else set()
        if person is not None:
            group |= {Identifier(kind, value) for kind, value in person.identifiers.items()}
            self.remove(person)
        self._suppressed.update(dict.fromkeys(group, tuple(sorted(group))))
        self._suppressions += bool(group)
        if len(self._suppressed) > self._suppressed_max:
            self.unsuppress(next(iter(self._suppressed)))
            self.forgotten += 1
        return bool(group)

    def unsuppress(self, identifier: Identifier) -> bool:
        """Free `identifier` and what was suppressed together with it; false when it was not suppressed."""
        group = self._suppressed.get(normal(identifier), ())
        for blocked in group:
            del self._suppressed[blocked]
        self._suppressions -= bool(group)
        return bool(group)
