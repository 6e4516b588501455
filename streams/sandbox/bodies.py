"""Reads the body of a request as strict JSON, within a limit. It knows no call."""

import json
from typing import Final

import orjson
from starlette.requests import ClientDisconnect, Request

from streams.sandbox.operation import RefusedError
from streams.sandbox.options import SandboxOptions

DISCARD_BYTES_MAX: Final = 8_000_000
"""So much of an oversized request is read and thrown away, for the answer to reach a client that is still sending."""


class NotANumberError(Exception):
    """A body holds `NaN` or `Infinity`, and the sandbox is told to answer such a one with 200 and to save nothing."""


async def read_json(
    request: Request, *, bytes_max: int, options: SandboxOptions, oversize_status: int | None = None
) -> object:
    """Return what the body says; `oversize_status` is given where the status is documented.

    Raises:
        RefusedError: It is too large, or no strict JSON.
        NotANumberError: See there.
    """
    body = await _read_body(request, bytes_max=bytes_max)
    if body is None:
        message = f"request body cannot be larger than {bytes_max} bytes"
        raise RefusedError("", message, status=oversize_status or options.oversize_status)
    try:
        parsed: object = orjson.loads(body)
    except orjson.JSONDecodeError:
        if options.drops_not_a_number and _has_not_a_number(body):
            raise NotANumberError from None
        raise RefusedError("", "request body must be valid JSON") from None
    return parsed


def _has_not_a_number(body: bytes) -> bool:
    """Whether nothing but such tokens keeps the body from being JSON."""
    found: list[str] = []
    try:
        json.loads(body, parse_constant=found.append)
    except (ValueError, RecursionError):
        return False
    return bool(found)


async def _read_body(request: Request, *, bytes_max: int) -> bytes | None:
    """Read the request's body; None when it is larger than `bytes_max`, whatever its header says."""
    body, size = bytearray(), 0
    try:
        async for chunk in request.stream():
            size += len(chunk)
            if size <= bytes_max:
                body += chunk
            elif size > DISCARD_BYTES_MAX:
                break
    except ClientDisconnect:
        raise RefusedError("", "request body is incomplete") from None
    return bytes(body) if size <= bytes_max else None
