"""Customer.io's weather: what goes wrong there, and when. Scripted by the seed; it knows no request's content."""

import random
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import orjson

from schemas.answer import Answer, NoAnswer

Kind = Literal["outage", "ingestion", "brownout", "storm", "limit", "revoked", "odd", "resets"]
KINDS: tuple[Kind, ...] = ("outage", "ingestion", "brownout", "storm", "limit", "revoked", "odd", "resets")
SHARES: dict[Kind, tuple[float, float]] = {
    "outage": (1, 1),
    "ingestion": (1, 1),
    "brownout": (0.15, 0.7),
    "storm": (0.3, 1),
    "limit": (0.3, 1),
    "revoked": (1, 1),
    "odd": (0.3, 1),
    "resets": (0.2, 0.7),
}
ODD = (
    b'{"errors": [{"batch_index": 9999, "message": "x"}]}',
    b'{"errors": [{"batch_index": 0, "message": "x"}, {"batch_index": 0, "message": "x"}]}',
    b'{"errors": [{"message": "x"}]}',
    b'{"errors": [{"batch_',
)
RETRY_AFTER_S = (0.0, 1.0, 3.0, 20.0)
TIMEOUT_S = float("inf")


@dataclass(frozen=True, slots=True, kw_only=True)
class Failing:
    """How one request fails: `is_applied` or not, with this status or none; infinitely slow is never answered."""

    status: int | None = None
    body: bytes | None = None
    is_applied: bool = False
    retry_after_s: float | None = None
    slow_s: float = 0.0

    def answer(self, applied: Answer | None, items: int) -> Answer | NoAnswer | None:
        """What the client gets, None when it hears nothing."""
        if self.slow_s == TIMEOUT_S:
            return None
        if applied is not None and self.slow_s:
            return applied
        if self.status is None:
            return NoAnswer("ReadError")
        if self.body is not None and items == 1 and self.status == 207:
            return applied or Answer(200, b"{}")  # an odd list needs items to be odd about
        body = self.body if self.body is not None else orjson.dumps({"errors": [{"reason": "simulated"}]})
        return Answer(self.status, body, self.retry_after_s)


@dataclass(frozen=True, slots=True, kw_only=True)
class Spell:
    """A time of one kind of weather."""

    kind: Kind
    since_s: float
    until_s: float
    share: float

    @property
    def is_total(self) -> bool:
        """Whether nothing at all gets through."""
        return self.kind == "outage"

    @property
    def is_partial(self) -> bool:
        """Whether requests fail as they do in an outage, while others, or the region's, are answered."""
        return self.kind in {"ingestion", "brownout", "resets"}

    def __str__(self) -> str:
        """As the story tells it."""
        return f"{self.kind} until {self.until_s:.1f} s, {self.share:.0%} of the requests"


@dataclass(frozen=True, slots=True)
class Weather:
    """The spells of a run, in their order."""

    spells: Sequence[Spell]

    def spell(self, at_s: float) -> Spell | None:
        """The one that it is then."""
        return next((each for each in self.spells if each.since_s <= at_s < each.until_s), None)

    def failing(self, at_s: float, endpoint: str, chance: random.Random) -> Failing | None:
        """How a request that arrives now fails, None when it does not."""
        spell = self.spell(at_s)
        if spell is None or chance.random() >= spell.share:
            return None
        if spell.kind == "ingestion" and endpoint == "region":
            return None
        return _draw(spell.kind, endpoint, chance)


def _draw(kind: Kind, endpoint: str, chance: random.Random) -> Failing | None:
    match kind:
        case "outage" | "ingestion":
            return chance.choice((Failing(status=503), Failing(status=502), Failing(), Failing(slow_s=TIMEOUT_S)))
        case "brownout":
            return chance.choice(
                (
                    Failing(status=500),
                    Failing(status=503, retry_after_s=chance.choice((None, None, 1.0, 5.0))),
                    Failing(status=200, body=b"<html>"),
                    Failing(slow_s=TIMEOUT_S),
                    Failing(slow_s=chance.uniform(1, 12), is_applied=True),
                )
            )
        case "storm" | "limit":
            return Failing(status=429, retry_after_s=chance.choice(RETRY_AFTER_S) if kind == "limit" else None)
        case "revoked":
            return Failing(status=401)
        case "odd":
            return Failing(status=207, body=chance.choice(ODD), is_applied=True) if endpoint == "batch" else None
        case "resets":
            return Failing(is_applied=chance.random() < 0.5)


def draw_weather(chance: random.Random, until_s: float) -> Weather:
    """Some spells, one after the other."""
    spells, at_s = [], chance.uniform(0, 20)
    while at_s < until_s:
        kind = chance.choice(KINDS)
        end_s = min(at_s + _length_s(kind, chance), until_s)
        spells.append(Spell(kind=kind, since_s=at_s, until_s=end_s, share=chance.uniform(*SHARES[kind])))
        at_s = end_s + chance.uniform(2, 40)
    return Weather(spells)


def _length_s(kind: Kind, chance: random.Random) -> float:
    if kind in {"outage", "ingestion", "revoked"} and chance.random() < 0.3:
        return chance.uniform(60, 200)
    return chance.uniform(3, 40)
