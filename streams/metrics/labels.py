"""The labels of metrics, and the values that each can have: none of them comes from a record or from Customer.io."""

from dataclasses import dataclass
from http import HTTPStatus
from typing import Final, get_args

from schemas.outcome import DeadReason, Outcome, Reason
from streams.kafka.abort_causes import AbortCause
from streams.kafka.topic_plan import INPUTS

OTHER: Final = "other"
"""Stands for whatever is not among a label's values."""


@dataclass(frozen=True, slots=True)
class Label:
    """Its name, its values, None where settings or the cluster decide, and what is said of them instead of a list."""

    name: str
    values: frozenset[str] | None = None
    told: str = ""


def _one_of(name: str, *values: str) -> Label:
    return Label(name, frozenset(values))


STATUSES: Final = frozenset(str(status.value) for status in HTTPStatus) | {f"{digit}xx" for digit in range(10)}
"""Of HTTP; what the standard does not know counts by its first digit."""

NO_ANSWERS: Final = frozenset(
    {"timeout", "ConnectError", "ReadError", "WriteError", "CloseError", "NetworkError", "ProxyError", "DecodingError"}
    | {"ProtocolError", "LocalProtocolError", "RemoteProtocolError", "UnsupportedProtocol", "TransportError", OTHER}
)
"""Why a request was not answered: httpx's names."""

UNREADABLE: Final = "unreadable body"
_HTTP: Final = frozenset(f"HTTP {status}" for status in STATUSES)
_UNKNOWN: Final = "`4xx` and its like for one that the standard does not know"
_NAMED: Final = f"why there was none: {', '.join(f'`{each}`' for each in sorted(NO_ANSWERS))}"
_APIS: Final = ("track", "app", "send", "broadcast")
_BREAKER_REASONS: Final = ("no_key", "too_fast", "retry_after", "outage", "credentials", "address", "ambiguous")

API: Final = _one_of("api", *_APIS)
STATUS: Final = Label("status", STATUSES | NO_ANSWERS, f"a status of HTTP, {_UNKNOWN}, or {_NAMED}")
RETRY_CAUSE: Final = Label(
    "cause", _HTTP | NO_ANSWERS | {UNREADABLE}, f"`HTTP` and a status, {_UNKNOWN}, `{UNREADABLE}`, or {_NAMED}"
)
STATE: Final = _one_of("state", "closed", "held", "open", "half_open")
BREAKER_REASON: Final = _one_of("reason", "", *_BREAKER_REASONS)
HELD_REASON: Final = _one_of("reason", *_BREAKER_REASONS)
LANE_REASON: Final = _one_of("reason", "flood", "rate", "retry", "kafka", *_BREAKER_REASONS)

TOPIC: Final = Label("topic", told="full names of the input topics and of customerio-replay")
PARTITION: Final = Label("partition", told="numbers of the partitions")
OUTCOME: Final = _one_of("outcome", *get_args(Outcome))
REASON: Final = _one_of("reason", "", *get_args(DeadReason), *get_args(get_args(Reason)[-1]))
DEAD_REASON: Final = _one_of("reason", *get_args(DeadReason))
LETTER_TOPIC: Final = Label("topic", told=f"full names of {', '.join(INPUTS)}, and `{OTHER}`")
WATCHED_TOPIC: Final = Label("topic", told="full names of customerio-dlq and customerio-dlq-decisions")
ABORT_CAUSE: Final = _one_of("cause", *get_args(AbortCause))
FLOOD_REASON: Final = _one_of("reason", "", *get_args(DeadReason))
KIND: Final = _one_of("kind", "people", "events", "sends")

OPERATION: Final = Label("operation", told="names of the operations of MESSAGING.md")
ERROR: Final = Label("error", told="class names of errors")

WEBHOOK_STATUS: Final = Label("status", STATUSES, "a status of HTTP")
FAULT: Final = _one_of("fault", "not_understood", "too_large")
REFUSAL: Final = _one_of("cause", "no_room", "kafka", "starting", "new_key", "unforeseen")
CUT: Final = _one_of("cause", "slow", "too_many", "not_http")
WHAT: Final = _one_of("what", "requests", "bytes")
ROUTE: Final = Label("route", told="names of the routes in the file WEBHOOK_ROUTES")
TABLE: Final = Label("table", told="names of the views of the warehouse")

SECRET: Final = Label("secret", told="names of the settings that are secrets, in lower case")
VERSION: Final = Label("version", told="the version of customerio-streams")
PYTHON: Final = Label("python", told="the version of Python")
