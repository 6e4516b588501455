"""What `up` writes on a pipe and on a terminal."""

import io

import pytest
from rich.console import Console

from streams.up.screen import STOPPING, WATCHING, LiveScreen, PlainScreen, Screen, create_screen
from streams.up.summary import Summary

PLACES = {"Kafka": "127.0.0.1:9092", "Logs": "/tmp/[red]x"}  # noqa: S108 - a text, not a file


class Terminal(io.StringIO):
    """A terminal that keeps what is written on it."""

    def isatty(self) -> bool:
        """Claim to be one."""
        return True


def write_all(screen: Screen) -> None:
    """Let it go through the life of an `up`."""
    screen.step("Starting Kafka …")
    screen.step("Starting the worker …")
    screen.open(PLACES)
    screen.update(Summary(delivered=1234))
    screen.tell(["a line that [bold]stays[/bold]"])
    screen.stop()
    screen.close()


def make_live() -> tuple[LiveScreen, Terminal]:
    """Give a live view and its terminal."""
    terminal = Terminal()
    return LiveScreen(Console(file=terminal, force_terminal=True, width=100, height=40, highlight=False)), terminal


def test_a_pipe_gets_plain_lines() -> None:
    """Every line is whole and without control characters."""
    pipe = io.StringIO()

    write_all(PlainScreen(pipe))

    assert pipe.getvalue().splitlines() == [
        "Starting Kafka …",
        "Starting the worker …",
        "Kafka        127.0.0.1:9092",
        "Logs         /tmp/[red]x",
        WATCHING,
        "in 1,234  delivered 1,234  duplicate 0  superseded 0  skipped 0  dead 0  lag 0  records/s 0.0",
        "a line that [bold]stays[/bold]",
        STOPPING,
    ]


def test_a_pipe_sees_each_line_at_once() -> None:
    """Nothing waits in a buffer."""
    raw = io.BytesIO()
    screen = PlainScreen(io.TextIOWrapper(io.BufferedWriter(raw, 65_536), encoding="utf-8"))

    screen.step("Starting Kafka …")

    assert raw.getvalue().decode() == "Starting Kafka …\n"


def test_a_terminal_gets_all_of_it_too() -> None:
    """Places, figures and what stays; square brackets are text, not markup."""
    screen, terminal = make_live()

    write_all(screen)

    written = terminal.getvalue()
    for expected in ("Starting Kafka", "127.0.0.1:9092", "/tmp/[red]x", "1,234", "[bold]stays[/bold]", STOPPING):  # noqa: S108 - as above
        assert expected in written


def test_a_finished_step_stays_with_a_tick() -> None:
    """What took long can be read afterwards."""
    screen, terminal = make_live()

    screen.step("Starting Kafka …")
    screen.step("Starting the worker …")
    screen.close()

    ticked = [line for line in terminal.getvalue().splitlines() if "✓" in line]
    assert any("Starting Kafka" in line for line in ticked)


def test_an_unfinished_step_gets_no_tick() -> None:
    """What was interrupted is not claimed to be done."""
    screen, terminal = make_live()

    screen.step("Starting Kafka …")
    screen.stop()
    screen.close()

    ticked = [line for line in terminal.getvalue().splitlines() if "✓" in line]
    assert [STOPPING in line for line in ticked] == [True]


@pytest.mark.parametrize(("term", "kind"), [("xterm", LiveScreen), ("dumb", PlainScreen)])
def test_a_terminal_that_can_move_its_cursor_gets_the_live_view(
    monkeypatch: pytest.MonkeyPatch, term: str, kind: type[Screen]
) -> None:
    """An editor's shell window cannot."""
    monkeypatch.setenv("TERM", term)

    screen = create_screen(Terminal())
    screen.close()

    assert isinstance(screen, kind)


def test_a_pipe_gets_the_plain_one_whatever_the_environment_forces(monkeypatch: pytest.MonkeyPatch) -> None:
    """FORCE_COLOR is about colours."""
    monkeypatch.setenv("FORCE_COLOR", "1")

    assert isinstance(create_screen(io.StringIO()), PlainScreen)
