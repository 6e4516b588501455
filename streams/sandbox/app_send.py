"""Decides which sends of the App API are valid, and reads them; it changes nothing and sees no request.

What it refuses is what the official OpenAPI refuses, besides documented limits; unknown fields are tolerated.
"""

import base64
import binascii
import re
from collections.abc import Callable, Mapping
from email.utils import getaddresses
from typing import Any, Final

import orjson

from streams.sandbox import limits
from streams.sandbox.fields import (
    BOOLEAN,
    INTEGER,
    MERGE_IDENTIFIERS,
    OBJECT,
    TEXT,
    Type,
    Types,
    read_identifier,
    read_object,
    refuse_misfits,
)
from streams.sandbox.message import Channel, Message
from streams.sandbox.operation import Identifier, RefusedError

RECIPIENTS_MAX: Final = 15
ATTACHMENTS_BYTES_MAX: Final = 2_000_000
"""They must be smaller than this in all, decoded."""

SEND_AT_S_MAX: Final = 90 * 86_400

FORBIDDEN_FILE_TYPES: Final = frozenset(
    {"", "bat", "cmd", "com", "dll", "exe", "hta", "jar", "js", "lnk", "msi", "ps1", "scr", "sh", "vbs"}
)
"""Customer.io does not say which it recognises; these are refused by most."""

PHONE: Final = re.compile(r"\+[1-9][0-9]{6,14}")

_TEMPLATE: Final = Type(
    "must be an integer or a trigger name",
    lambda value: (isinstance(value, int) and not isinstance(value, bool)) or (isinstance(value, str) and value != ""),
)
_SHARED: Final[Types] = {
    "transactional_message_id": _TEMPLATE,
    "message_data": OBJECT,
    "send_at": INTEGER,
    "language": TEXT,
    **dict.fromkeys(("queue_draft", "auto_create", "disable_message_retention", "send_to_unsubscribed"), BOOLEAN),
}
_EMAIL_TEXTS: Final = (
    "body",
    "subject",
    "from",
    "cc",
    "bcc",
    "reply_to",
    "preheader",
    "body_plain",
    "body_amp",
)
_OWN: Final[Mapping[Channel, Types]] = {
    "email": {
        **dict.fromkeys(_EMAIL_TEXTS, TEXT),
        **dict.fromkeys(("fake_bcc", "tracked", "disable_css_preprocessing"), BOOLEAN),
        "attachments": OBJECT,
    },
    "push": {
        **dict.fromkeys(("to", "title", "message", "image_url", "link", "sound"), TEXT),
        **dict.fromkeys(("custom_data", "custom_device", "custom_payload"), OBJECT),
    },
    "sms": {"from": TEXT, "tracked": BOOLEAN},
    "in_app": {},
}
_REQUIRED: Final[Mapping[Channel, Types]] = {
    "email": {"to": TEXT},
    "push": {"transactional_message_id": _TEMPLATE},
    "sms": {"transactional_message_id": _TEMPLATE, "to": TEXT},
    "in_app": {"transactional_message_id": _TEMPLATE},
}
_CONTENT: Final[Types] = {"body": TEXT, "subject": TEXT, "from": TEXT}


def read_send(channel: Channel, body: object, *, now: float) -> Message:
    """Read `POST /v1/send/{channel}`.

    Raises:
        RefusedError: Names the first rule that it breaks.
    """
    send = read_object(body, field="")
    if limits.json_bytes(send) is None:
        raise RefusedError("", "request body is nested too deeply")
    refuse_misfits(send, _REQUIRED[channel], field="", is_required=True)
    identifier = _read_identifier(send.get("identifiers"))
    refuse_misfits(send, _SHARED, field="")
    refuse_misfits(send, _OWN[channel], field="")
    return _READ[channel](send, identifier, _read_send_at(send, now=now))


def _read_identifier(value: object) -> Identifier:
    identifier = read_identifier(value, field="identifiers", kinds=MERGE_IDENTIFIERS)
    if isinstance(value, dict) and len(value) > 1:
        raise RefusedError("identifiers", f"must have exactly one of {', '.join(MERGE_IDENTIFIERS)}")
    return identifier


def _read_send_at(send: Mapping[str, Any], *, now: float) -> int | None:
    send_at: int | None = send.get("send_at")
    if send_at is None or send_at <= now:
        return None  # the past is now
    if send_at > now + SEND_AT_S_MAX:
        raise RefusedError("send_at", "cannot be more than 90 days in the future")
    return send_at


