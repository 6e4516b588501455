"""The sandbox's own pages, under `/sandbox/…` and `/`: what arrived, as JSON and HTML; and its switches."""

from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from itertools import islice
from typing import Any, Final

import orjson
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response, StreamingResponse
from starlette.routing import Route

from schemas.errors import ConfigError
from streams.sandbox.gate import Gate
from streams.sandbox.in_words import describe
from streams.sandbox.outbox_page import DELIVERIES_SHOWN, OUTBOX_HEADERS, render_outbox
from streams.sandbox.page import render
from streams.sandbox.person import Person
from streams.sandbox.request_log import RequestLog
from streams.sandbox.switch import Switch
from streams.sandbox.templates import Templates
from streams.sandbox.track_v1 import read_path_identifier
from streams.sandbox.webhooks import Webhooks
from streams.sandbox.world import World

SWITCH_BYTES_MAX: Final = 8_000_000
"""Templates may be long."""

NEWEST_SHOWN: Final = 20
LINES_PER_BLOCK: Final = 1000


class Views:
    """What a person, or a test, may look at; nothing here changes the world."""

    def __init__(
        self,
        world: World,
        *,
        gate: Gate,
        log: RequestLog,
        templates: Switch[Templates],
        webhooks: Webhooks,
        clock: Callable[[], float],
    ) -> None:
        self._world = world
        self._templates = templates
        self._webhooks = webhooks
        self._gate = gate
        self._requests_seen = log
        self._clock = clock

    def routes(self) -> list[Route]:
        """Return the pages."""
        return [
            Route("/", self._page, methods=["GET"]),
            Route("/sandbox/state", self._state, methods=["GET"]),
            Route("/sandbox/log", self._log, methods=["GET"]),
            Route("/sandbox/people", self._people, methods=["GET"]),
            Route("/sandbox/people/{identifier}", self._person, methods=["GET"]),
            Route("/sandbox/suppressed", self._suppressed, methods=["GET"]),
            Route("/sandbox/requests", self._requests, methods=["GET"]),
            Route("/sandbox/outbox", self._outbox, methods=["GET"]),
            Route("/sandbox/arrivals", self._arrivals, methods=["GET"]),
            *_switch_routes("/sandbox/faults", self._gate.faults),
            *_switch_routes("/sandbox/account", self._gate.account),
            *_switch_routes("/sandbox/templates", self._templates),
            *_switch_routes("/sandbox/webhooks", self._webhooks.options),
            Route("/sandbox/webhooks/sent", self._sent, methods=["GET"]),
        ]

    async def _page(self, _request: Request) -> Response:
        people = [show_person(person) for person in self._world.people.newest(NEWEST_SHOWN)]
        return HTMLResponse(render(self._summary(), people, conduct=describe(self._gate)))

    async def _state(self, _request: Request) -> Response:
        return _json(self._summary())

    def _summary(self) -> dict[str, Any]:
        arrived = summarise(self._world, self._requests_seen, now=self._clock())
        return arrived | {"webhooks": self._webhooks.shown()}

    async def _log(self, _request: Request) -> Response:
        if not self._world.chronicle.keeps_log:
            return _json({"error": "no log is kept: start the sandbox with keep_log (--keep-log)"}, status=404)
        return _json_lines(self._world.chronicle.log_blocks(LINES_PER_BLOCK))

    async def _people(self, _request: Request) -> Response:
        return _json_lines(_blocks(map(show_person, self._world.people)))

    async def _suppressed(self, _request: Request) -> Response:
        return _json_lines(_blocks(dict(group) for group in self._world.people.suppressed()))

    async def _person(self, request: Request) -> Response:
        identifier = read_path_identifier(request.path_params["identifier"])
        person = self._world.people.find(identifier)
        if person is None:
            is_suppressed = self._world.people.is_suppressed(identifier)
            return _json({"error": "no such person", "suppressed": is_suppressed}, status=404)
        events = [
            {
                "name": event.operation.name,
                "type": event.operation.action,
                "id": event.operation.event_id,
                "timestamp": event.operation.timestamp,
                "received_at": event.received_at,
                "attributes": event.operation.attributes,
            }
            for event in self._world.events_of(person)
        ]
        kept = {"devices": list(person.devices.values()), "segments": sorted(person.segments), "events": events}
        return _json(show_person(person) | kept)

    async def _outbox(self, request: Request) -> Response:
        if "text/html" in request.headers.get("accept", ""):
            newest = [delivery.as_json() for delivery in self._world.outbox.newest(DELIVERIES_SHOWN)]
            return HTMLResponse(render_outbox(newest, count=self._world.outbox.count), headers=OUTBOX_HEADERS)
        after = _after(request)
        if after is None:
            return _json({"error": "after must be the number of a message"}, status=400)
        return _json_lines(_blocks(delivery.as_json() for delivery in self._world.outbox.after(after)))

    async def _requests(self, request: Request) -> Response:
        after = _after(request)
        if after is None:
            return _json({"error": "after must be the number of a request"}, status=400)
        seen = self._requests_seen.after(after)
        return _json_lines(_blocks(each.as_json() for each in seen))

    async def _sent(self, _request: Request) -> Response:
        return _json_lines(_blocks(self._webhooks.sent()))

    async def _arrivals(self, _request: Request) -> Response:
        return _json_lines(_blocks(tuple(self._requests_seen.arrivals)))


