"""Asks our own processes something over HTTP; they are on this machine, so there is nothing to retry."""

import http.client
from typing import Final

ASK_S_MAX: Final = 5.0


def ask(port: int, path: str) -> tuple[int, bytes]:
    """Give status and body of a GET.

    Raises:
        OSError: nobody answers.
    """
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=ASK_S_MAX)
    try:
        connection.request("GET", path)
        response = connection.getresponse()
        return response.status, response.read()
    finally:
        connection.close()