def _read_email(send: Mapping[str, Any], identifier: Identifier, send_at: int | None) -> Message:
    if "transactional_message_id" not in send:
        refuse_misfits(send, _CONTENT, field="", is_required=True)
    to, cc, bcc = (_read_addresses(send.get(name, ""), field=name) for name in ("to", "cc", "bcc"))
    if not to:
        raise RefusedError("to", "cannot be empty")
    if len(to) + len(cc) + len(bcc) > RECIPIENTS_MAX:
        raise RefusedError("to", f"cannot have more than {RECIPIENTS_MAX} recipients together with cc and bcc")
    _refuse_headers(send.get("headers", "[]"))
    return Message(
        channel="email",
        identifier=identifier,
        to=to,
        cc=cc,
        bcc=bcc,
        sender=send.get("from"),
        subject=send.get("subject"),
        body=send.get("body"),
        attachments=_read_attachments(send.get("attachments", {})),
        send_at=send_at,
        **_shared(send),
    )


def _read_push(send: Mapping[str, Any], identifier: Identifier, send_at: int | None) -> Message:
    title, text, to = send.get("title"), send.get("message"), (send.get("to", "all"),)
    return Message(
        channel="push", identifier=identifier, to=to, subject=title, body=text, send_at=send_at, **_shared(send)
    )


def _read_sms(send: Mapping[str, Any], identifier: Identifier, send_at: int | None) -> Message:
    if not PHONE.fullmatch(send["to"]):
        raise RefusedError("", "invalid phone number format")
    to, sender = (send["to"],), send.get("from")
    return Message(channel="sms", identifier=identifier, to=to, sender=sender, send_at=send_at, **_shared(send))


def _read_in_app(send: Mapping[str, Any], identifier: Identifier, send_at: int | None) -> Message:
    return Message(channel="in_app", identifier=identifier, send_at=send_at, **_shared(send))


_READ: Final[Mapping[Channel, Callable[[Mapping[str, Any], Identifier, int | None], Message]]] = {
    "email": _read_email,
    "push": _read_push,
    "sms": _read_sms,
    "in_app": _read_in_app,
}


def _shared(send: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "template": send.get("transactional_message_id"),
        "data": send.get("message_data", {}),
        "is_draft": send.get("queue_draft", False),
        "sends_to_unsubscribed": send.get("send_to_unsubscribed", True),
        "creates_template": send.get("auto_create", False),
    }


def _read_addresses(text: str, *, field: str) -> tuple[str, ...]:
    try:
        addresses = [address for _, address in getaddresses([text])] if text.strip() else []
    except RecursionError:  # hundreds of comments within each other
        addresses = [""]
    if not all(re.fullmatch(r"[^@\s]+@[^@\s]+", address) for address in addresses):
        raise RefusedError(field, "must be e-mail addresses, separated by commas")
    return tuple(addresses)


def _read_attachments(attachments: Mapping[str, Any]) -> dict[str, int]:
    sizes: dict[str, int] = {}
    for name, content in attachments.items():
        kind = name.rpartition(".")[2].lower() if "." in name else ""
        if kind in FORBIDDEN_FILE_TYPES:
            raise RefusedError("", f"Forbidden file type {kind} for attachment {name}.", status=403)
        try:
            # Line ends are no fault: those of MIME are within it.
            sizes[name] = len(base64.b64decode("".join(content.splitlines()), validate=True))
        except (binascii.Error, ValueError, AttributeError):
            raise RefusedError("", f'Attachment must be base64 encoded: "{name}"') from None
    if sum(sizes.values()) >= ATTACHMENTS_BYTES_MAX:
        raise RefusedError("", "Total attachment size exceeds the limit", status=413)
    return sizes


def _refuse_headers(headers: object) -> None:
    # A JSON text with a list of names and values by the words of the OpenAPI, an object in its own example.
    parsed: object = headers
    if isinstance(headers, str):
        try:
            parsed = orjson.loads(headers)
        except orjson.JSONDecodeError:
            raise RefusedError("headers", "must be a JSON string") from None
    if isinstance(parsed, list) and all(isinstance(each, dict) for each in parsed):
        pairs = [(each.get("name"), each.get("value")) for each in parsed]
    elif isinstance(parsed, dict):
        pairs = list(parsed.items())
    else:
        raise RefusedError("headers", "must hold objects with name and value")
    for text in (text for pair in pairs for text in pair):
        if not isinstance(text, str) or not text.isascii() or " " in text:
            raise RefusedError("headers", "must have names and values of ASCII characters without spaces")
