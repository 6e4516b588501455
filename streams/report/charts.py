"""Charts as inline SVG: no scripts, nothing from elsewhere, every text escaped. Pure."""

from collections.abc import Sequence
from html import escape
from typing import Final, NamedTuple

WIDTH: Final = 720
LABEL_WIDTH: Final = 190
NUMBER_WIDTH: Final = 120
ROW_HEIGHT: Final = 26
BAR_HEIGHT: Final = 16
COLUMNS_HEIGHT: Final = 150
AXIS_HEIGHT: Final = 22
LABELS_MAX: Final = 7


class Bar(NamedTuple):
    """A value of a chart; `note` stands behind it, `style` is its class in the page's style sheet."""

    label: str
    value: float
    note: str
    style: str = "good"


def bars(items: Sequence[Bar], *, title: str) -> str:
    """Horizontal bars, one below the other, on one scale."""
    most = max((item.value for item in items), default=0) or 1
    room = WIDTH - LABEL_WIDTH - NUMBER_WIDTH
    rows = []
    for number, item in enumerate(items):
        top, length = number * ROW_HEIGHT, max(1.0, room * item.value / most) if item.value else 0.0
        middle = top + ROW_HEIGHT / 2 + 4
        rows.append(
            f'<text class="label" x="{LABEL_WIDTH - 8}" y="{middle:.0f}" text-anchor="end">{escape(item.label)}</text>'
            f'<rect class="{escape(item.style)}" x="{LABEL_WIDTH}" y="{top + (ROW_HEIGHT - BAR_HEIGHT) / 2:.0f}"'
            f' width="{length:.1f}" height="{BAR_HEIGHT}" rx="3"/>'
            f'<text x="{LABEL_WIDTH + length + 8:.1f}" y="{middle:.0f}">{escape(item.note)}</text>'
        )
    return _svg("".join(rows), len(items) * ROW_HEIGHT, title)


def columns(items: Sequence[tuple[str, Sequence[Bar]]], *, title: str) -> str:
    """Groups of columns side by side, from left to right, on one scale."""
    most = max((bar.value for _, group in items for bar in group), default=0) or 1
    step = WIDTH / max(1, len(items))
    every = -(-len(items) // LABELS_MAX) or 1
    drawn = []
    for number, (label, group) in enumerate(items):
        width = step * 0.8 / max(1, len(group))
        for at, bar in enumerate(group):
            height = COLUMNS_HEIGHT * bar.value / most
            drawn.append(
                f'<rect class="{escape(bar.style)}" x="{number * step + step * 0.1 + at * width:.1f}"'
                f' y="{COLUMNS_HEIGHT - height:.1f}" width="{width:.1f}" height="{height:.1f}" rx="2">'
                f"<title>{escape(f'{label}: {bar.label} {bar.note}')}</title></rect>"
            )
        if number % every == 0:
            drawn.append(
                f'<text class="label" x="{(number + 0.5) * step:.1f}" y="{COLUMNS_HEIGHT + AXIS_HEIGHT - 6}"'
                f' text-anchor="middle">{escape(label)}</text>'
            )
    return _svg("".join(drawn), COLUMNS_HEIGHT + AXIS_HEIGHT, title)


def _svg(inside: str, height: int, title: str) -> str:
    return (
        f'<svg viewBox="0 0 {WIDTH} {height}" role="img" aria-label="{escape(title)}"'
        f' xmlns="http://www.w3.org/2000/svg">{inside}</svg>'
    )
