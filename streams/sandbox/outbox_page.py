"""The sandbox's outbox as an HTML page: each message as its person would get it, every value in it escaped."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from html import escape
from string import Template
from typing import Any, Final

import orjson

DELIVERIES_SHOWN: Final = 50
BODY_CHARACTERS_MAX: Final = 100_000

OUTBOX_HEADERS: Final = {
    "content-security-policy": "default-src 'none'; style-src 'unsafe-inline'; img-src data:; frame-src 'self'"
}
"""A message may bring anything along: nothing of it runs, and nothing is fetched for it."""

CHANNELS: Final = {"email": "e-mail", "push": "push", "sms": "SMS", "in_app": "in-app"}
REMARKS: Final = {
    "scheduled": "Not sent yet",
    "draft": "A draft: nobody gets it until it is sent in the UI",
    "suppressed": "Suppressed: nothing was sent",
    "unsubscribed": "Unsubscribed: nothing was sent",
    "no_address": "No address or device: nothing was sent",
    "unknown_person": "Nobody has this cio_id: nothing was sent",
    "not_fetched": "The audience is in a data file, which the sandbox does not fetch: nothing was sent",
}

_PAGE: Final = Template("""<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta http-equiv="refresh" content="10">
<meta name="viewport" content="width=device-width, initial-scale=1"><title>Outbox of the Customer.io sandbox</title>
<style>
:root { color-scheme: light dark; --line: #8883; --soft: #8881; --quiet: #777; --bad: #c2571a; }
body { font: 15px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 48rem; padding: 0 1rem; }
h1 { font-size: 1.4rem; margin: 0; } p { color: var(--quiet); margin: .2rem 0 1.5rem; } a { color: inherit; }
article { border: 1px solid var(--line); border-radius: .6rem; margin: 0 0 1rem; overflow: hidden; }
header { background: var(--soft); padding: .6rem .9rem; } header b { font-size: 1.05rem; }
header div { color: var(--quiet); font-size: .85rem; overflow-wrap: anywhere; } .bad { color: var(--bad) !important; }
.text { padding: .6rem .9rem; white-space: pre-wrap; overflow-wrap: anywhere; }
.gone b, .gone iframe, .gone .text { opacity: .5; }
iframe { background: #fff; border: 0; display: block; height: 10rem; resize: vertical; width: 100%; }
</style></head><body>
<h1>Outbox</h1>
<p>$count, the newest first; nothing left this machine. <a href="/">Back</a></p>
$deliveries
</body></html>
""")


def render_outbox(newest: Sequence[Mapping[str, Any]], *, count: int) -> str:
    """Return the page for messages as the views show them, out of `count` that there were."""
    shown = f"{count:,} messages" if count <= len(newest) else f"The last {len(newest)} of {count:,} messages"
    return _PAGE.substitute(count=shown, deliveries="".join(map(_delivery, newest)))


def _delivery(delivery: Mapping[str, Any]) -> str:
    remarks = list(_remarks(delivery))
    gone = "" if delivery["status"] == "sent" else ' class="gone"'
    lines = [_origin(delivery), *_addresses(delivery)]
    return (
        f"<article{gone}><header><b>{escape(delivery['subject'] or CHANNELS[delivery['channel']])}</b>"
        + "".join(f"<div>{escape(line)}</div>" for line in lines)
        + "".join(f'<div class="bad">{escape(remark)}</div>' for remark in remarks)
        + f"</header>{_body(delivery)}</article>"
    )


def _origin(delivery: Mapping[str, Any]) -> str:
    made_at, channel = _time(delivery["queued_at"]), CHANNELS[delivery["channel"]]
    return f"{made_at} · {channel} · {_made_by(delivery)} · {delivery['delivery_id']}"


def _made_by(delivery: Mapping[str, Any]) -> str:
    if delivery["campaign_id"] is not None:
        return f"campaign {delivery['campaign_id']}, event {delivery['trigger_event_id']}"
    if delivery["broadcast_id"] is not None:
        return f"broadcast {delivery['broadcast_id']}, trigger {delivery['trigger_id']}"
    template = delivery["transactional_message_id"]
    return "without a template" if template is None else f"template {template}"


def _addresses(delivery: Mapping[str, Any]) -> list[str]:
    who = " ".join(f"{kind} {value}" for kind, value in (delivery["identifiers"] or {}).items())
    named = {"cc": delivery["cc"], "bcc": delivery["bcc"], "from": [delivery["from"]] if delivery["from"] else []}
    files = [f"{name} ({size:,} bytes)" for name, size in delivery["attachments"].items()]
    lines = [f"to {', '.join(delivery['to']) or 'nobody'} · {who}"]
    lines += [f"{name} {', '.join(values)}" for name, values in (named | {"attached": files}).items() if values]
    return lines


def _remarks(delivery: Mapping[str, Any]) -> list[str]:
    remarks = [REMARKS[delivery["status"]]] if delivery["status"] in REMARKS else []
    if delivery["status"] == "scheduled":
        remarks[0] += f": due at {_time(delivery['send_at'])}"
    is_read = delivery["status"] in {"sent", "scheduled", "draft"}
    if delivery["missing"] and is_read:
        remarks.append(f"Without a value, and so left empty: {', '.join(delivery['missing'])}")
    if not delivery["is_whole"]:
        remarks.append("Some of its Liquid is more than the sandbox fills in: it stays as it is written")
    return remarks


def _body(delivery: Mapping[str, Any]) -> str:
    body: str = delivery["body"]
    if len(body) > BODY_CHARACTERS_MAX:
        body = f"{body[:BODY_CHARACTERS_MAX]}…"
    if not body:
        data = orjson.dumps(delivery["data"], option=orjson.OPT_INDENT_2).decode()
        return f'<div class="text">The sandbox was told of no body; the data are {escape(data)}</div>'
    if delivery["channel"] in {"email", "in_app"}:
        return f'<iframe sandbox title="body" srcdoc="{escape(body)}"></iframe>'
    return f'<div class="text">{escape(body)}</div>'


def _time(moment: float) -> str:
    return datetime.fromtimestamp(moment, tz=UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
