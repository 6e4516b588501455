"""The fake's REST API: tables.get, .insert, .patch and jobs.query, as far as the warehouse asks them."""

import json
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from tests.fake_bigquery.dataset import FakeDataset

Refusal = tuple[int, str]
"""A status and BigQuery's reason."""


class FakeRest:
    """Serves a dataset.

    Attributes:
        refusals: given instead of the next answers, one each.
    """

    def __init__(self, dataset: FakeDataset, *, has_dataset: bool = True) -> None:
        self.refusals: list[Refusal] = []
        self.asked: list[str] = []
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(dataset, self, has_dataset=has_dataset))
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


class _RefusedError(Exception):
    """An error answer."""


def _handler(dataset: FakeDataset, rest: FakeRest, *, has_dataset: bool) -> type[BaseHTTPRequestHandler]:
    def table(path: str) -> str:
        name = path.rpartition("/")[2]
        if name not in dataset.tables:
            raise _RefusedError(404, "notFound")
        return name

    def tables_get(path: str, _: dict[str, Any]) -> dict[str, Any]:
        return dataset.tables[table(path)]

    def tables_insert(_: str, body: dict[str, Any]) -> dict[str, Any]:
        if not has_dataset:
            raise _RefusedError(404, "notFound")
        if body["tableReference"]["tableId"] in dataset.tables:
            raise _RefusedError(409, "duplicate")
        return dataset.create(body)

    def tables_patch(path: str, body: dict[str, Any]) -> dict[str, Any]:
        return dataset.patch(table(path), body)

    def jobs_query(_: str, body: dict[str, Any]) -> dict[str, Any]:
        given = {
            each["name"]: _read(each["parameterType"]["type"], each["parameterValue"]["value"])
            for each in body.get("queryParameters", [])
        }
        schema, rows = dataset.ask(body["query"], given)
        return {
            "jobComplete": True,
            "jobReference": {"projectId": dataset.project, "jobId": "j", "location": "EU"},
            "schema": {"fields": schema},
            "totalRows": str(len(rows)),
            "rows": [{"f": [{"v": _written(value)} for value in row]} for row in rows],
        }

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            self._answer(tables_get)

        def do_PATCH(self) -> None:
            self._answer(tables_patch)

        def do_POST(self) -> None:
            self._answer(jobs_query if self.path.partition("?")[0].endswith("/queries") else tables_insert)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

        def _answer(self, do: Callable[[str, dict[str, Any]], dict[str, Any]]) -> None:
            path = self.path.partition("?")[0]
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            rest.asked.append(f"{self.command} {path.rpartition('/')[2]}")
            status, told = 200, {}
            try:
                if rest.refusals:
                    raise _RefusedError(*rest.refusals.pop(0))
                told = do(path, json.loads(body or b"{}"))
            except _RefusedError as refused:
                status, reason = refused.args
                told = {"error": {"code": status, "message": reason, "errors": [{"reason": reason, "message": reason}]}}
            text = json.dumps(told).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)

    return Handler


def _read(kind: str, value: str) -> str | int:
    return int(value) if kind == "INT64" else value


def _written(value: Any) -> str | None:  # noqa: ANN401 - a value of DuckDB
    if value is None:
        return None
    if isinstance(value, bool):
        return str(value).lower()
    if hasattr(value, "timestamp"):
        return str(round(value.timestamp() * 1_000_000))
    return str(value)
