"""The failure model's rows of sends: whose fault what the App API answers is, and so what is done. Data only.

What is different from all else: nobody can tell a repeat, so what may have gone out is never tried again by itself.
"""

from typing import Final

from schemas.failure_model import Failure

_SUCCESS: Final = frozenset(range(200, 300))
_KNOWN: Final = frozenset(range(100, 1000))

SENT: Final = Failure(
    name="sent",
    came_back="2xx with a `delivery_id`, or with the `id` of a trigger",
    whose="nobody's",
    action="deliver",
    what_we_do="delivered, with that id on the result",
    statuses=_SUCCESS,
    bodies=frozenset({"clean"}),
    sandbox=("slow", "slow_body", "drop"),
)
SEND_REFUSED: Final = Failure(
    name="refused send",
    came_back="400, 403, 404, 413 or 422",
    whose="the record's",
    action="refuse",
    what_we_do="dead letter `rejected`: a template that does not exist, a feature that is off, a forbidden file",
    statuses=frozenset({400, 403, 404, 413, 422}),
    sandbox=("400", "403", "404", "413", "422"),
)
SEND_CREDENTIALS: Final = Failure(
    name="credentials of the App API",
    came_back="401",
    whose="ours",
    action="hold",
    what_we_do="the breaker opens at once with reason `credentials`; the key is read again; a harmless read goes when "
    "it changes and at growing intervals; no dead letter",
    statuses=frozenset({401}),
    sandbox=("401",),
)
SENT_TOO_FAST: Final = Failure(
    name="sent too fast",
    came_back="429",
    whose="ours",
    action="slow_down",
    what_we_do="all lanes of that API wait as long as `Retry-After` says (at most 300 s), else for growing pauses up "
    "to 30 s, and the send is tried again: it was refused, so it is none too many",
    statuses=frozenset({429}),
    sandbox=("429",),
)
AMBIGUOUS: Final = Failure(
    name="ambiguous",
    came_back="408, 5xx, a time-out or a broken connection after the request went out",
    whose="theirs",
    action="set_aside",
    what_we_do="dead letter `ambiguous_send`, for it may have gone out; the next send waits until a harmless read of "
    "the App API succeeds, and goes alone until one is answered",
    statuses=frozenset({408, *range(500, 1000)}),
    sandbox=("408", "500", "502", "503", "504", "522", "524", "reset_before", "reset_after", "hang", "cut_body"),
)
SENT_UNREADABLE: Final = Failure(
    name="unreadable answer to a send",
    came_back="2xx that names nothing",
    whose="theirs",
    action="set_aside",
    what_we_do="as above: something in between has answered",
    statuses=_SUCCESS,
    bodies=frozenset({"unreadable"}),
    sandbox=("html", "empty", "truncated"),
)
NOT_SENT: Final = Failure(
    name="not sent",
    came_back="a refused connection, or any other end of it before the request's last byte",
    whose="theirs",
    action="ask_first",
    what_we_do="the breaker opens with reason `outage`; a harmless read at growing intervals up to 30 s; then it is "
    "tried again: nothing went out",
)
SEND_ADDRESS: Final = Failure(
    name="wrong address of the App API",
    came_back="3xx, or a status that Customer.io has no use for",
    whose="ours",
    action="hold",
    what_we_do="region or URL is wrong: the breaker opens with reason `address`; no dead letter",
    statuses=_KNOWN
    - _SUCCESS
    - SEND_REFUSED.statuses
    - SEND_CREDENTIALS.statuses
    - SENT_TOO_FAST.statuses
    - AMBIGUOUS.statuses,
    sandbox=("301", "307", "308"),
)
INTERRUPTED: Final = Failure(
    name="interrupted",
    came_back="the worker ended between its intent to send and the answer",
    whose="ours",
    action="set_aside",
    what_we_do="dead letter `ambiguous_send`, when the record is delivered again",
)

SEND_ROWS: Final = (
    SENT,
    SEND_REFUSED,
    SEND_CREDENTIALS,
    SENT_TOO_FAST,
    AMBIGUOUS,
    SENT_UNREADABLE,
    NOT_SENT,
    SEND_ADDRESS,
    INTERRUPTED,
)

_BY_STATUS: Final = {status: row for row in SEND_ROWS if not row.bodies for status in row.statuses}


def row_of_send(status: int) -> Failure:
    """The row of an answer that is no success."""
    return _BY_STATUS[status]
