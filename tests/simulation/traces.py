"""What a run leaves behind, sorted for those who hold it against what must be."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import orjson

from tests.faults.evidence import Output, SandboxTraces
from tests.faults.publisher import Place, Published
from tests.simulation import kafka
from tests.simulation.customerio import CustomerIo
from tests.simulation.kafka import Broker
from tests.simulation.poison import REASONS, poison_in
from tests.simulation.script import Script


@dataclass(kw_only=True)
class Traces:
    """`born` is when each worker began, in seconds of the run."""

    script: Script
    broker: Broker
    customerio: CustomerIo
    born: Mapping[str, float]
    doubles: list[str] = field(default_factory=list)

    @cached_property
    def published(self) -> list[Published]:
        """Every input record."""
        return [published for _, published in self.script.records]

    @cached_property
    def poison(self) -> dict[Place, str]:
        """The records that Customer.io will never take, and the kind of each."""
        return {each.place: kind for each in self.published if (kind := poison_in(each.draft))}

    @cached_property
    def results(self) -> dict[Place, dict[str, Any]]:
        """Results by the place of their record; notes `doubles`."""
        found: dict[Place, dict[str, Any]] = {}
        for output in self.broker.outputs[kafka.RESULTS]:
            result = orjson.loads(output.value or b"{}")
            source = result["source"]
            place = Place(source["topic"], source["partition"], source["offset"])
            if place in found:
                self.doubles.append(f"conclusions: {place} has a second result")
            if output.place.partition != place.partition:
                self.doubles.append(f"conclusions: {place} has its result on partition {output.place.partition}")
            found[place] = result | {"key": output.key}
        return found

    @property
    def letters(self) -> Sequence[Output]:
        """The dead letters."""
        return self.broker.outputs[kafka.LETTERS]

    @cached_property
    def sandbox(self) -> SandboxTraces:
        """Customer.io at the end."""
        world = self.customerio.world
        log = [orjson.loads(line) for block in world.chronicle.log_blocks() for line in block.splitlines()]
        people = {person.identifiers["id"]: person for person in world.people if "id" in person.identifiers}
        return SandboxTraces(
            log=log,
            people={name: {"attributes": person.shown_attributes()} for name, person in people.items()},
            suppressed={each.value for group in world.people.suppressed() for each in group if each.kind == "id"},
            summary={},
        )

    @cached_property
    def arrivals(self) -> Mapping[str, list[dict[str, Any]]]:
        """What was applied for each person, events aside."""
        found: dict[str, list[dict[str, Any]]] = defaultdict(list)
        for entry in self.sandbox.log:
            if entry["type"] == "person" and entry["action"] != "event":
                found[entry["identifier"]["id"]].append(entry)
        return found

    @cached_property
    def given_up(self) -> set[Place]:
        """Records that are dead though nothing is wrong with them: a violation, of which others would follow."""
        malformed = {each.place for each in self.published if each.draft.is_malformed}
        dead = {place for place, result in self.results.items() if result["outcome"] == "dead"}
        return dead - malformed - self.poison.keys()

    @cached_property
    def spoiled(self) -> set[str]:
        """The ids of events that were given up, and may have been counted, or come again, all the same."""
        return {self.results[place]["event_id"] for place in self.given_up} - {None}

    @cached_property
    def has_failing_poison(self) -> bool:
        """Whether some record makes every request fail that it is in, as an outage would."""
        return any(REASONS[kind] == "retries_exhausted" for kind in self.poison.values())

    def sound(self) -> Iterator[Published]:
        """The records of which all is known that must become of them."""
        for each in self.published:
            event_id = self.results.get(each.place, {}).get("event_id")
            if not (each.place in self.poison or each.place in self.given_up or event_id in self.spoiled):
                yield each
