"""Kafka goes away and comes back while webhooks arrive, and is not there at the start."""

import asyncio
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from schemas.webhook import EVENT_ID
from streams.kafka import topics
from streams.kafka.clients import connected_admin
from streams.kafka.topic_plan import WEBHOOKS
from streams.local_kafka.broker import LocalKafka, free_ports
from streams.local_kafka.launch import Door
from streams.settings import Settings
from tests.integration.tcp_proxy import TcpProxy
from tests.integration.webhook_process import READY, ReceiverProcess, headers_of, stored
from tests.webhook_client import ask, make_body, make_request

ANSWER_S_MAX = 4.0  # Customer.io waits no longer
RECOVERY_S = 20.0


@pytest.fixture(scope="module")
def proxied() -> Iterator[tuple[Settings, TcpProxy]]:
    """Give settings of a broker, by a proxy."""
    port, outer = free_ports()
    with LocalKafka(doors=[Door(name="PROXIED", port=port, advertised_port=outer)]) as broker:
        direct = Settings(kafka_bootstrap_servers=broker.bootstrap, topic_partitions=2)
        topics.create(connected_admin(direct), direct)
        with TcpProxy(outer, to_port=port) as proxy:
            yield direct.with_changes(kafka_bootstrap_servers=f"127.0.0.1:{outer}"), proxy


def send(receiver: ReceiverProcess, event_id: str) -> tuple[int, float]:
    """The answer, and how long it took."""
    began_s = time.monotonic()
    status = asyncio.run(ask(receiver.port, make_request(make_body(event_id=event_id))))
    return status, time.monotonic() - began_s


def until_taken(receiver: ReceiverProcess, event_id: str) -> None:
    """Send it again and again, as Customer.io does."""
    receiver.wait_for(lambda: send(receiver, event_id)[0] == 200, RECOVERY_S)


@pytest.mark.parametrize("way", ["refuse", "hold"])
def test_without_kafka_it_is_503_in_time_and_then_200_again(
    proxied: tuple[Settings, TcpProxy], way: str, tmp_path: Path
) -> None:
    """Whether it refuses connections or says nothing; what was answered 200 is there."""
    settings, proxy = proxied
    with ReceiverProcess(settings, tmp_path / "log") as receiver:
        receiver.wait_until_it_says(READY)
        assert send(receiver, f"{way}-before")[0] == 200
        (proxy.refuse if way == "refuse" else proxy.hold)()
        status, seconds = send(receiver, f"{way}-during")
        (proxy.accept if way == "refuse" else proxy.release)()
        until_taken(receiver, f"{way}-after")

        assert (status, seconds < ANSWER_S_MAX) == (503, True)
        assert receiver.stop() == 0
    found = {headers_of(record)[EVENT_ID] for record in stored(settings, WEBHOOKS)}
    assert {f"{way}-before".encode(), f"{way}-after".encode()} <= found


def test_a_receiver_starts_before_kafka(proxied: tuple[Settings, TcpProxy], tmp_path: Path) -> None:
    """It answers 503 meanwhile, says why, and goes on by itself."""
    settings, proxy = proxied
    proxy.refuse()
    with ReceiverProcess(settings, tmp_path / "log") as receiver:
        try:
            assert send(receiver, "early")[0] == 503
            receiver.wait_until_it_says("until Kafka is found")
        finally:
            proxy.accept()
        receiver.wait_until_it_says(READY)
        until_taken(receiver, "early")
        assert receiver.stop() == 0


def test_without_kafka_a_signal_ends_it(proxied: tuple[Settings, TcpProxy], tmp_path: Path) -> None:
    """With 0, and in bounded time."""
    settings, _ = proxied
    with ReceiverProcess(settings.with_changes(kafka_bootstrap_servers="127.0.0.1:1"), tmp_path / "log") as receiver:
        receiver.wait_until_it_says("until Kafka is found")
        assert receiver.stop() == 0
