"""The bounds of what a sandbox remembers of its requests."""

from streams.sandbox.request_log import RequestLog


def open_requests(log: RequestLog, count: int) -> None:
    """Let so many arrive, one a second."""
    for number in range(count):
        log.open("POST", "/api/v2/batch", headers=[], connection=1, now=float(number))


def test_only_the_newest_are_kept() -> None:
    """Requests and arrival times have bounds of their own; the count is exact."""
    log = RequestLog(requests_max=2, arrivals_max=3)
    open_requests(log, 5)

    assert log.count == 5
    assert [seen.seq for seen in log.after(0)] == [4, 5]
    assert list(log.arrivals) == [2.0, 3.0, 4.0]


def test_a_request_without_an_answer_is_open_until_it_ends() -> None:
    """One that hangs can be seen; its end without a status is a drop."""
    log = RequestLog()
    open_requests(log, 1)
    (seen,) = log.after(0)
    before = seen.as_json()
    log.end(seen, status=None, now=9.0)

    assert (before["ended_at"], before["status"]) == (None, None)
    assert (seen.ended_at, seen.status, log.ends) == (9.0, None, {"dropped": 1})
