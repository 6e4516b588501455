"""The sandbox's own pages, under `/sandbox/…` and `/`: what arrived, as JSON and HTML; and the switch for faults."""

from collections.abc import AsyncIterator, Iterable, Iterator
from dataclasses import asdict
from itertools import islice
from typing import Any, Final

import orjson
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response, StreamingResponse
from starlette.routing import Route

from schemas.errors import ConfigError
from streams.sandbox.fault_plan import FaultPlan
from streams.sandbox.faults import read_faults
from streams.sandbox.page import render
from streams.sandbox.person import Person
from streams.sandbox.track_v1 import read_path_identifier
from streams.sandbox.world import World

FAULTS_BYTES_MAX: Final = 10_000
NEWEST_SHOWN: Final = 20
LINES_PER_BLOCK: Final = 1000


class Views:
    """What a person, or a test, may look at; nothing here changes the world."""

    def __init__(self, world: World, *, plan: FaultPlan) -> None:
        self._world = world
        self._plan = plan

    def routes(self) -> list[Route]:
        """Return the pages."""
        return [
            Route("/", self._page, methods=["GET"]),
            Route("/sandbox/state", self._state, methods=["GET"]),
            Route("/sandbox/log", self._log, methods=["GET"]),
            Route("/sandbox/people", self._people, methods=["GET"]),
            Route("/sandbox/people/{identifier}", self._person, methods=["GET"]),
            Route("/sandbox/suppressed", self._suppressed, methods=["GET"]),
            Route("/sandbox/faults", self._faults, methods=["GET"]),
            Route("/sandbox/faults", self._set_faults, methods=["PUT"]),
        ]

    async def _page(self, _request: Request) -> Response:
        people = [show_person(person) for person in self._world.people.newest(NEWEST_SHOWN)]
        return HTMLResponse(render(summarise(self._world), people))

    async def _state(self, _request: Request) -> Response:
        return _json(summarise(self._world))

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
        return _json(show_person(person) | {"devices": list(person.devices.values()), "events": events})

    async def _faults(self, _request: Request) -> Response:
        return _json(asdict(self._plan.faults))

    async def _set_faults(self, request: Request) -> Response:
        try:
            given = orjson.loads((await request.body())[: FAULTS_BYTES_MAX + 1])
        except orjson.JSONDecodeError:
            return _json({"error": "the body must be a JSON object"}, status=400)
        if not isinstance(given, dict):
            return _json({"error": "the body must be a JSON object"}, status=400)
        try:
            self._plan.replace(read_faults(given, current=self._plan.faults))
        except ConfigError as error:
            return _json({"error": str(error)}, status=400)
        return await self._faults(request)


def summarise(world: World) -> dict[str, Any]:
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
        "ignored": chronicle.ignored,
        "requests": chronicle.requests,
        "faults": chronicle.faults,
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


def _blocks(rows: Iterable[dict[str, Any]]) -> Iterator[bytes]:
    lines = (orjson.dumps(row, option=orjson.OPT_APPEND_NEWLINE) for row in rows)
    while block := b"".join(islice(lines, LINES_PER_BLOCK)):
        yield block
