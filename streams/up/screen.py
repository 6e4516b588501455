"""Shows what `up` does: as lines where somebody reads a pipe, as a live view on a terminal. It decides nothing."""

import contextlib
import sys
import time
from collections.abc import Mapping, Sequence
from typing import Final, Protocol, TextIO

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.spinner import Spinner
from rich.table import Table
from rich.text import Text

from streams.up.summary import Summary

WATCHING: Final = "Ctrl-C stops all of it"
STOPPING: Final = "Stopping …"
_LABEL_WIDTH: Final = 13


class Screen(Protocol):
    """What `up` tells a person; `every_s` says how often a summary is wanted."""

    every_s: float

    def step(self, text: str) -> None:
        """Say what is being waited for now."""

    def open(self, places: Mapping[str, str]) -> None:
        """Say, once all runs, what can be opened where."""

    def update(self, summary: Summary) -> None:
        """Show the newest figures."""

    def tell(self, lines: Sequence[str]) -> None:
        """Say something that stays."""

    def stop(self) -> None:
        """Say that all is being stopped, whatever was being waited for."""

    def close(self) -> None:
        """Leave the terminal as it was."""


def create_screen(output: TextIO = sys.stdout) -> Screen:
    """Give the one that suits `output`."""
    console = Console(file=output, highlight=False)
    if output.isatty() and not console.is_dumb_terminal:
        return LiveScreen(console)
    return PlainScreen(output)


class PlainScreen:
    """One line for each thing, flushed, so that a pipe shows it at once."""

    every_s = 5.0

    def __init__(self, output: TextIO) -> None:
        self._output = output

    def step(self, text: str) -> None:
        """Write a line."""
        self.tell([text])

    def open(self, places: Mapping[str, str]) -> None:
        """Write a line for each."""
        self.tell([f"{name:<{_LABEL_WIDTH}}{place}" for name, place in places.items()])
        self.tell([WATCHING])

    def update(self, summary: Summary) -> None:
        """Write all figures on one line."""
        self.tell(["  ".join(f"{name} {figure}" for name, figure in summary.figures().items())])

    def tell(self, lines: Sequence[str]) -> None:
        """Write lines."""
        for line in lines:
            self._output.write(f"{line}\n")
        self._output.flush()

    def stop(self) -> None:
        """Write a line."""
        self.tell([STOPPING])

    def close(self) -> None:
        """Nothing is left to do."""


class LiveScreen:
    """A view that keeps its place, drawn anew four times a second; finished steps stay above it."""

    every_s = 1.0

    def __init__(self, console: Console) -> None:
        self._step: str | None = None
        self._step_began_s = 0.0
        self._places: Mapping[str, str] = {}
        self._summary: Summary | None = None
        self._spinner = Spinner("dots")
        self._live = Live(get_renderable=self._draw, console=console, refresh_per_second=4)
        self._live.start()

    def step(self, text: str) -> None:
        """Turn the spinner beside it until the next step."""
        self._finish_step()
        self._step, self._step_began_s = text, time.monotonic()

    def open(self, places: Mapping[str, str]) -> None:
        """Keep them in view."""
        self._finish_step()
        self._places = places

    def update(self, summary: Summary) -> None:
        """Replace the figures."""
        self._summary = summary

    def tell(self, lines: Sequence[str]) -> None:
        """Write lines above the view."""
        for line in lines:
            self._live.console.print(Text(line))

    def stop(self) -> None:
        """Put it in place of an unfinished step."""
        self._step = None
        self.step(STOPPING)

    def close(self) -> None:
        """Draw it a last time and leave it on the terminal."""
        self._finish_step()
        self._places = {}  # nothing of it can be opened any more
        with contextlib.suppress(OSError):  # a terminal that is gone
            self._live.stop()

    def _finish_step(self) -> None:
        done, self._step = self._step, None
        if done is not None:
            self._live.refresh()  # else the spinner of what is done stands below its tick for a moment
            seconds = time.monotonic() - self._step_began_s
            self._live.console.print(Text.assemble(("✓ ", "green"), done, (f"  {seconds:.1f} s", "dim")))

    def _draw(self) -> RenderableType:
        parts: list[RenderableType] = []
        if self._places:
            parts += [Text(), _places_table(self._places), Text()]
        if self._summary is not None:
            parts += [_figures_table(self._summary), Text()]
        if self._step is not None:
            seconds = time.monotonic() - self._step_began_s
            self._spinner.update(text=Text.assemble(self._step, (f"  {seconds:.0f} s", "dim")))
            parts.append(self._spinner)
        elif self._places:
            parts.append(Text(WATCHING, style="dim"))
        return Group(*parts)


def _places_table(places: Mapping[str, str]) -> Table:
    table = Table.grid(padding=(0, 2))
    table.add_column(style="bold", no_wrap=True)
    table.add_column(overflow="fold")
    for name, place in places.items():
        table.add_row(Text(name), Text(place))
    return table


def _figures_table(summary: Summary) -> Table:
    table = Table()
    figures = summary.figures()
    for name in figures:
        table.add_column(name, justify="right", style="red" if name == "dead" and summary.dead else "")
    table.add_row(*figures.values())
    return table
