"""The routes file: which webhooks become records of which further topic; read and checked before anything is served."""

from collections.abc import Hashable, Sequence
from pathlib import Path
from typing import Annotated, Any, Final, Literal, Self, TypeAlias

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from schemas.errors import ConfigError
from schemas.field_path import field_path
from streams.kafka.topic_plan import PERSON_STATUS, plan
from streams.settings import Settings

DEFAULT: Final = Path(__file__).parents[2] / "deploy" / "routes" / "webhooks.yaml"
FILE_BYTES_MAX: Final = 65_536
ROUTES_MAX: Final = 20
_NO_TOPICS: Final = frozenset({".", ".."})

ObjectType: TypeAlias = Literal["customer", "email", "push", "sms", "whatsapp", "in_app", "slack", "webhook"]
Metric: TypeAlias = Literal[
    "subscribed",
    "unsubscribed",
    "cio_subscription_preferences_changed",
    "drafted",
    "attempted",
    "sent",
    "delivered",
    "deferred",
    "opened",
    "clicked",
    "converted",
    "bounced",
    "dropped",
    "spammed",
    "failed",
    "undeliverable",
    "replied",
]
RouteField: TypeAlias = Literal[
    "event_id",
    "object_type",
    "metric",
    "timestamp",
    "person_id",
    "delivery_id",
    "campaign_id",
    "broadcast_id",
    "newsletter_id",
    "transactional_message_id",
    "trigger_id",
    "trigger_event_id",
    "action_id",
    "journey_id",
    "link_id",
    "failure_message",
    "preferences",
]


class Route(BaseModel):
    """One route; a misspelt metric or field would lose records silently, so only known ones are taken."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    name: Annotated[str, Field(pattern=r"^[a-z0-9-]{1,50}$")]
    topic: Annotated[str, Field(pattern=r"^[A-Za-z0-9._-]{1,200}$")]
    metrics: Annotated[list[Metric], Field(min_length=1)]
    object_types: Annotated[list[ObjectType], Field(min_length=1)] | None = None
    key: Literal["person_id", "event_id"] = "person_id"
    fields: Annotated[list[RouteField], Field(min_length=1)]

    @model_validator(mode="after")
    def _is_apart(self) -> Self:
        if self.topic in plan(Settings()) and self.topic != PERSON_STATUS:
            raise ValueError("goes to a topic that has records of another kind, expected a further one")
        if self.topic in _NO_TOPICS or self.topic.startswith("__"):
            raise ValueError("goes to what is no topic, or Kafka's own, expected a further one")
        if self.topic == PERSON_STATUS and self.key != "person_id":
            raise ValueError(f"has another key than {PERSON_STATUS} keeps persons by, expected person_id")
        return self


class Routes(BaseModel):
    """The whole file."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    routes: Annotated[list[Route], Field(max_length=ROUTES_MAX)]

    @model_validator(mode="after")
    def _names_differ(self) -> Self:
        names = [route.name for route in self.routes]
        if len(set(names)) < len(names):
            raise ValueError("has two routes of one name, expected names that differ")
        return self


def load_routes(settings: Settings) -> Sequence[Route]:
    """Read the routes of `WEBHOOK_ROUTES`, else the packaged ones.

    Raises:
        ConfigError: the file is not as it should be; all that is wrong with it.
    """
    path = settings.webhook_routes or DEFAULT
    try:
        with path.open("rb") as file:
            text = file.read(FILE_BYTES_MAX + 1)
        if len(text) > FILE_BYTES_MAX:
            raise ConfigError(f"WEBHOOK_ROUTES: {path} has over {FILE_BYTES_MAX} bytes")
        return Routes.model_validate(yaml.load(text, _Loader)).routes  # noqa: S506 - a safe one's kind
    except OSError as error:
        raise ConfigError(f"WEBHOOK_ROUTES: {path} cannot be read ({error.strerror})") from error
    except RecursionError as error:
        raise ConfigError(f"WEBHOOK_ROUTES: {path} is nested too deeply") from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        place = getattr(error, "problem_mark", None)
        where = f" (line {place.line + 1})" if place else ""
        what = error.problem if isinstance(error, _TwiceError) else "is not YAML"
        raise ConfigError(f"WEBHOOK_ROUTES: {path} {what}{where}") from error
    except ValidationError as error:
        raise ConfigError(f"WEBHOOK_ROUTES: {path}: {'; '.join(_faults(error))}") from error


class _TwiceError(yaml.constructor.ConstructorError):
    """Of two values of one name YAML would take the last."""


class _Loader(yaml.SafeLoader):
    """Refuses what is there twice."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:  # noqa: FBT001, FBT002 - its own
        """Make a mapping of names that differ."""
        names: set[str] = set()
        for name, _ in node.value:
            if isinstance(name, yaml.ScalarNode) and name.value in names:
                raise _TwiceError(problem="has a name twice in one place", problem_mark=name.start_mark)
            if isinstance(name, yaml.ScalarNode):
                names.add(name.value)
        return super().construct_mapping(node, deep)


def _faults(error: ValidationError) -> list[str]:
    return [
        f"{field_path(*fault['loc']) or 'the file'}: {fault['msg'].removeprefix('Value error, ')}"
        for fault in error.errors(include_url=False, include_input=False)
    ]
