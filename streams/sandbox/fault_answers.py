"""Makes up the answers of requests that go wrong: those given instead of a call's own, and what becomes of those.

Nothing is sent from here; the forms are those of `answers`.
"""

from collections.abc import Callable, Mapping
from email.utils import formatdate
from math import ceil
from typing import Any, Final

from starlette.responses import Response

from schemas.failure_model import SANDBOX_FAULTS
from streams.sandbox import answers
from streams.sandbox.account import TRACK_URLS
from streams.sandbox.exchange import Exchange
from streams.sandbox.faults import Faults
from streams.sandbox.gate import DAILY_QUOTA, RATE_LIMIT, SOFT_LIMIT, WRONG_REGION, Gate

OTHER_REGION: Final = {"us": "eu", "eu": "us"}
RETRY_LATER: Final = frozenset({"429", "503", RATE_LIMIT})
PAGE: Final = "<!doctype html>\n<html><head><title>Welcome</title></head><body><h1>It works!</h1></body></html>\n"
"""As of something in between that knows nothing of the API."""


def instead(exchange: Exchange, gate: Gate) -> Response:
    """Return the answer of a request that the calls never see."""
    kind = exchange.seen.fault or ""
    response = INSTEAD[kind](exchange, gate)
    if kind in RETRY_LATER:
        _say_when(response, gate.faults.value, now=exchange.clock())
    return response


def spoil(exchange: Exchange, response: Response) -> Response:
    """Return what arrives instead of a success."""
    return SPOILT[exchange.seen.fault or ""](exchange, bytes(response.body))


def single_error(exchange: Exchange) -> Response:
    """Return a 200 that refuses the only operation of a request, in the envelope of its version."""
    if exchange.scope["path"].startswith(answers.V2_PATHS):
        return answers.answer({"errors": [answers.ITEM_FAULT]})
    return answers.answer({"meta": {"errors": [answers.ITEM_FAULT["message"]]}})


def item_error(index: int) -> dict[str, Any]:
    """Return the error of an item that nothing is wrong with."""
    return {"batch_index": index, **answers.ITEM_FAULT}


def _status(exchange: Exchange, gate: Gate) -> Response:
    return _answer_with(int(exchange.seen.fault or ""), exchange, gate)


def _wrong_region(exchange: Exchange, gate: Gate) -> Response:
    return _answer_with(gate.account.value.wrong_region_status, exchange, gate)


def _answer_with(status: int, exchange: Exchange, gate: Gate) -> Response:
    if status in answers.REDIRECTS:
        return answers.redirect(status, location=TRACK_URLS[OTHER_REGION[gate.region]] + exchange.target)
    return answers.failure(status, path=exchange.scope["path"])


def _taken(_exchange: Exchange, _gate: Gate) -> Response:
    return answers.answer({})


def _page(_exchange: Exchange, _gate: Gate) -> Response:
    return Response(PAGE, media_type="text/html")


def _rate_limited(_exchange: Exchange, gate: Gate) -> Response:
    return answers.too_many(f"{gate.faults.value.rate_limit_per_s} requests per 1s")


def _out_of_quota(_exchange: Exchange, gate: Gate) -> Response:
    return answers.too_many(f"{gate.faults.value.daily_quota} requests per 1d")


def _say_when(response: Response, faults: Faults, *, now: float) -> None:
    if faults.retry_after_s is None:
        return
    at = formatdate(ceil(now + faults.retry_after_s), usegmt=True)
    response.headers["retry-after"] = at if faults.retry_after_as_date else str(faults.retry_after_s)


def _empty(_exchange: Exchange, _body: bytes) -> Response:
    return Response(headers=dict(answers.HEADERS))


def _truncated(_exchange: Exchange, body: bytes) -> Response:
    return Response(body[: len(body) // 2], headers=dict(answers.HEADERS))


def _truncated_207(_exchange: Exchange, _body: bytes) -> Response:
    whole = answers.batch_answer([item_error(0)])
    return Response(whole.body[: len(whole.body) // 2], status_code=whole.status_code, headers=dict(answers.HEADERS))


def _index_out_of_range(exchange: Exchange, _body: bytes) -> Response:
    return answers.batch_answer([item_error(exchange.items or 0)])


def _index_twice(_exchange: Exchange, _body: bytes) -> Response:
    return answers.batch_answer([item_error(0), item_error(0)])


INSTEAD: Final[Mapping[str, Callable[[Exchange, Gate], Response]]] = {
    "html": _page,
    "drop": _taken,
    SOFT_LIMIT: _taken,
    RATE_LIMIT: _rate_limited,
    DAILY_QUOTA: _out_of_quota,
    WRONG_REGION: _wrong_region,
    **{kind: _status for kind in SANDBOX_FAULTS if kind.isdecimal()},
}
SPOILT: Final[Mapping[str, Callable[[Exchange, bytes], Response]]] = {
    "empty": _empty,
    "truncated": _truncated,
    "truncated_207": _truncated_207,
    "index_out_of_range": _index_out_of_range,
    "index_twice": _index_twice,
}
