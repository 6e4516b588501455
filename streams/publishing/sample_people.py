"""Invented people for the sample traffic, what changes about them and what they do. Pure: chance is passed in."""

from dataclasses import dataclass
from random import Random
from typing import Final

FIRST_NAMES: Final = ("Ada", "Alan", "Barbara", "Édouard", "Grace", "Jürgen", "Katherine", "Linus", "Margaret", "Søren")
LAST_NAMES: Final = ("Lovelace", "Turing", "Liskov", "Lucas", "Hopper", "Schmidt", "Johnson", "Hamilton", "Bjørn")
PLANS: Final = ("free", "basic", "pro", "enterprise")
CITIES: Final = ("London", "Zürich", "København", "São Paulo", "東京", "Boston", "Kraków")
PRODUCTS: Final = ("notebook", "lamp", "chair", "desk", "headphones")
OPTED_IN: Final = {"marketing": True, "transactional": True}
OPTED_OUT: Final = {"marketing": False, "transactional": False}
_PREFERENCES: Final = (OPTED_IN, {"marketing": False, "transactional": True}, {"marketing": True})


@dataclass(slots=True, kw_only=True)
class Person:
    """A user as the publisher knows one: `fields` are the record's `user`, `version` is that of the last change."""

    id: str
    fields: dict[str, object]
    version: int = 0


def invent_person(rng: Random, *, number: int, created_at: str) -> Person:
    """Make up a user with all fields; the e-mail address reaches nobody."""
    fields: dict[str, object] = {
        "id": f"user-{number}",
        "email": f"user-{number}@example.com",
        "first_name": rng.choice(FIRST_NAMES),
        "last_name": rng.choice(LAST_NAMES),
        "plan": rng.choice(PLANS),
        "created_at": created_at,
        "preferences": rng.choice(_PREFERENCES),
        "attributes": {"city": rng.choice(CITIES), "logins": 1},
    }
    return Person(id=f"user-{number}", fields=fields)


def invent_change(rng: Random) -> dict[str, object]:
    """Make up a change of one field; null clears one."""
    changes: tuple[dict[str, object], ...] = (
        {"plan": rng.choice(PLANS)},
        {"last_name": rng.choice(LAST_NAMES)},
        {"last_name": None},
        {"attributes": {"city": rng.choice(CITIES)}},
        {"attributes": {"logins": rng.randrange(2, 10_000)}},
    )
    return rng.choice(changes)


def invent_data(rng: Random) -> tuple[str, dict[str, object]]:
    """Make up what somebody did: an event's name and its data."""
    product = rng.choice(PRODUCTS)
    events: tuple[tuple[str, dict[str, object]], ...] = (
        ("page_viewed", {"path": f"/products/{product}"}),
        ("product_added", {"product": product, "quantity": rng.randrange(1, 4)}),
        ("order_completed", {"total": rng.randrange(500, 50_000) / 100, "items": [{"product": product}]}),
        ("search_performed", {"query": product, "results": rng.randrange(100)}),
    )
    return rng.choice(events)
