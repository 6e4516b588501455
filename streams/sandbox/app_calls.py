"""The calls of the App API: reads a request, lets the mailroom carry it out, answers.

What is valid, `app_send` and `app_broadcast` decide.
"""

from collections.abc import Awaitable, Callable
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from streams.sandbox import answers
from streams.sandbox.account import ENVIRONMENT_ID, Account, may_call
from streams.sandbox.app_broadcast import UNPROCESSABLE, read_trigger
from streams.sandbox.app_send import read_send
from streams.sandbox.bodies import NotANumberError, read_json
from streams.sandbox.exchange import BODY_BYTES_MAX
from streams.sandbox.mailroom import Mailroom
from streams.sandbox.message import CHANNELS, Channel
from streams.sandbox.operation import RefusedError
from streams.sandbox.options import SandboxOptions
from streams.sandbox.switch import Switch
from streams.sandbox.templates import Template, Templates
from streams.sandbox.triggers import ERRORS_MAX, Triggered

TOO_LARGE: Final = 413
DIGITS_MAX: Final = 10
NOT_PROCESSED: Final = (
    "Errors were found while processing per user data (ids, emails or json data). "
    "More detail available from the errors endpoint for trigger"
)
NOT_ENABLED: Final = "Account is not authorized for transactional messaging by"

Handler = Callable[[Request], Awaitable[Response]]


class AppCalls:
    """The endpoints, each with its credentials checked first."""

    def __init__(
        self,
        mailroom: Mailroom,
        *,
        options: SandboxOptions,
        account: Switch[Account],
        templates: Switch[Templates],
        clock: Callable[[], float],
    ) -> None:
        self._mailroom = mailroom
        self._options = options
        self._account = account
        self._templates = templates
        self._clock = clock

    def routes(self) -> list[Route]:
        """Return every simulated call; anything else is a 404."""
        sends = [self._route("POST", f"/v1/send/{channel}", self._send(channel)) for channel in CHANNELS]
        reads = [
            self._route("GET", f"/v1/{name}/{{broadcast_id}}/triggers{rest}", handler)
            for name in ("campaigns", "broadcasts")
            for rest, handler in (
                ("", self._list_triggers),
                ("/{trigger_id}", self._show_trigger),
                ("/{trigger_id}/errors", self._show_errors),
            )
        ]
        return [
            *sends,
            self._route("POST", "/v1/campaigns/{broadcast_id}/triggers", self._trigger),
            *reads,
            self._route("GET", "/v1/workspaces", self._list_workspaces),
            self._route("GET", "/v1/transactional", self._list_templates),
            self._route("GET", "/v1/broadcasts", self._list_broadcasts),
        ]

    def _route(self, method: str, path: str, handler: Handler) -> Route:
        async def guarded(request: Request) -> Response:
            authorization = request.headers.get("authorization", "")
            if not may_call(request.scope["path"], authorization, self._account.value):
                return answers.unauthorised(request.scope["path"])
            return await handler(request)

        return Route(path, guarded, methods=[method])

    def _send(self, channel: Channel) -> Handler:
        async def send(request: Request) -> Response:
            if channel in self._account.value.features_off:
                raise RefusedError("", f"{NOT_ENABLED} {channel}.", status=403)
            body, now = await self._read(request), self._clock()
            message = read_send(channel, body, now=now)
            delivery = self._mailroom.send(message, now=now)
            queued: dict[str, Any] = {"delivery_id": delivery.delivery_id, "queued_at": int(now)}
            return answers.answer(queued if message.send_at is None else queued | {"send_at": message.send_at})

        return send

    async def _trigger(self, request: Request) -> Response:
        broadcast = _number(request, "broadcast_id")
        self._mailroom.broadcast(broadcast)
        trigger = read_trigger(await self._read(request), options=self._options)
        triggered = self._mailroom.trigger(broadcast, trigger, now=self._clock())
        if triggered.errors:
            detail, path = f"{NOT_PROCESSED} {triggered.id}", request.scope["path"]
            return answers.app_error(path, detail, status=UNPROCESSABLE, field=trigger.form or "")
        return answers.answer({"id": triggered.id})

    async def _list_triggers(self, request: Request) -> Response:
        broadcast = _number(request, "broadcast_id")
        self._mailroom.broadcast(broadcast)
        return answers.answer({"triggers": [each.as_json() for each in self._mailroom.triggers.of(broadcast)]})

    async def _show_trigger(self, request: Request) -> Response:
        return answers.answer(self._triggered(request).as_json())

    async def _show_errors(self, request: Request) -> Response:
        errors = self._triggered(request).errors
        start, limit = (_query(request, name, default) for name, default in (("start", 0), ("limit", ERRORS_MAX)))
        end = start + limit
        return answers.answer({"errors": errors[start:end]} | ({"next": end} if end < len(errors) else {}))

    async def _list_workspaces(self, _request: Request) -> Response:
        return answers.answer({"workspaces": [{"id": ENVIRONMENT_ID, "name": "Sandbox"}]})

    async def _list_templates(self, _request: Request) -> Response:
        return answers.answer({"messages": [_shown(each) for each in self._templates.value.transactional]})

    async def _list_broadcasts(self, _request: Request) -> Response:
        running = {"type": "triggered_broadcast", "active": True, "state": "running"}
        return answers.answer({"broadcasts": [_shown(each) | running for each in self._templates.value.broadcasts]})

    def _triggered(self, request: Request) -> Triggered:
        broadcast, number = _number(request, "broadcast_id"), _number(request, "trigger_id")
        triggered = self._mailroom.triggers.find(broadcast, number)
        if triggered is None:
            raise RefusedError("", "no such trigger", status=404)
        return triggered

    async def _read(self, request: Request) -> object:
        try:
            return await read_json(
                request, bytes_max=BODY_BYTES_MAX - 1, options=self._options, oversize_status=TOO_LARGE
            )
        except NotANumberError:
            raise RefusedError("", "request body must be valid JSON") from None


def _shown(template: Template) -> dict[str, Any]:
    return {"id": template.id, "name": template.name}


def _number(request: Request, name: str) -> int:
    text = request.path_params[name]
    if not (text.isascii() and text.isdecimal() and len(text) <= DIGITS_MAX):
        raise RefusedError(name, "must be an integer")
    return int(text)


def _query(request: Request, name: str, default: int) -> int:
    text = request.query_params.get(name, str(default))
    if not (text.isascii() and text.isdecimal() and len(text) <= DIGITS_MAX):
        raise RefusedError(name, "must be an integer")
    return int(text)