def _after(request: Request) -> int | None:
    after = request.query_params.get("after", "0")
    return int(after) if after.isascii() and after.isdecimal() else None


def _switch_routes(path: str, switch: Switch[Any]) -> list[Route]:
    async def show(_request: Request) -> Response:
        return _json(switch.shown())

    async def change(request: Request) -> Response:
        try:
            given = orjson.loads((await request.body())[: SWITCH_BYTES_MAX + 1])
        except orjson.JSONDecodeError:
            return _json({"error": "the body must be a JSON object"}, status=400)
        if not isinstance(given, dict):
            return _json({"error": "the body must be a JSON object"}, status=400)
        try:
            switch.change(given)
        except ConfigError as error:
            return _json({"error": str(error)}, status=400)
        return await show(request)

    return [Route(path, show, methods=["GET"]), Route(path, change, methods=["PUT"])]


def summarise(world: World, requests: RequestLog, *, now: float) -> dict[str, Any]:
    """Return what arrived, in numbers and with the newest operations."""
    chronicle, people = world.chronicle, world.people
    newest = islice(reversed(chronicle.newest), NEWEST_SHOWN)
    return {
        "people": len(people),
        "suppressed": people.suppressed_count,
        "events": world.events["person"],
        "anonymous_events": world.events["anonymous"],
        "repeated_events": chronicle.ignored["repeated"],
        "operations": chronicle.operations,
        "accepted": chronicle.seq,
        "refused": chronicle.refused,
        "pending": world.pending,
        "ignored": chronicle.ignored,
        "activities": chronicle.activities,
        "flagged": chronicle.flagged,
        "messages": world.outbox.ends,
        "messages_dropped": world.outbox.dropped,
        "requests": requests.ends,
        "requests_last_second": requests.last_second(now),
        "requests_dropped": requests.count - len(requests.requests),
        "arrivals_dropped": requests.count - len(requests.arrivals),
        "faults": requests.faults,
        "forgotten": people.forgotten,
        "log_dropped": chronicle.log_dropped,
        "newest": [entry.as_json() for entry in newest],
    }


def show_person(person: Person) -> dict[str, Any]:
    """Return a person as the views show one."""
    identifiers = {"id": None, "email": None} | person.identifiers | {"cio_id": person.cio_id}
    return {
        "identifiers": identifiers,
        "attributes": person.shown_attributes(),
        "created_at": person.created_at,
        "newest_timestamp": person.newest_time,
    }


def _json(body: dict[str, Any], *, status: int = 200) -> Response:
    return Response(orjson.dumps(body) + b"\n", status_code=status, media_type="application/json")


def _json_lines(blocks: Iterator[bytes]) -> Response:
    async def stream() -> AsyncIterator[bytes]:
        for block in blocks:
            yield block

    return StreamingResponse(stream(), media_type="application/x-ndjson")


def _blocks(rows: Iterable[object]) -> Iterator[bytes]:
    lines = (orjson.dumps(row, option=orjson.OPT_APPEND_NEWLINE) for row in rows)
    while block := b"".join(islice(lines, LINES_PER_BLOCK)):
        yield block
