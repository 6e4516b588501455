"""Bounds how long aiokafka waits for an answer: its one time-out must outlast a rebalance, far too long for the rest.

A connection that is dead without being closed, as a firewall leaves it behind, is given up and made anew.
"""

import asyncio
from typing import Any

from aiokafka.client import ConnectionGroup
from aiokafka.conn import CloseReason
from aiokafka.errors import RequestTimedOutError
from aiokafka.protocol.group import HeartbeatRequest, JoinGroupRequest, SyncGroupRequest

ANSWER_S = 30.0
HEARTBEAT_S = 5.0  # a second one must fit in the session


def bound_requests(client: Any) -> None:  # noqa: ANN401 - aiokafka is untyped
    """Make this client's `send` close a connection that does not answer."""
    send = client.send

    async def bounded(node_id: Any, request: Any, **how: Any) -> Any:  # noqa: ANN401 - as aiokafka's
        if isinstance(request, JoinGroupRequest | SyncGroupRequest):
            return await send(node_id, request, **how)  # answered only when all members have come
        try:
            async with asyncio.timeout(HEARTBEAT_S if isinstance(request, HeartbeatRequest) else ANSWER_S):
                return await send(node_id, request, **how)
        except TimeoutError:
            place = (node_id, how.get("group", ConnectionGroup.DEFAULT))
            if connection := client._conns.get(place):  # noqa: SLF001 - a test holds aiokafka to it
                connection.close(reason=CloseReason.CONNECTION_TIMEOUT)
            raise RequestTimedOutError from None

    client.send = bounded
