"""What a letter's record is sent as, by today's code: the bodies of its operations, each as JSON."""

from typing import cast

from pydantic_core import from_json

from agents.steps.translate_change import identify_body, simple_body
from agents.translations import TRANSLATIONS
from schemas.dead_letter import DeadLetter
from schemas.record import Stored
from schemas.translated import Change, Event, Send, Unsendable
from streams.dead_letters.masking import Json
from streams.settings import Settings


def sent_operations(letter: DeadLetter, settings: Settings) -> list[Json]:
    """Nothing of a letter that was set aside before it was sent, or of a topic that is no input of ours."""
    if letter.reason in ("malformed", "too_large"):
        return []
    translate = {settings.topic(name): each for name, each in TRANSLATIONS.items()}.get(letter.origin.topic)
    if translate is None:
        return []
    timestamp_ms = -1 if letter.timestamp_ms is None else letter.timestamp_ms
    first = Stored(*letter.origin, timestamp_ms, letter.key, letter.value)  # no header says anything about what is sent
    return [cast(Json, from_json(body)) for body in _bodies(translate(first))]


def _bodies(found: Change | Event | Send | Unsendable) -> list[bytes]:
    match found:
        case Unsendable():
            return []
        case Event() | Send():
            return [found.body]
        case Change(kind="identify"):
            return [identify_body(found.user_id, found.attributes, found.time_s)]
        case Change(kind="opt_out"):
            return [simple_body(found.user_id, "suppress")]
        case Change():
            return [simple_body(found.user_id, "suppress"), simple_body(found.user_id, "delete")]
