"""Carries out what the gate decided about a request: one function for each way in which it may end."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final

import orjson

from streams.sandbox.answers import answer, is_success
from streams.sandbox.exchange import BATCH_PATH, Exchange
from streams.sandbox.fault_answers import SPOILT, instead, item_error, single_error, spoil
from streams.sandbox.gate import Gate

Mishap = Callable[[Exchange, Gate], Awaitable[None]]


async def let_happen(kind: str | None, exchange: Exchange, gate: Gate) -> None:
    """Carry the request out and answer it, or do what `kind` says."""
    if kind is None:
        await exchange.answer(await exchange.carry_out())
    else:
        await MISHAPS.get(kind, _instead)(exchange, gate)


async def _instead(exchange: Exchange, gate: Gate) -> None:
    await exchange.answer(instead(exchange, gate))


async def _spoilt(exchange: Exchange, _gate: Gate) -> None:
    response = await exchange.carry_out()
    await exchange.answer(spoil(exchange, response) if is_success(response) else response)


async def _slow(exchange: Exchange, gate: Gate) -> None:
    await exchange.answer(await exchange.carry_out(), after_s=gate.faults.value.slow_s)


async def _slow_body(exchange: Exchange, gate: Gate) -> None:
    await exchange.trickle(await exchange.carry_out(), over_s=gate.faults.value.slow_s)


async def _cut_body(exchange: Exchange, _gate: Gate) -> None:
    await exchange.cut(await exchange.carry_out())


async def _hang(exchange: Exchange, gate: Gate) -> None:
    try:
        async with asyncio.timeout(gate.faults.value.hang_s):
            await exchange.until_disconnected()
        exchange.end_unanswered()
    except TimeoutError:
        await exchange.reset()


async def _reset_before(exchange: Exchange, _gate: Gate) -> None:
    await exchange.reset()


async def _reset_after(exchange: Exchange, _gate: Gate) -> None:
    await exchange.carry_out()
    await exchange.reset(after_s=exchange.latency_s)


async def _errors_in_200(exchange: Exchange, _gate: Gate) -> None:
    if exchange.scope["path"] != BATCH_PATH:
        await exchange.answer(single_error(exchange))
        return
    if not exchange.items:
        await exchange.answer(await exchange.carry_out())  # there is no item to refuse
        return
    batch = orjson.loads(exchange.body)
    rest = batch["batch"][1:]
    others = await exchange.carry_out(orjson.dumps({**batch, "batch": rest})) if rest else answer({})
    if not is_success(others):
        await exchange.answer(others)
        return
    await exchange.answer(answer({"errors": [item_error(0), *_moved(orjson.loads(others.body))]}))


def _moved(answered: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The errors of those after the first item, with the places that they had in the whole batch."""
    return [{**error, "batch_index": error["batch_index"] + 1} for error in answered.get("errors", [])]


MISHAPS: Final[Mapping[str, Mishap]] = {
    "slow": _slow,
    "slow_body": _slow_body,
    "cut_body": _cut_body,
    "hang": _hang,
    "reset_before": _reset_before,
    "reset_after": _reset_after,
    "errors_in_200": _errors_in_200,
    **dict.fromkeys(SPOILT, _spoilt),
}
"""Every other kind is answered with something made up."""
