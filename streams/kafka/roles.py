"""The least that each role must be allowed on Kafka, as data, for `cio-streams acls` and the tests that prove it.

READ and WRITE include DESCRIBE; who may WRITE to a topic needs no IDEMPOTENT_WRITE on the cluster since Kafka 2.8.
"""

import shlex
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal

from streams.kafka import topic_plan
from streams.settings import Settings

Role = Literal[
    "worker",
    "worker-with-sends",
    "publisher",
    "webhooks",
    "warehouse",
    "dlq-watch",
    "auditor",
    "reader",
    "operator",
    "checker",
    "topic-admin",
]
Kind = Literal["topic", "group", "transactional-id"]
Operation = Literal["READ", "WRITE", "CREATE", "DESCRIBE", "DESCRIBE_CONFIGS"]

_INPUTS: Final = (topic_plan.USER_CHANGES, topic_plan.DOMAIN_EVENTS, topic_plan.REPLAY)
_SENDS: Final = (topic_plan.TRANSACTIONAL_MESSAGES, topic_plan.BROADCAST_TRIGGERS)
_LEDGERS: Final = (topic_plan.LEDGER_PEOPLE, topic_plan.LEDGER_EVENTS, topic_plan.LEDGER_SENDS)
_DECIDED: Final = (topic_plan.DLQ_DECISIONS, topic_plan.REPLAY)
_ALL: Final = (
    *topic_plan.INPUTS,
    topic_plan.REPLAY,
    topic_plan.WEBHOOKS,
    topic_plan.PERSON_STATUS,
    topic_plan.RESULTS,
    topic_plan.DLQ,
    topic_plan.DLQ_DECISIONS,
    *_LEDGERS,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Right:
    """One operation on one thing; `name` is a topic's short name, or what follows `APP_ID`.

    `is_prefix`: on all whose names begin so.
    """

    operation: Operation
    kind: Kind
    name: str
    is_prefix: bool = False

    def __str__(self) -> str:
        """Say it as the test that proves it is called."""
        return f"{self.operation} {self.kind} {self.name}{'*' if self.is_prefix else ''}"

    def full_name(self, settings: Settings) -> str:
        """As Kafka knows it."""
        return settings.topic(self.name) if self.kind == "topic" else f"{settings.app_id}{self.name}"


def _topics(operation: Operation, names: Iterable[str]) -> list[Right]:
    return [Right(operation=operation, kind="topic", name=name) for name in names]


def _group(operation: Operation, suffix: str = "") -> Right:
    return Right(operation=operation, kind="group", name=suffix)


def _transactions(suffix: str) -> Right:
    return Right(operation="WRITE", kind="transactional-id", name=suffix, is_prefix=True)


_WORKER: Final = (
    *_topics("READ", (*_INPUTS, *_LEDGERS, topic_plan.DLQ_DECISIONS)),
    *_topics("WRITE", (topic_plan.RESULTS, topic_plan.DLQ, topic_plan.LEDGER_PEOPLE, topic_plan.LEDGER_EVENTS)),
    _group("READ"),
    _transactions("-"),
)
_AUDITOR: Final = (
    *_topics("READ", (*topic_plan.INPUTS, topic_plan.REPLAY, topic_plan.RESULTS)),
    *_topics("READ", (topic_plan.DLQ, topic_plan.DLQ_DECISIONS)),
    _group("DESCRIBE"),
)
_READER: Final = (*_AUDITOR, *_topics("READ", _LEDGERS))
_CHECKER: Final = (*_topics("DESCRIBE", _ALL), *_topics("DESCRIBE_CONFIGS", _ALL))

ROLES: Final[Mapping[Role, Sequence[Right]]] = {
    "worker": _WORKER,
    "worker-with-sends": (*_WORKER, *_topics("READ", _SENDS), *_topics("WRITE", [topic_plan.LEDGER_SENDS])),
    "publisher": _topics("WRITE", topic_plan.INPUTS),
    "webhooks": _topics("WRITE", [topic_plan.WEBHOOKS]),
    "warehouse": (*_topics("READ", (topic_plan.WEBHOOKS, topic_plan.RESULTS)), _group("READ", "-warehouse")),
    "dlq-watch": _topics("READ", (topic_plan.DLQ, topic_plan.DLQ_DECISIONS)),
    "auditor": _AUDITOR,
    "reader": _READER,
    "operator": (*_READER, *_topics("WRITE", _DECIDED), _transactions("-dlq-")),
    "checker": _CHECKER,
    "topic-admin": (*_CHECKER, *_topics("CREATE", _ALL)),
}
"""By the name that `cio-streams acls` takes."""


def rights_of(role: Role, *, routed: Collection[str]) -> list[Right]:
    """Give what a role needs; `routed`: the topics (short names) that webhooks are routed to."""
    return [*ROLES[role], *(_topics("WRITE", routed) if role == "webhooks" else ())]


def shell_lines(rights: Collection[Right], settings: Settings, *, principal: str) -> Iterator[str]:
    """Give kafka-acls.sh lines that allow all of it: one for all things on which the same is allowed."""
    operations: dict[tuple[Kind, str, bool], list[str]] = {}
    for right in rights:
        named = (right.kind, right.full_name(settings), right.is_prefix)
        operations.setdefault(named, []).append(right.operation.title().replace("_", ""))
    alike: dict[tuple[Kind, bool, tuple[str, ...]], list[str]] = {}
    for (kind, name, is_prefix), each in operations.items():
        alike.setdefault((kind, is_prefix, tuple(each)), []).append(name)
    for (kind, is_prefix, allowed), names in alike.items():
        words = ["kafka-acls.sh", "--bootstrap-server", settings.bootstrap, "--command-config", "admin.properties"]
        words += ["--add", "--allow-principal", principal]
        words += [word for each in allowed for word in ("--operation", each)]
        words += [word for name in names for word in (f"--{kind}", name)]
        yield shlex.join([*words, *(["--resource-pattern-type", "prefixed"] if is_prefix else [])])
