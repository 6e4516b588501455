"""One person: identifiers, attributes in the order of their timestamps, devices. Knows of nobody else."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from streams.sandbox.limits import ATTRIBUTES_MAX

DEVICES_MAX: Final = 25
"""Beyond it the device added first is forgotten."""

PREFERENCES: Final = "cio_subscription_preferences"
TOPICS: Final = f"{PREFERENCES}.topics."
UNSUBSCRIBED: Final = frozenset({"true", "1"})


@dataclass(slots=True, kw_only=True, eq=False)
class Person:
    """A profile. `values` keeps None for what was cleared, so that an older update cannot bring it back.

    The time of an attribute is in `times` only where it differs from `base_time`: an update that names every
    attribute, which is the usual one, leaves a single number behind instead of one for each.
    """

    cio_id: str
    created_at: int
    identifiers: dict[str, str] = field(default_factory=dict)
    values: dict[str, Any] = field(default_factory=dict)
    base_time: int = 0
    newest_time: int = 0
    times: dict[str, int] = field(default_factory=dict)
    devices: dict[str, Mapping[str, Any]] = field(default_factory=dict)
    segments: frozenset[int] = frozenset()

    @property
    def is_unsubscribed(self) -> bool:
        """Whether this person gets no more campaigns and broadcasts, by the documented values."""
        return str(self.values.get("unsubscribed")).lower() in UNSUBSCRIBED

    def accepts(self, name: str, *, timestamp: int | None) -> bool:
        """Whether an update of `name` made at `timestamp` counts; one without a time counts by its arrival."""
        if timestamp is None or name not in self.values:
            return True
        return timestamp >= self.times.get(name, self.base_time)

    def update(self, attributes: Mapping[str, Any], *, timestamp: int | None, now: int) -> bool:
        """Set the attributes for which this is the newest update; false when there was none among them."""
        attributes = self._with_topics(attributes)
        if timestamp is None:
            timestamp = max(now, self.newest_time)
        if (
            timestamp >= self.newest_time
            and len(attributes) <= ATTRIBUTES_MAX
            and attributes.keys() >= self.values.keys()
        ):
            self._replace(attributes, timestamp=timestamp)
            return True
        fresh = [name for name in attributes if self.accepts(name, timestamp=timestamp)]
        for name in fresh:
            if name in self.values or len(self.values) < ATTRIBUTES_MAX:
                self.values[name] = _cleared(attributes[name])
                self.times[name] = timestamp
        self.newest_time = max(self.newest_time, timestamp)
        return bool(fresh) or not attributes

    def _with_topics(self, attributes: Mapping[str, Any]) -> Mapping[str, Any]:
        """Write `cio_subscription_preferences.topics.topic_1` out: it changes one topic and keeps the others."""
        dotted = [name for name in attributes if name.startswith(TOPICS)]
        if not dotted:
            return attributes
        written = {name: value for name, value in attributes.items() if name not in dotted}
        preferences = written.get(PREFERENCES) or self.values.get(PREFERENCES) or {}
        topics = dict(preferences.get("topics", {}))
        topics.update((name.removeprefix(TOPICS), attributes[name]) for name in dotted)
        return written | {PREFERENCES: {**preferences, "topics": topics}}

    def _replace(self, attributes: Mapping[str, Any], *, timestamp: int) -> None:
        self.values = {name: _cleared(value) for name, value in attributes.items()}
        self.times.clear()
        self.base_time = self.newest_time = timestamp

    def absorb(self, other: "Person") -> None:
        """Take over what `other` has and this person has not."""
        for name, value in other.values.items():
            if self.values.get(name) is None and value is not None:
                self.values[name] = value
                self.times[name] = other.times.get(name, other.base_time)
        for device in other.devices.values():
            if device["token"] not in self.devices:
                self.add_device(device)
        self.segments |= other.segments

    def add_device(self, device: Mapping[str, Any]) -> None:
        """Add or renew the device of that token."""
        self.devices[device["token"]] = device
        if len(self.devices) > DEVICES_MAX:
            del self.devices[next(iter(self.devices))]

    def shown_attributes(self) -> dict[str, Any]:
        """Return what is set, without what was cleared."""
        return {name: value for name, value in self.values.items() if value is not None}


def _cleared(value: object) -> object:
    return None if value == "" else value
