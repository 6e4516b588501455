"""The Track API on no wire; tests/contract holds it against the sandbox."""

from collections.abc import Iterable
from typing import Any

import httpx
import orjson

ITEM_BYTES_MAX = 32_000


class FakeCustomerIo(httpx.AsyncBaseTransport):
    """The Track API on no wire: takes every operation that is an object of at most 32,000 bytes with an action."""

    def __init__(self) -> None:
        self.requests: list[httpx.Request] = []
        self.accepted: list[dict[str, object]] = []

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Answer as Customer.io does."""
        self.requests.append(request)
        if not request.headers.get("authorization", "").startswith("Basic "):
            return _errors(401, [{"reason": "unauthorized"}])
        path, body = request.url.path, await request.aread()
        if path == "/api/v1/accounts/region":
            return httpx.Response(200, json={"url": "track.customer.io", "region": "us", "environment_id": 1})
        try:
            value = orjson.loads(body)
        except orjson.JSONDecodeError:
            return _errors(400, [{"reason": "invalid", "message": "body is not JSON"}])
        return self._take(path, value)

    def _take(self, path: str, value: Any) -> httpx.Response:  # noqa: ANN401 - any JSON
        if path == "/api/v2/batch":
            return self._take_batch(value["batch"])
        is_good = is_operation(value) if path == "/api/v2/entity" else bool(value.get("name"))
        if not is_good:
            return _errors(400, [{"reason": "invalid", "field": "action", "message": "no"}])
        self.accepted.append(value)
        return httpx.Response(200, json={})

    def _take_batch(self, items: list[Any]) -> httpx.Response:
        bad = [index for index, item in enumerate(items) if not is_operation(item)]
        self.accepted += [item for item in items if is_operation(item)]
        errors = [{"batch_index": index, "reason": "invalid", "field": "action", "message": "no"} for index in bad]
        return _errors(207, errors) if errors else httpx.Response(200, json={})


def is_operation(item: Any) -> bool:  # noqa: ANN401 - any JSON
    """Whether the fake takes it."""
    return isinstance(item, dict) and bool(item.get("action")) and len(orjson.dumps(item)) <= ITEM_BYTES_MAX


def _errors(status: int, errors: Iterable[dict[str, object]]) -> httpx.Response:
    return httpx.Response(status, json={"errors": list(errors)})
