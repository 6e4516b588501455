"""The sandbox's HTML page: one self-contained document, every value in it escaped."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from html import escape
from string import Template
from typing import Any, Final
from urllib.parse import quote

import orjson

DETAIL_CHARACTERS_MAX: Final = 160
COUNTERS: Final = (
    "people",
    "events",
    "anonymous_events",
    "repeated_events",
    "suppressed",
    "accepted",
    "pending",
    "refused",
)
WEBHOOK_COUNTERS: Final = ("sent", "waiting", "held", "given_up", "repeated", "to_come", "dropped")

_PAGE: Final = Template("""<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta http-equiv="refresh" content="2">
<meta name="viewport" content="width=device-width, initial-scale=1"><title>Customer.io sandbox</title>
<style>
:root { color-scheme: light dark; --line: #8883; --soft: #8881; --quiet: #777; --good: #1a8f5a; --bad: #c2571a; }
body { font: 15px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 72rem; padding: 0 1rem; }
h1 { font-size: 1.4rem; margin: 0; } h2 { font-size: 1rem; margin: 2rem 0 .5rem; }
p { color: var(--quiet); margin: .2rem 0 1.5rem; } a { color: inherit; }
.counters { display: grid; grid-template-columns: repeat(auto-fit, minmax(8rem, 1fr)); gap: .75rem; }
.counters div { background: var(--soft); border-radius: .6rem; padding: .7rem .9rem; }
.counters b { display: block; font-size: 1.5rem; font-variant-numeric: tabular-nums; }
.counters span, td.quiet, th { color: var(--quiet); font-size: .8rem; font-weight: 400; }
table { border-collapse: collapse; width: 100%; } th { text-align: left; }
td, th { border-bottom: 1px solid var(--line); padding: .35rem .6rem .35rem 0; vertical-align: top; }
td.detail { font: .8rem/1.5 ui-monospace, monospace; overflow-wrap: anywhere; }
.good { color: var(--good); } .bad { color: var(--bad); } p.bad { margin: 0 0 .5rem; }
</style></head><body>
<h1>Customer.io sandbox</h1>
<p>What arrived here; no message leaves this machine. As JSON: <a href="/sandbox/state">state</a>,
<a href="/sandbox/people">people</a>, <a href="/sandbox/suppressed">suppressed</a>,
<a href="/sandbox/requests">requests</a>, <a href="/sandbox/log">log</a>;
messages: <a href="/sandbox/outbox">outbox</a>.
Switches: <a href="/sandbox/faults">faults</a>, <a href="/sandbox/account">account</a>,
<a href="/sandbox/templates">templates</a>, <a href="/sandbox/webhooks">webhooks</a>.</p>
$conduct
<div class="counters">$counters</div>
<h2>Requests</h2><div class="counters">$requests</div>
$messages$webhooks<h2>Newest operations</h2>
<table><tr><th>#</th><th>time</th><th>action</th><th>who</th><th>what</th><th>effect</th></tr>$operations</table>
<h2>Newest people</h2>
<table><tr><th>who</th><th>e-mail</th><th>attributes</th></tr>$people</table>
</body></html>
""")


def render(summary: Mapping[str, Any], people: Sequence[Mapping[str, Any]], *, conduct: Sequence[str] = ()) -> str:
    """Return the page for a summary as `/sandbox/state` shows it, for people as the views do, and what goes wrong."""
    faults = {f"fault {kind}": count for kind, count in summary["faults"].items()}
    rate = {"in the last second": summary["requests_last_second"]}
    return _PAGE.substitute(
        conduct="".join(f'<p class="bad">{escape(sentence)}</p>' for sentence in conduct),
        counters=_counters({name.replace("_", " "): summary[name] for name in COUNTERS}),
        requests=_counters(rate | dict(sorted(summary["requests"].items())) | faults),
        messages=_messages(summary["messages"]),
        webhooks=_webhooks(summary.get("webhooks", {})),
        operations="".join(map(_operation, summary["newest"])),
        people="".join(map(_person, people)),
    )


def _messages(ends: Mapping[str, int]) -> str:
    if not ends:
        return ""
    counts = {status.replace("_", " "): count for status, count in ends.items() if count}
    return f'<h2><a href="/sandbox/outbox">Messages</a></h2><div class="counters">{_counters(counts)}</div>\n'


def _webhooks(state: Mapping[str, Any]) -> str:
    if not state.get("is_on"):
        return ""
    counts = {name.replace("_", " "): state[name] for name in WEBHOOK_COUNTERS}
    failures = {f"failed: {answer}": count for answer, count in sorted(state["failures"].items())}
    failing = ""
    if state["failing_since"] is not None:
        since, again = map(_clock_time, (state["failing_since"], state["next_try_at"]))
        failing = f'<p class="bad">the receiver fails since {since}; the next try is at {again}</p>'
    link = '<a href="/sandbox/webhooks/sent">Webhooks</a>'
    return f'<h2>{link}</h2>{failing}<div class="counters">{_counters(counts | failures)}</div>\n'


def _clock_time(moment: float) -> str:
    return datetime.fromtimestamp(moment, tz=UTC).strftime("%H:%M:%S")


def _counters(counts: Mapping[str, int]) -> str:
    return "".join(f"<div><b>{count:,}</b><span>{escape(name)}</span></div>" for name, count in counts.items())


def _operation(entry: Mapping[str, Any]) -> str:
    time = _clock_time(entry["received_at"])
    who = " ".join(f"{kind} {value}" for kind, value in entry["identifier"].items())
    name = [entry["name"]] if entry.get("name") else []
    what = " ".join([*name, _json(entry.get("attributes", {}))])
    return (
        f'<tr><td class="quiet">{entry["seq"]}</td><td class="quiet">{time}</td><td>{escape(entry["action"])}</td>'
        f'<td>{escape(who)}</td><td class="detail">{escape(_short(what))}</td><td>{_effect(entry)}</td></tr>'
    )


def _effect(entry: Mapping[str, Any]) -> str:
    if entry["applied"] is None:
        return "pending"
    if not entry["ignored"]:
        return '<span class="good">ok</span>'
    return f'<span class="bad">{escape(entry.get("activity", entry["why"]).replace("_", " "))}</span>'


def _person(person: Mapping[str, Any]) -> str:
    identifiers = person["identifiers"]
    link = f"/sandbox/people/{quote('cio_' + identifiers['cio_id'], safe='')}"
    who = identifiers["id"] or identifiers["email"] or identifiers["cio_id"]
    return (
        f'<tr><td><a href="{escape(link)}">{escape(who)}</a></td><td>{escape(identifiers["email"] or "")}</td>'
        f'<td class="detail">{escape(_short(_json(person["attributes"])))}</td></tr>'
    )


def _json(value: object) -> str:
    return orjson.dumps(value).decode()


def _short(text: str) -> str:
    return text if len(text) <= DETAIL_CHARACTERS_MAX else f"{text[:DETAIL_CHARACTERS_MAX]}…"
