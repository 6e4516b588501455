"""The forms in which Customer.io answers: its envelopes and headers, to the byte where they are known."""

from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any, Final

import orjson
from starlette.requests import Request
from starlette.responses import Response

from streams.sandbox.account import APP_PATHS
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

REDIRECTS: Final = frozenset({301, 307, 308})
V2_PATHS: Final = "/api/v2/"
SEND_PATHS: Final = f"{APP_PATHS}send/"
REFERENCE: Final = "(reference sandbox)"
"""Customer.io ends some texts with such a thing for its support."""

ITEM_FAULT: Final = {"reason": "invalid", "field": "sandbox", "message": "refused as a fault of the sandbox"}

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
    path, refusal = request.scope["path"], error.refusal
    if path.startswith(APP_PATHS):
        return app_error(path, f"{refusal.field} {refusal.message}".lstrip(), status=error.status, field=refusal.field)
    if not path.startswith(V2_PATHS):
        return answer({"meta": {"errors": [refusal.message]}}, status=error.status)
    shown = {"reason": refusal.reason, "field": refusal.field, "message": refusal.message}
    return answer({"errors": [shown]}, status=error.status)


def app_error(path: str, detail: str, *, status: int, field: str = "") -> Response:
    """Answer as the App API does: its sends have one envelope, its other calls another."""
    if path.startswith(SEND_PATHS):
        return answer({"meta": {"error": detail}}, status=status)
    error: dict[str, Any] = {"detail": detail, "status": str(status)}
    if field:
        error["source"] = {"pointer": f"/data/attributes/{field}"}
    return answer({"errors": [error]}, status=status)


def unauthorised(path: str) -> Response:
    """Answer wrong credentials; Customer.io does not document this body."""
    if path.startswith(APP_PATHS):
        return app_error(path, "Unauthorized request", status=401)
    return answer({"meta": {"error": "Unauthorized request"}}, status=401)


def no_such_call(request: Request, error: Exception) -> Response:
    """Answer a path or method that is not simulated."""
    status, path = getattr(error, "status_code", 404), request.scope["path"]
    if path.startswith(APP_PATHS):
        return app_error(path, REASON_PHRASES[status].lower(), status=status)
    return answer({"meta": {"error": REASON_PHRASES[status].lower()}}, status=status)


def failure(status: int, *, path: str) -> Response:
    """Answer with an error that is nobody's fault but ours: HTML where the proxy speaks, else as the API does."""
    if status in PROXY_STATUSES:
        page = f"<html><head><title>{_phrase(status)}</title></head><body><h1>{_phrase(status)}</h1></body></html>\n"
        return Response(page, status_code=status, media_type="text/html")
    if status == HTTPStatus.UNAUTHORIZED:
        return unauthorised(path)
    message = REASON_PHRASES.get(status, "error").lower()
    if path.startswith(APP_PATHS):
        return app_error(path, f"{message} {REFERENCE}", status=status)
    if path.startswith(V2_PATHS):
        return answer({"errors": [{"reason": "invalid", "field": "", "message": message}]}, status=status)
    return answer({"meta": {"error": message}}, status=status)


def redirect(status: int, *, location: str) -> Response:
    """Answer an account of the other region."""
    response = answer({"errors": [{"detail": "wrong datacenter", "status": str(status)}]}, status=status)
    response.headers["location"] = location
    return response


def too_many(limit: str) -> Response:
    """Answer what exceeds a limit, as the App API does; the Track API documents no such answer."""
    detail = f"rate limited to {limit} {REFERENCE}"
    return answer({"errors": [{"detail": detail, "status": "429"}]}, status=HTTPStatus.TOO_MANY_REQUESTS)


def is_success(response: Response) -> bool:
    """Whether an answer says that the request was carried out."""
    return response.status_code in range(200, 300)


def _phrase(status: int) -> str:
    return f"{status} {REASON_PHRASES.get(status, 'Error')}"
