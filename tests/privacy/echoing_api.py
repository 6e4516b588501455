"""A Customer.io that quotes whatever it is sent, credentials included, in all that it answers. No test here."""

import json
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Literal

from tests.privacy.marked_data import REFUSED
from tests.privacy.marks import ADDRESS

Mood = Literal["well", "down", "unknown", "odd"]
"""Whether it takes what is not to be refused; answers 503 or 401; or what nobody expects."""


class Api:
    """`mood` may be changed while it runs."""

    def __init__(self) -> None:
        self.url = ""
        self.mood: Mood = "well"
        self.asked: Counter[Mood] = Counter()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    api: Api

    def do_GET(self) -> None:
        """Answer."""
        self._answer(b"")

    def do_POST(self) -> None:
        """Answer what was read."""
        self._answer(self._body())

    def _body(self) -> bytes:
        if "Content-Length" in self.headers:
            return self.rfile.read(int(self.headers["Content-Length"]))
        body = b""
        while size := int(self.rfile.readline(), 16):
            body += self.rfile.read(size)
            self.rfile.readline()
        self.rfile.readline()
        return body

    def _answer(self, body: bytes) -> None:
        mood = self.api.mood
        self.api.asked[mood] += 1
        quoted = f"{ADDRESS} {self.headers} {body.decode(errors='replace')}"
        status, told = _answer_to(mood, self.path, quoted, is_refused=REFUSED.encode() in body)
        answer = json.dumps(told).encode() if mood != "odd" else ADDRESS.encode()
        self.send_response(status, ADDRESS)
        self.send_header("Content-Length", str(len(answer)))
        self.send_header("X-Request-Id", ADDRESS)
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, *_: Any) -> None:  # noqa: ANN401 - the library's signature
        """Say nothing."""


@contextmanager
def echoing_api() -> Iterator[Api]:
    """Serve on a free port."""
    api = Api()
    handler = type("Handler", (_Handler,), {"api": api})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        api.url = f"http://127.0.0.1:{server.server_port}"
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield api
        finally:
            server.shutdown()


def _answer_to(mood: Mood, path: str, quoted: str, *, is_refused: bool) -> tuple[int, dict[str, object]]:
    faults: dict[str, object] = {
        "errors": [{"reason": quoted, "field": quoted, "message": quoted, "detail": quoted}],
        "meta": {"error": quoted},
    }
    if mood != "well":
        return {"down": 503, "unknown": 401, "odd": 200}[mood], faults
    if is_refused:
        return 400, faults
    if path.endswith("/region"):
        return 200, {"region": "us", "data_center": quoted}
    return 200, {"delivery_id": ADDRESS, "id": 7, "workspaces": []}
