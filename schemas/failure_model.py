"""Whose fault what comes back is, and so what is done: the one table that judge, documentation and sandbox are made of.

Data only. `agents/steps/judge.py` looks a row up for every answer, `FAILURES.md` shows the rows to people, and the
sandbox can do everything that stands in a row's `sandbox`.
"""

from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

Action: TypeAlias = Literal[
    "deliver",
    "refuse_items",
    "send_alone",
    "halve",
    "ask_region",
    "retry",
    "slow_down",
    "hold",
    "give_up",
    "crash",
    "refuse",
    "set_aside",
    "ask_first",
]
Body: TypeAlias = Literal["clean", "names_items", "unclear", "unreadable"]
"""What the body of a 2xx says: no error, errors of certain items, of nobody knows which, or nothing readable.

Of a send: `clean` names what was made of it, anything else is `unreadable`.
"""

Whose: TypeAlias = Literal["nobody's", "the record's", "ours", "theirs"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """One row. `statuses` and `bodies` are empty where no single answer says it, but how attempts went on."""

    name: str
    came_back: str
    whose: Whose
    action: Action
    what_we_do: str
    statuses: frozenset[int] = frozenset()
    bodies: frozenset[Body] = frozenset()
    sandbox: tuple[str, ...] = ()
    """The sandbox's kinds of fault that end up in this row."""


_SUCCESS: Final = frozenset(range(200, 300))
_UNNAMED: Final = frozenset(range(100, 1000))


def _status(*statuses: int) -> frozenset[int]:
    return frozenset(statuses)


def _body(*bodies: Body) -> frozenset[Body]:
    return frozenset(bodies)


ACCEPTED: Final = Failure(
    name="accepted",
    came_back="2xx without errors",
    whose="nobody's",
    action="deliver",
    what_we_do="delivered",
    statuses=_SUCCESS,
    bodies=_body("clean"),
    sandbox=("slow", "slow_body", "drop"),
)
REFUSED_ITEMS: Final = Failure(
    name="refused items",
    came_back="207, or another 2xx, whose `errors` name items",
    whose="the record's",
    action="refuse_items",
    what_we_do="each named item is a dead letter `rejected`; all others are delivered",
    statuses=_SUCCESS,
    bodies=_body("names_items"),
    sandbox=("errors_in_200",),
)
UNCLEAR: Final = Failure(
    name="unclear",
    came_back="207 that cannot be read, or an index that is out of range or stands twice",
    whose="theirs",
    action="send_alone",
    what_we_do="every item of that request is sent alone, so that the answer can only be about it",
    statuses=_SUCCESS,
    bodies=_body("unclear"),
    sandbox=("index_out_of_range", "index_twice", "truncated_207"),
)
REFUSED_REQUEST: Final = Failure(
    name="refused request",
    came_back="400, 413 or 422 of the request as a whole",
    whose="the record's",
    action="halve",
    what_we_do="halved until the culprit is alone: dead letter `rejected`; all others are delivered",
    statuses=_status(400, 413, 422),
    sandbox=("400", "413", "422"),
)
NOT_FOUND: Final = Failure(
    name="not found",
    came_back="404",
    whose="the record's",
    action="ask_region",
    what_we_do="the API is asked for its region: if it answers, one of the items is at fault (halved); else the URL is "
    "wrong (held)",
    statuses=_status(404),
    sandbox=("404",),
)
CREDENTIALS: Final = Failure(
    name="credentials",
    came_back="401, or 403 of the Track API",
    whose="ours",
    action="hold",
    what_we_do="the breaker opens at once with reason `credentials`; the secrets are read again; a probe goes when "
    "they change and at growing intervals; no dead letter",
    statuses=_status(401, 403),
    sandbox=("401", "403"),
)
TOO_FAST: Final = Failure(
    name="too fast",
    came_back="429",
    whose="ours",
    action="slow_down",
    what_we_do="all lanes of that API wait as long as `Retry-After` says (at most 300 s), else for growing pauses up "
    "to 30 s; uses up no attempt",
    statuses=_status(429),
    sandbox=("429",),
)
TRY_AGAIN: Final = Failure(
    name="try again",
    came_back="408, 5xx, a time-out, a connection that fails",
    whose="theirs",
    action="retry",
    what_we_do="`RETRY_ATTEMPTS` in all, after pauses of `RETRY_BACKOFF_S` doubled each time, with full jitter; "
    "`Retry-After` is honoured here too",
    statuses=_status(408, *range(500, 600)),
    sandbox=("408", "500", "502", "503", "504", "522", "524", "reset_before", "reset_after", "hang", "cut_body"),
)
UNREADABLE: Final = Failure(
    name="unreadable",
    came_back="2xx with a body that is no JSON object; 207 of one item alone that names none",
    whose="theirs",
    action="retry",
    what_we_do="as any other fault of theirs: something in between has answered",
    statuses=_SUCCESS,
    bodies=_body("unreadable"),
    sandbox=("html", "empty", "truncated"),
)
WRONG_ADDRESS: Final = Failure(
    name="wrong address",
    came_back="3xx, or a status that Customer.io has no use for",
    whose="ours",
    action="hold",
    what_we_do="region or URL is wrong: the breaker opens with reason `address`, and says what "
    "`/api/v1/accounts/region` answers; no dead letter",
    statuses=_UNNAMED
    - _SUCCESS
    - REFUSED_REQUEST.statuses
    - NOT_FOUND.statuses
    - CREDENTIALS.statuses
    - TOO_FAST.statuses
    - TRY_AGAIN.statuses,
    sandbox=("301", "307", "308"),
)
GIVEN_UP: Final = Failure(
    name="given up",
    came_back="attempts used up, while other records' requests (or a probe) were accepted",
    whose="the record's",
    action="give_up",
    what_we_do="halved until the culprit is alone: dead letter `retries_exhausted`; all others are delivered",
)
OUTAGE: Final = Failure(
    name="outage",
    came_back="attempts used up, and nothing is accepted",
    whose="theirs",
    action="hold",
    what_we_do="the breaker opens with reason `outage`; one probe at growing intervals up to 30 s; lanes wait, then go "
    "on where they were; no dead letter",
)
UNFORESEEN: Final = Failure(
    name="unforeseen",
    came_back="an exception that nobody foresaw",
    whose="ours",
    action="crash",
    what_we_do="the process ends with exit code 1; what was under way is delivered again",
)

ROWS: Final = (
    ACCEPTED,
    REFUSED_ITEMS,
    UNCLEAR,
    REFUSED_REQUEST,
    NOT_FOUND,
    CREDENTIALS,
    TOO_FAST,
    TRY_AGAIN,
    UNREADABLE,
    WRONG_ADDRESS,
    GIVEN_UP,
    OUTAGE,
    UNFORESEEN,
)
SANDBOX_FAULTS: Final = tuple(kind for row in ROWS for kind in row.sandbox)

_BY_STATUS: Final = {status: row for row in ROWS if not row.bodies for status in row.statuses}
_BY_BODY: Final = {body: row for row in ROWS for body in row.bodies}


def is_success(status: int) -> bool:
    """Whether the body decides."""
    return status in _SUCCESS


def row_of_status(status: int) -> Failure:
    """The row of an answer that is no success."""
    return _BY_STATUS[status]


def row_of_body(body: Body) -> Failure:
    """The row of a success with such a body."""
    return _BY_BODY[body]
