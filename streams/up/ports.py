"""Finds ports that are free on this machine; it holds none."""

import socket
from collections.abc import Collection
from typing import Final

from schemas.errors import UnavailableError

PORTS_TRIED_MAX: Final = 50


def pick_port(preferred: int, *, host: str, avoid: Collection[int] = ()) -> int:
    """Give the preferred port, else the next free one above it; for 0 whichever the system gives.

    Raises:
        UnavailableError: none can be had, or `host` is none of this machine's.
    """
    if preferred == 0:
        return _bound_port(host, 0) or _refuse(host, preferred)
    candidates = range(preferred, min(preferred + PORTS_TRIED_MAX, 65_536))
    free = (port for port in candidates if port not in avoid and _bound_port(host, port))
    return next(free, None) or _refuse(host, preferred)


def reachable(host: str) -> str:
    """Give the host by which this machine reaches what listens on `host`, as a URL has it."""
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104 - nothing is bound here
    return f"[{host}]" if ":" in host else host


def _bound_port(host: str, port: int) -> int | None:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # a port that only lingers is free
        try:
            probe.bind((host, port))
        except OSError:
            return None
        bound: int = probe.getsockname()[1]
        return bound


def _refuse(host: str, preferred: int) -> int:
    wanted = f"{preferred} or the {PORTS_TRIED_MAX - 1} above" if preferred else "any"
    raise UnavailableError(f"No free port on {host} ({wanted}): set HTTP_HOST and HTTP_PORT to what can be had")
