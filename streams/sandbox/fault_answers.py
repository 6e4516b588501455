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
from streams.sandbox.account import APP_PATHS, APP_URLS, TRACK_URLS
from streams.sandbox.app_limits import APP_LIMIT, BROADCAST_LIMIT, SEND_LIMIT
from streams.sandbox.exchange import Exchange
from streams.sandbox.faults import Faults
from streams.sandbox.gate import DAILY_QUOTA, RATE_LIMIT, SOFT_LIMIT, WRONG_REGION, Gate

OTHER_REGION: Final = {"us": "eu", "eu": "us"}
OF_THE_APP_API: Final = frozenset({APP_LIMIT, SEND_LIMIT, BROADCAST_LIMIT})
RETRY_LATER: Final = frozenset({"429", "503", RATE_LIMIT}) | OF_THE_APP_API
PAGE: Final = "<!doctype html>\n<html><head><title>Welcome</title></head><body><h1>It works!</h1></body></html>\n"
"""As of something in between that knows nothing of the API."""


def instead(exchange: Exchange, gate: Gate) -> Response:
    """Return the answer of a request that the calls never see."""
    kind = exchange.seen.fault or ""
    response = INSTEAD[kind](exchange, gate)
    if kind in RETRY_LATER:
        _say_when(response, gate.faults.value, now=exchange.clock())
    if kind in OF_THE_APP_API and "retry-after" not in response.headers:
        response.headers["retry-after"] = str(gate.app_limits.retry_after_s(kind, now=exchange.clock()))
    return response


def spoil(exchange: Exchange, response: Response) -> Response:
    """Return what arrives instead of a success."""
    return SPOILT[exchange.seen.fault or ""](exchange, bytes(response.body))


def single_error(exchange: Exchange) -> Response:
    """Return a 200 that refuses the only operation of a request, in the envelope of its version."""
    path = exchange.scope["path"]
    if path.startswith(APP_PATHS):
        return answers.app_error(path, answers.ITEM_FAULT["message"], status=200)
    if path.startswith(answers.V2_PATHS):
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
        urls = APP_URLS if exchange.target.startswith(APP_PATHS) else TRACK_URLS
        return answers.redirect(status, location=urls[OTHER_REGION[gate.region]] + exchange.target)
    return answers.failure(status, path=exchange.scope["path"])


def _taken(exchange: Exchange, _gate: Gate) -> Response:
    path, number = exchange.scope["path"], exchange.seen.seq
    if path.startswith(answers.SEND_PATHS):
        return answers.answer({"delivery_id": f"dropped-{number:012d}", "queued_at": int(exchange.clock())})
    if path.startswith(APP_PATHS) and exchange.scope["method"] == "POST":
        return answers.answer({"id": number})
    return answers.answer({})


def _page(_exchange: Exchange, _gate: Gate) -> Response:
    return Response(PAGE, media_type="text/html")


def _rate_limited(_exchange: Exchange, gate: Gate) -> Response:
    return answers.too_many(f"{gate.faults.value.rate_limit_per_s} requests per 1s")


def _over_app_limit(exchange: Exchange, gate: Gate) -> Response:
    return answers.too_many(gate.app_limits.in_words(exchange.seen.fault or ""))


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
    **dict.fromkeys(OF_THE_APP_API, _over_app_limit),
    **{kind: _status for kind in SANDBOX_FAULTS if kind.isdecimal()},
}
SPOILT: Final[Mapping[str, Callable[[Exchange, bytes], Response]]] = {
    "empty": _empty,
    "truncated": _truncated,
    "truncated_207": _truncated_207,
    "index_out_of_range": _index_out_of_range,
    "index_twice": _index_twice,
}
