"""A receiver of webhooks on a real socket that answers as it is told, and remembers what came."""

import contextlib
import threading
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Final, Literal, TypeAlias

Answer: TypeAlias = int | Literal["close", "garbage", "silence"]
"""A status; or the connection is closed without one, what is sent is no HTTP, or nothing is sent for long."""

SILENCE_S_MAX: Final = 10.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Received:
    """One call as it came; the names of headers are in lower case."""

    path: str
    headers: dict[str, str]
    body: bytes


@dataclass(slots=True, kw_only=True, eq=False)
class Receiver:
    """Answers with `answers`, in turn, and with 200 when there are none left."""

    url: str = ""
    answers: deque[Answer] = field(default_factory=deque)
    received: list[Received] = field(default_factory=list)
    is_over: threading.Event = field(default_factory=threading.Event)


@contextlib.contextmanager
def running_receiver(*answers: Answer) -> Iterator[Receiver]:
    """Run one in threads of its own until the end of the `with`."""
    receiver = Receiver(answers=deque(answers))
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(receiver))
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    receiver.url = f"http://127.0.0.1:{server.server_port}/webhooks/customerio"
    try:
        yield receiver
    finally:
        receiver.is_over.set()
        server.shutdown()
        server.server_close()
        thread.join()


def _handler(receiver: Receiver) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            headers = {name.lower(): value for name, value in self.headers.items()}
            receiver.received.append(Received(path=self.path, headers=headers, body=body))
            answer = receiver.answers.popleft() if receiver.answers else 200
            if isinstance(answer, int):
                self.send_response(answer)
                self.send_header("content-length", "0")
                self.end_headers()
                return
            if answer == "garbage":
                self.wfile.write(b"good day\r\n\r\n")
            if answer == "silence":
                receiver.is_over.wait(SILENCE_S_MAX)
            self.close_connection = True

        def log_message(self, *_args: object) -> None:
            """Say nothing."""

    return Handler
