"""The fake's REST API: tables.get, .insert, .patch and jobs.query, as far as the warehouse asks them."""

import json
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, TypeAlias

import duckdb

from tests.fake_bigquery.dataset import FakeDataset

Json: TypeAlias = dict[str, Any]


class RefusedError(Exception):
    """An error answer: a status and BigQuery's reason."""

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(reason)
        self.status = status
        self.reason = reason


class FakeRest:
    """Serves a dataset.

    Attributes:
        refusals: given instead of the next answers, one each.
        asked: the methods and the last parts of the paths of all requests.
        at: is called with `before` or `after`, and `query`, while nothing is locked.
        before_query: is called with its text before anything is looked at.
        is_slow: whether queries do not end.
    """

    def __init__(self, dataset: FakeDataset, *, has_dataset: bool = True) -> None:
        self.refusals: list[RefusedError] = []
        self.asked: list[str] = []
        self.is_slow = False
        self.at: Callable[[str], None] = lambda _: None
        self.before_query: Callable[[str], None] = lambda _: None
        self._dataset = dataset
        self._has_dataset = has_dataset
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        self._thread.start()

    @property
    def url(self) -> str:
        """Its address."""
        return f"http://127.0.0.1:{self._server.server_port}"

    def close(self) -> None:
        """End."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def answer(self, method: str, path: str, body: bytes) -> tuple[int, Json]:
        """What is said to a request."""
        name = path.rpartition("/")[2]
        self.asked.append(f"{method} {name}")
        try:
            return 200, self._do(method, name, json.loads(body or b"{}"))
        except RefusedError as refused:
            error = {"reason": refused.reason, "message": refused.reason}
            return refused.status, {
                "error": {"code": refused.status, "message": refused.reason, "errors": [error]},
            }

    def _do(self, method: str, name: str, body: Json) -> Json:
        if self.refusals:
            raise self.refusals.pop(0)
        if name == "queries" and not self.is_slow:
            return self._query(body)
        if name in {"queries", "j", "cancel"}:
            return self._running()
        if method == "POST":
            return self._insert(body)
        if name not in self._dataset.tables:
            raise RefusedError(404, "notFound")
        return self._dataset.patch(name, body) if method == "PATCH" else self._dataset.tables[name]

    def _insert(self, body: Json) -> Json:
        if not self._has_dataset:
            raise RefusedError(404, "notFound")
        if body["tableReference"]["tableId"] in self._dataset.tables:
            raise RefusedError(409, "duplicate")
        return self._dataset.create(body)

    def _running(self) -> Json:
        """A query that goes on, as each of the methods says it that may ask for it."""
        job = {
            "jobReference": {"projectId": self._dataset.project, "jobId": "j", "location": "EU"},
            "configuration": {"jobType": "QUERY", "query": {"query": "SELECT 1"}},
            "status": {"state": "RUNNING"},
        }
        return job | {"jobComplete": False, "job": job}

    def _query(self, body: Json) -> Json:
        self.before_query(body["query"])
        given = {
            each["name"]: _read(each["parameterType"]["type"], each["parameterValue"]["value"])
            for each in body.get("queryParameters", [])
        }
        try:
            self.at("before query")
            schema, rows = self._dataset.ask(body["query"], given)
            self.at("after query")
        except duckdb.CatalogException as error:
            raise RefusedError(404, "notFound") from error
        return {
            "jobComplete": True,
            "jobReference": {"projectId": self._dataset.project, "jobId": "j", "location": "EU"},
            "schema": {"fields": schema},
            "totalRows": str(len(rows)),
            "rows": [{"f": [{"v": _written(value)} for value in row]} for row in rows],
        }


def _handler(rest: FakeRest) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def log_message(self, *_: object) -> None:
            """Say nothing."""

        def _answer(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            status, told = rest.answer(self.command, self.path.partition("?")[0], body)
            text = json.dumps(told).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)

    for method in ("GET", "POST", "PATCH"):
        setattr(Handler, f"do_{method}", Handler._answer)
    return Handler


def _read(kind: str, value: str) -> str | int:
    return int(value) if kind == "INT64" else value


def _written(value: Any) -> str | None:  # noqa: ANN401 - a value of DuckDB
    if value is None:
        return None
    if hasattr(value, "timestamp"):
        return str(round(value.timestamp() * 1_000_000))
    return str(value).lower() if isinstance(value, bool) else str(value)
