"""What the receiver says of itself: every case is counted, and few of them are logged."""

import pytest
from structlog.testing import capture_logs

from streams.webhooks.body import Body
from streams.webhooks.observe import EVERY_S, Observer
from streams.webhooks.room import Room


class Clock:
    """Moved by hand."""

    now_s = 0.0

    def __call__(self) -> float:
        """What it shows."""
        return self.now_s


def test_a_flood_of_forgeries_is_one_line_in_a_while() -> None:
    """It says how many there were since the last one."""
    clock = Clock()
    observer = Observer(Room(), clock=clock)
    with capture_logs() as said:
        for _ in range(1_000):
            observer.forged()
        observer.refused("kafka")
        clock.now_s += EVERY_S
        observer.forged()

    assert [line["count"] for line in said] == [1, 1, 1_000]
    assert b"cio_webhook_signature_failures_total 1001.0" in observer.page()


@pytest.mark.parametrize(("what", "expected"), [("requests", 1), ("bytes", 7)])
def test_what_is_under_way_is_read_when_somebody_looks(what: str, expected: int) -> None:
    """From the room itself."""
    room = Room()
    observer = Observer(room)
    assert room.enter()
    assert room.take(7, Body(room, bytes_max=7))

    assert f'cio_webhook_in_flight{{what="{what}"}} {expected}.0'.encode() in observer.page()
