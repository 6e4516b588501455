"""A request that is not answered is given up together with its connection, but for those that wait for all members."""

import asyncio
from typing import Any

import pytest
from aiokafka.client import ConnectionGroup
from aiokafka.errors import NodeNotReadyError, RequestTimedOutError
from aiokafka.protocol.admin import ListGroupsRequest
from aiokafka.protocol.group import HeartbeatRequest, JoinGroupRequest

from streams.kafka.bounded_requests import ANSWER_S, HEARTBEAT_S, bound_requests
from tests.fake_time import fake_timed

COORDINATION = ConnectionGroup.COORDINATION


class FakeConnection:
    """Notes why it was closed."""

    reason: object = None

    def close(self, reason: object) -> None:
        """Note it."""
        self.reason = reason


class FakeSlowClient:
    """aiokafka's client: answers after `takes_s`."""

    def __init__(self, takes_s: float = 0.0) -> None:
        self.takes_s = takes_s
        self._conns = {(1, ConnectionGroup.DEFAULT): FakeConnection(), (1, COORDINATION): FakeConnection()}

    async def send(self, node_id: int, request: object, *, group: object = ConnectionGroup.DEFAULT) -> object:
        """Answer with what was asked."""
        await asyncio.sleep(self.takes_s)
        if node_id != 1:
            raise NodeNotReadyError
        return request, group

    def closed(self) -> list[object]:
        """The groups of the connections that were closed."""
        return [group for (_, group), connection in self._conns.items() if connection.reason]


def bounded(takes_s: float) -> Any:  # noqa: ANN401 - acts as aiokafka's
    """A client whose requests are bounded."""
    client = FakeSlowClient(takes_s)
    bound_requests(client)
    return client


HEARTBEAT = HeartbeatRequest("group-1", 1, "member-1")


@fake_timed
async def test_an_answer_in_time_is_passed_on() -> None:
    """As is an error."""
    client = bounded(HEARTBEAT_S - 0.1)

    assert await client.send(1, HEARTBEAT, group=COORDINATION) == (HEARTBEAT, COORDINATION)
    with pytest.raises(NodeNotReadyError):
        await client.send(2, HEARTBEAT)
    assert client.closed() == []


@pytest.mark.parametrize(
    ("request_", "group", "limit_s"),
    [(HEARTBEAT, COORDINATION, HEARTBEAT_S), (ListGroupsRequest(), ConnectionGroup.DEFAULT, ANSWER_S)],
)
def test_a_dead_connection_is_closed(request_: object, group: ConnectionGroup, limit_s: float) -> None:
    """Only that one: the next request makes a new one."""

    @fake_timed
    async def check() -> None:
        client = bounded(limit_s + 1)
        began_s = asyncio.get_running_loop().time()

        with pytest.raises(RequestTimedOutError):
            await client.send(1, request_, group=group)
        assert asyncio.get_running_loop().time() - began_s == pytest.approx(limit_s)
        assert client.closed() == [group]

    check()


@fake_timed
async def test_a_connection_that_never_came_about_is_given_up_too() -> None:
    """There is nothing to close."""
    client = bounded(ANSWER_S + 1)
    client._conns.clear()

    with pytest.raises(RequestTimedOutError):
        await client.send(1, HEARTBEAT, group=COORDINATION)


@fake_timed
async def test_joining_may_take_as_long_as_others_drain() -> None:
    """It is answered when all members have come."""
    client = bounded(80)
    join = JoinGroupRequest("group-1", 1, 1, "", "", "consumer", [])

    assert await client.send(1, join, group=COORDINATION) == (join, COORDINATION)
