"""Which ports `up` takes."""

import socket

import pytest

from schemas.errors import UnavailableError
from streams.up.ports import pick_port, reachable

HOST = "127.0.0.1"


def test_a_free_port_is_taken_as_preferred() -> None:
    """Whoever has no conflict finds everything where the documentation says."""
    with socket.create_server((HOST, 0)) as holder:
        port = holder.getsockname()[1]

    assert pick_port(port, host=HOST) == port


def test_a_taken_port_is_passed_over() -> None:
    """The next one above is easy to find."""
    with socket.create_server((HOST, 0)) as holder:
        taken = holder.getsockname()[1]
        port = pick_port(taken, host=HOST)

    assert taken < port < taken + 50


def test_a_port_that_is_meant_for_another_part_is_passed_over() -> None:
    """Two parts never agree on one port before either has it."""
    with socket.create_server((HOST, 0)) as holder:
        port = holder.getsockname()[1]

    assert pick_port(port, host=HOST, avoid={port}) > port


def test_port_0_is_any_free_one() -> None:
    """As everywhere."""
    assert pick_port(0, host=HOST) > 0


@pytest.mark.parametrize("port", [0, 8080])
def test_a_host_of_another_machine_is_refused(port: int) -> None:
    """It says what to set."""
    with pytest.raises(UnavailableError, match="HTTP_HOST"):
        pick_port(port, host="192.0.2.1")


@pytest.mark.parametrize(
    ("host", "shown"),
    [
        ("127.0.0.1", "127.0.0.1"),
        ("0.0.0.0", "127.0.0.1"),
        ("::", "[::1]"),
        ("::1", "[::1]"),
        ("localhost", "localhost"),
    ],
)
def test_a_listening_address_becomes_one_to_open(host: str, shown: str) -> None:
    """A browser cannot open 0.0.0.0 everywhere."""
    assert reachable(host) == shown
