"""The calls of the Track API: reads a request, lets the world carry it out, answers. `track_v1`, `track_v2` decide."""

from collections.abc import Awaitable, Callable
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from streams.sandbox import answers, limits, track_v1, track_v2
from streams.sandbox.account import ENVIRONMENT_ID, REGION_PATH, TRACK_URLS, Account, may_call
from streams.sandbox.bodies import NotANumberError, read_json
from streams.sandbox.operation import Identifier, Operation, Refusal, RefusedError
from streams.sandbox.options import SandboxOptions
from streams.sandbox.switch import Switch
from streams.sandbox.world import World

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
        person, segment = "/api/v1/customers/{identifier}", "/api/v1/segments/{segment_id}"
        return [
            self._route("POST", "/api/v2/batch", self._batch),
            self._route("POST", "/api/v2/entity", self._entity),
            self._route("GET", REGION_PATH, self._region),
            self._route("PUT", person, self._identify),
            self._route("DELETE", person, self._act_on_person("delete")),
            self._route("POST", f"{person}/suppress", self._act_on_person("suppress")),
            self._route("POST", f"{person}/unsuppress", self._act_on_person("unsuppress")),
            self._route("POST", f"{person}/events", self._event),
            self._route("PUT", f"{person}/devices", self._add_device),
            self._route("DELETE", f"{person}/devices/{{device_id}}", self._delete_device),
            self._route("POST", "/api/v1/events", self._anonymous_event),
            self._route("POST", "/api/v1/merge_customers", self._merge),
            self._route("POST", f"{segment}/add_customers", self._change_segment("add_customers")),
            self._route("POST", f"{segment}/remove_customers", self._change_segment("remove_customers")),
        ]

    def _route(self, method: str, path: str, handler: Handler) -> Route:
        async def guarded(request: Request) -> Response:
            path, authorization = request.scope["path"], request.headers.get("authorization", "")
            if not may_call(path, authorization, self._account.value):
                return answers.unauthorised(path)
            try:
                return await handler(request)
            except NotANumberError:
                self._world.chronicle.flagged["not_a_number"] += 1
                return answers.answer({})

        return Route(path, guarded, methods=[method])

    async def _batch(self, request: Request) -> Response:
        body = await self._read(request)
        items = body.get("batch") if isinstance(body, dict) else None
        if not isinstance(items, list):
            raise RefusedError("batch", "must be an array")
        if not items and self._options.refuses_empty_batch:
            raise RefusedError("batch", "cannot be empty")
        request.state.items = len(items)
        self._world.chronicle.open_request()
        refusals: dict[int, Refusal] = {}
        now = self._clock()
        for index, item in enumerate(items):
            read = self._judge(track_v2.read_item(item, options=self._options))
            if isinstance(read, Refusal):
                refusals[index] = read
            else:
                self._world.apply(read, now=now)
        self._world.chronicle.refused += len(refusals)
        if refusals and len(refusals) == len(items) and self._options.refuses_all_bad_batch:
            return answers.answer({"errors": [_shown(refusal) for refusal in refusals.values()]}, status=400)
        return answers.batch_answer([{"batch_index": index} | _shown(refusal) for index, refusal in refusals.items()])

    async def _entity(self, request: Request) -> Response:
        body = await self._read(request, bytes_max=limits.ITEM_BYTES_MAX)
        return self._answer(track_v2.read_item(body, options=self._options))

    async def _region(self, _request: Request) -> Response:
        region = self._account.value.region
        return answers.answer({"url": TRACK_URLS[region], "region": region, "environment_id": ENVIRONMENT_ID})

    async def _identify(self, request: Request) -> Response:
        identifier, body = _path_identifier(request), await self._read(request)
        return self._answer(track_v1.read_identify(identifier, body, options=self._options))

    def _act_on_person(self, action: str) -> Handler:
        async def act(request: Request) -> Response:
            return self._answer(Operation(kind="person", action=action, identifier=_path_identifier(request)))

        return act

    async def _event(self, request: Request) -> Response:
        identifier, body = _path_identifier(request), await self._read(request)
        return self._answer(track_v1.read_event(identifier, body, options=self._options))

    async def _anonymous_event(self, request: Request) -> Response:
        return self._answer(track_v1.read_anonymous_event(await self._read(request), options=self._options))

    async def _add_device(self, request: Request) -> Response:
        identifier, body = _path_identifier(request), await self._read(request)
        return self._answer(track_v1.read_added_device(identifier, body))

    async def _delete_device(self, request: Request) -> Response:
        token = request.path_params["device_id"]
        return self._answer(track_v1.read_deleted_device(_path_identifier(request), token))

    async def _merge(self, request: Request) -> Response:
        try:
            return self._answer(track_v1.read_merge(await self._read(request)))
        except RefusedError as refused:
            # The one call of v1 that documents the other of its two envelopes.
            return answers.answer({"meta": {"error": refused.refusal.message}}, status=refused.status)

    def _change_segment(self, action: str) -> Handler:
        async def change(request: Request) -> Response:
            id_type, body = request.query_params.get("id_type", "id"), await self._read(request)
            segment = request.path_params["segment_id"]
            return self._answer(*track_v1.read_segment(segment, body, id_type=id_type, action=action))

        return change

    def _answer(self, *items: Operation | Refusal) -> Response:
        """Answer a call that is accepted or refused as a whole."""
        accepted = []
        for item in items:
            read = self._judge(item)
            if isinstance(read, Refusal):
                raise RefusedError(read.field, read.message)
            accepted.append(read)
        self._world.chronicle.open_request()
        now = self._clock()
        for operation in accepted:
            self._world.apply(operation, now=now)
        return answers.answer({})

    def _judge(self, item: Operation | Refusal) -> Operation | Refusal:
        """Return a valid item itself, unless the world has a reason not to accept it."""
        return item if isinstance(item, Refusal) else self._world.refusal_of(item) or item

    async def _read(self, request: Request, *, bytes_max: int = limits.BATCH_BYTES_MAX) -> object:
        return await read_json(request, bytes_max=bytes_max, options=self._options)


def _shown(refusal: Refusal) -> dict[str, Any]:
    return {"reason": refusal.reason, "field": refusal.field, "message": refusal.message}


def _path_identifier(request: Request) -> Identifier:
    return track_v1.read_path_identifier(request.path_params["identifier"])
