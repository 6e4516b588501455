"""The routes file: what is accepted, and what is said of one that is not."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
import yaml

from schemas.errors import ConfigError
from streams.settings import Settings
from streams.webhooks.routes import DEFAULT, FILE_BYTES_MAX, ROUTES_MAX, Route, load_routes

ROUTE: dict[str, Any] = {"name": "r", "topic": "elsewhere", "metrics": ["sent"], "fields": ["event_id"]}


def load(tmp_path: Path, text: str) -> Sequence[Route]:
    """As a receiver does."""
    path = tmp_path / "routes.yaml"
    path.write_text(text)
    return load_routes(Settings(webhook_routes=path))


def test_the_packaged_routes_make_statuses_of_persons() -> None:
    """By default, of these four."""
    (route,) = load_routes(Settings())

    assert (route.topic, route.key, route.object_types) == ("customerio-person-status", "person_id", None)
    assert set(route.metrics) == {"unsubscribed", "bounced", "spammed", "cio_subscription_preferences_changed"}
    assert {"timestamp", "event_id"} <= set(route.fields)
    assert DEFAULT.name == "webhooks.yaml"


def test_routes_may_be_none(tmp_path: Path) -> None:
    """Then all webhooks are on their topic alone."""
    assert [] == list(load(tmp_path, "routes: []"))


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"metrics": ["snet"]}, "routes.0.metrics.0"),
        ({"metrics": []}, "routes.0.metrics"),
        ({"object_types": ["letter"]}, "routes.0.object_types.0"),
        ({"fields": ["email"]}, "routes.0.fields.0"),
        ({"key": "email"}, "routes.0.key"),
        ({"name": "R r"}, "routes.0.name"),
        ({"topic": "a b"}, "routes.0.topic"),
        ({"topic": "user-changes"}, "records of another kind"),
        ({"topic": "customerio-webhooks"}, "records of another kind"),
        ({"topic": ".."}, "no topic"),
        ({"topic": "__consumer_offsets"}, "no topic"),
        ({"topic": "customerio-person-status", "key": "event_id"}, "expected person_id"),
        ({"filter": "x"}, "routes.0.filter"),
    ],
)
def test_what_is_wrong_is_named(change: dict[str, Any], said: str, tmp_path: Path) -> None:
    """A misspelt metric would lose records silently."""
    with pytest.raises(ConfigError, match=r"^WEBHOOK_ROUTES: ") as raised:
        load(tmp_path, yaml.safe_dump({"routes": [ROUTE | change]}))

    assert said in str(raised.value)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "routes",
        "routes: {",
        "routes: 7",
        "other: []",
        "!!python/object/apply:os.system [id]",
        "[" * 5_000,
        "{[1]: 2, [1]: 3}",
        "#" * (FILE_BYTES_MAX + 1),
        yaml.safe_dump({"routes": [ROUTE, ROUTE]}),
        yaml.safe_dump({"routes": [ROUTE | {"name": f"r{number}"} for number in range(ROUTES_MAX + 1)]}),
    ],
)
def test_another_file_is_refused(text: str, tmp_path: Path) -> None:
    """In one line."""
    with pytest.raises(ConfigError, match=r"^WEBHOOK_ROUTES: "):
        load(tmp_path, text)


@pytest.mark.parametrize("name", ["routes", "topic"])
def test_what_is_there_twice_is_refused(name: str, tmp_path: Path) -> None:
    """Of two, YAML would silently take the last."""
    text = yaml.safe_dump({"routes": [ROUTE]}, sort_keys=False)
    again = {"routes": f"{text}routes: []\n", "topic": text.replace("  topic:", "  topic: a\n  topic:")}[name]
    load(tmp_path, text)
    with pytest.raises(ConfigError, match=r"^WEBHOOK_ROUTES: .* has a name twice in one place \(line \d\)$"):
        load(tmp_path, again)
