"""The calls of the Track API: reads a request, lets the world carry it out, answers. `track_v1`, `track_v2` decide."""

from collections.abc import Awaitable, Callable
from typing import Any, Final

import orjson
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route

from streams.sandbox import answers, limits, track_v1, track_v2
from streams.sandbox.account import REGION_PATH, TRACK_URLS, Account, is_authorised
from streams.sandbox.operation import Identifier, Operation, Refusal, RefusedError
from streams.sandbox.options import SandboxOptions
from streams.sandbox.switch import Switch
from streams.sandbox.world import World

DISCARD_BYTES_MAX: Final = 8_000_000
"""So much of an oversized request is read and thrown away, for the answer to reach a client that is still sending."""

ENVIRONMENT_ID: Final = 1

Handler = Callable[[Request], Awaitable[Response]]


class TrackCalls:
    """The endpoints, each with its credentials checked first."""

    def __init__(
        self, world: World, *, options: SandboxOptions, account: Switch[Account], clock: Callable[[], float]
    ) -> None:
        self._world = world
        self._options = options
        self._account = account
        self._clock = clock

    def routes(self) -> list[Route]:
        """Return every simulated call; anything else is a 404."""
        person = "/api/v1/customers/{identifier}"
        return [
            self._route("POST", "/api/v2/batch", self._batch),
            self._route("POST", "/api/v2/entity", self._entity),
            self._route("GET", REGION_PATH, self._region),
            self._route("PUT", person, self._identify),
            self._route("DELETE", person, self._act_on_person("delete")),
            self._route("POST", f"{person}/suppress", self._act_on_person("suppress")),
            self._route("POST", f"{person}/unsuppress", self._act_on_person("unsuppress")),
            self._route("POST", f"{person}/events", self._event),
            self._route("POST", "/api/v1/events", self._anonymous_event),
        ]

    def _route(self, method: str, path: str, handler: Handler) -> Route:
        async def guarded(request: Request) -> Response:
            if not is_authorised(request.headers.get("authorization", ""), self._account.value):
                return answers.unauthorised()
            return await handler(request)

        return Route(path, guarded, methods=[method])

    async def _batch(self, request: Request) -> Response:
        body = await self._read_json(request, bytes_max=limits.BATCH_BYTES_MAX)
        items = body.get("batch") if isinstance(body, dict) else None
        if not isinstance(items, list):
            raise RefusedError("batch", "must be an array")
        request.state.items = len(items)
        self._world.chronicle.open_request()
        errors: list[dict[str, Any]] = []
        now = self._clock()
        for index, item in enumerate(items):
            operation = track_v2.read_item(item, options=self._options)
            if isinstance(operation, Refusal):
                errors.append(_item_error(index, operation))
            else:
                self._world.apply(operation, now=now)
        self._world.chronicle.refused += len(errors)
        return answers.batch_answer(errors)

    async def _entity(self, request: Request) -> Response:
        body = await self._read_json(request, bytes_max=limits.ITEM_BYTES_MAX)
        operation = track_v2.read_item(body, options=self._options)
        if isinstance(operation, Refusal):
            raise RefusedError(operation.field, operation.message)
        return self._applied(operation)

    async def _region(self, _request: Request) -> Response:
        region = self._account.value.region
        return answers.answer({"url": TRACK_URLS[region], "region": region, "environment_id": ENVIRONMENT_ID})

    async def _identify(self, request: Request) -> Response:
        identifier = _path_identifier(request)
        body = await self._read_json(request, bytes_max=limits.BATCH_BYTES_MAX)
        return self._applied(track_v1.read_identify(identifier, body))

    def _act_on_person(self, action: str) -> Handler:
        async def act(request: Request) -> Response:
            return self._applied(Operation(kind="person", action=action, identifier=_path_identifier(request)))

        return act

    async def _event(self, request: Request) -> Response:
        identifier = _path_identifier(request)
        body = await self._read_json(request, bytes_max=limits.BATCH_BYTES_MAX)
        return self._applied(track_v1.read_event(identifier, body, options=self._options))

    async def _anonymous_event(self, request: Request) -> Response:
        body = await self._read_json(request, bytes_max=limits.BATCH_BYTES_MAX)
        return self._applied(track_v1.read_anonymous_event(body, options=self._options))

    def _applied(self, operation: Operation) -> Response:
        self._world.chronicle.open_request()
        self._world.apply(operation, now=self._clock())
        return answers.answer({})

    async def _read_json(self, request: Request, *, bytes_max: int) -> object:
        body = await _read_body(request, bytes_max=bytes_max)
        if body is None:
            message = f"request body cannot be larger than {bytes_max} bytes"
            raise RefusedError("", message, status=self._options.oversize_status)
        try:
            parsed: object = orjson.loads(body)
        except orjson.JSONDecodeError:
            raise RefusedError("", "request body must be valid JSON") from None
        return parsed


async def _read_body(request: Request, *, bytes_max: int) -> bytes | None:
    """Read the request's body; None when it is larger than `bytes_max`, whatever its header says."""
    body, size = bytearray(), 0
    try:
        async for chunk in request.stream():
            size += len(chunk)
            if size <= bytes_max:
                body += chunk
            elif size > DISCARD_BYTES_MAX:
                break
    except ClientDisconnect:
        raise RefusedError("", "request body is incomplete") from None
    return bytes(body) if size <= bytes_max else None


def _item_error(index: int, refusal: Refusal) -> dict[str, Any]:
    return {"batch_index": index, "reason": refusal.reason, "field": refusal.field, "message": refusal.message}


def _path_identifier(request: Request) -> Identifier:
    return track_v1.read_path_identifier(request.path_params["identifier"])
