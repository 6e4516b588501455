"""The one table of what is translated how: by the short name of the input topic, which is the end of the full one."""

from collections.abc import Callable, Mapping
from typing import Final

from agents.steps.translate_change import translate_change
from agents.steps.translate_event import translate_event
from agents.steps.translate_send import translate_message, translate_trigger
from schemas.record import Record
from schemas.translated import Change, Event, Send, Unsendable

SENDS: Final[Mapping[str, Callable[[Record], Send | Unsendable]]] = {
    "transactional-messages": translate_message,
    "broadcast-triggers": translate_trigger,
}
TRANSLATIONS: Final[Mapping[str, Callable[[Record], Change | Event | Send | Unsendable]]] = {
    "user-changes": translate_change,
    "domain-events": translate_event,
    **SENDS,
}
