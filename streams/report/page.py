"""The report as one HTML page that stands alone: its style and charts are in it, and it asks nobody for anything."""

from collections.abc import Mapping, Sequence
from html import escape
from string import Template
from typing import Final

from streams.report.charts import Bar, bars, columns
from streams.report.gather import Told, remarks
from streams.report.tell import is_words, span_text, written
from streams.warehouse.port import Found

STEPS: Final = (
    ("sent", "quiet"),
    ("delivered", "good"),
    ("opened", "good"),
    ("clicked", "good"),
    ("bounced", "bad"),
    ("failed", "bad"),
    ("unsubscribed", "bad"),
)
SPANS: Final = ("delivered", "opened", "clicked")
TIMES_SHOWN: Final = 5

_PAGE: Final = Template("""<!doctype html>
<html lang="en"><head><meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<meta name="viewport" content="width=device-width, initial-scale=1"><title>Customer.io report</title>
<style>
:root { color-scheme: light dark; --line: #8883; --soft: #8881; --faint: #777; --good: #1a8f5a; --bad: #c2571a; }
body { font: 15px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 72rem; padding: 0 1rem; }
h1 { font-size: 1.4rem; margin: 0; } h2 { font-size: 1rem; margin: 2.5rem 0 .5rem; }
p { color: var(--faint); margin: .3rem 0; }
.counters { display: grid; grid-template-columns: repeat(auto-fit, minmax(8rem, 1fr)); gap: .75rem; margin: 1.5rem 0; }
.counters div { background: var(--soft); border-radius: .6rem; padding: .7rem .9rem; }
.counters b { display: block; font-size: 1.5rem; font-variant-numeric: tabular-nums; }
.counters span, th { color: var(--faint); font-size: .8rem; font-weight: 400; }
.wide { overflow-x: auto; } table { border-collapse: collapse; width: 100%; }
td, th { border-bottom: 1px solid var(--line); padding: .35rem .6rem .35rem 0; text-align: right; }
td.words, th.words { text-align: left; } td { font-variant-numeric: tabular-nums; }
svg { display: block; max-width: 45rem; width: 100%; } svg text { fill: currentColor; font-size: 12px; }
svg .label { fill: var(--faint); }
rect.good { fill: var(--good); } rect.bad { fill: var(--bad); } rect.quiet { fill: var(--faint); }
</style></head><body>
<h1>Customer.io: what was sent, and what came of it</h1>
<p>$made. Opens and clicks are people's; what only machines touched is counted apart.</p>
<div class="counters">$counters</div>
$sections
</body></html>
""")


def render(report: Sequence[Told], *, made_at: str, reveal: bool) -> str:
    """The page."""
    by_name = {told.section.name: told for told in report}
    parts = [_section(told, _chart(told), reveal=reveal) for told in report if told.rows]
    empty = "" if parts else "<p>Nothing has been loaded yet.</p>"
    return _PAGE.substitute(
        made=escape(f"Made {made_at}"), counters=_counters(by_name["funnel"].rows), sections="".join(parts) or empty
    )


def _counters(funnel: Sequence[Found]) -> str:
    return "".join(
        f"<div><b>{sum(row[name] for row in funnel):,}</b><span>{name}</span></div>" for name in ("messages", *_names())
    )


def _section(told: Told, chart: str, *, reveal: bool) -> str:
    shown = told.section.columns
    kinds = [' class="words"' * is_words(column) for column in shown]
    head = "".join(f"<th{kind}>{escape(column.heading)}</th>" for column, kind in zip(shown, kinds, strict=True))
    rows = "".join(
        "<tr>"
        + "".join(
            f"<td{kind}>{escape(written(row[column.name], column, reveal=reveal))}</td>"
            for column, kind in zip(shown, kinds, strict=True)
        )
        + "</tr>"
        for row in told.rows
    )
    notes = "".join(f"<p>{escape(remark)}</p>" for remark in remarks(told))
    table = f'<div class="wide"><table><tr>{head}</tr>{rows}</table></div>'
    return f"<h2>{escape(told.section.title)}</h2>{chart}{notes}{table}\n"


def _chart(told: Told) -> str:
    match told.section.name:
        case "funnel":
            return _funnel(told)
        case "event_times":
            return _times(told)
        case "outcomes":
            return _outcomes(told)
        case "days":
            return _days(told)
        case _:
            return ""


def _funnel(told: Told) -> str:
    totals = {name: sum(row[name] for row in told.rows) for name in _names()}
    most = max(totals["sent"], totals["delivered"]) or 1
    items = [Bar(name, totals[name], f"{totals[name]:,} ({totals[name] / most:.1%})", style) for name, style in STEPS]
    return bars(items, title=told.section.title)


def _times(told: Told) -> str:
    items = []
    for row in told.rows[:TIMES_SHOWN]:
        for step in SPANS:
            half = row[f"{step}_half_s"]
            if half is not None:
                items.append(
                    Bar(f"campaign {row['campaign_id']} {step}", max(0.0, float(half)), span_text(float(half)))
                )
    return bars(items, title=told.section.title) if items else ""


def _outcomes(told: Told) -> str:
    items = []
    for row in told.rows:
        items.append(Bar(f"{row['topic']}", row["delivered"], f"{row['delivered']:,} delivered"))
        items.append(Bar("", row["dead"], f"{row['dead']:,} dead", "bad"))
    return bars(items, title=told.section.title)


def _days(told: Told) -> str:
    days = sorted(told.rows, key=lambda row: row["day"])
    return columns([(f"{row['day']}", _day(row)) for row in days], title=told.section.title)


def _day(row: Mapping[str, int]) -> list[Bar]:
    styles = (("messages", "quiet"), ("delivered", "good"), ("opened", "good"), ("bounced", "bad"))
    return [Bar(name, row[name], f"{row[name]:,}", style) for name, style in styles]


def _names() -> list[str]:
    return [name for name, _ in STEPS]
