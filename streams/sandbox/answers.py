"""The forms in which Customer.io answers: its envelopes and headers, to the byte where they are known."""

from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any, Final

import orjson
from starlette.requests import Request
from starlette.responses import Response

from streams.sandbox.faults import FaultStatus
from streams.sandbox.operation import RefusedError

# Seen in live answers. Left out: the two that would send a browser to HTTPS.
HEADERS: Final[Mapping[str, str]] = {
    "content-type": "application/json; charset=utf-8",
    "cache-control": "no-cache, no-store, must-revalidate, max-age=0",
    "access-control-allow-origin": "*",
    "via": "1.1 google",
}
PROXY_STATUSES: Final = frozenset({502, 503, 504, 522, 524})
"""These come from the proxy in front of the API, in HTML."""

REASON_PHRASES: Final = {status.value: status.phrase for status in HTTPStatus}


def answer(body: Mapping[str, Any], *, status: int = 200) -> Response:
    """Answer with JSON and a line feed, as Customer.io does."""
    return Response(orjson.dumps(body) + b"\n", status_code=status, headers={**HEADERS, "status": _phrase(status)})


def batch_answer(errors: Sequence[Mapping[str, Any]]) -> Response:
    """Answer a batch that was well-formed: 200, or 207 with the items that were not accepted."""
    return answer({"errors": errors}, status=207) if errors else answer({})


def refused(request: Request, error: Exception) -> Response:
    """Answer a call that breaks a rule as a whole, in the envelope of its version."""
    assert isinstance(error, RefusedError)  # noqa: S101 - registered for this class only
    if not request.scope["path"].startswith("/api/v2/"):
        return answer({"meta": {"errors": [error.refusal.message]}}, status=error.status)
    refusal = error.refusal
    shown = {"reason": refusal.reason, "field": refusal.field, "message": refusal.message}
    return answer({"errors": [shown]}, status=error.status)


def unauthorised() -> Response:
    """Answer wrong credentials; Customer.io does not document this body."""
    return answer({"meta": {"error": "Unauthorized request"}}, status=401)


def no_such_call(_request: Request, error: Exception) -> Response:
    """Answer a path or method that is not simulated."""
    status = getattr(error, "status_code", 404)
    return answer({"meta": {"error": REASON_PHRASES[status].lower()}}, status=status)


def fault_answer(kind: FaultStatus, *, retry_after_s: int | None) -> Response:
    """Answer with an error that is nobody's fault but ours: HTML where the proxy speaks, else JSON."""
    status = int(kind)
    if status in PROXY_STATUSES:
        page = f"<html><head><title>{_phrase(status)}</title></head><body><h1>{_phrase(status)}</h1></body></html>\n"
        response = Response(page, status_code=status, media_type="text/html")
    elif status == HTTPStatus.UNAUTHORIZED:
        return unauthorised()
    else:
        response = answer({"meta": {"error": REASON_PHRASES.get(status, "error").lower()}}, status=status)
    if retry_after_s is not None and status in {429, 503}:
        response.headers["retry-after"] = str(retry_after_s)
    return response


def _phrase(status: int) -> str:
    return f"{status} {REASON_PHRASES.get(status, 'Error')}"
