"""Whether a draft may be said: the worker's own translation, so that what is refused later is refused now."""

from collections.abc import Callable, Mapping
from typing import Final

from agents.steps.translate_change import translate_change
from agents.steps.translate_event import translate_event
from agents.steps.translate_send import translate_message, translate_trigger
from schemas.errors import InvalidInputError
from schemas.record import Record
from schemas.translated import Unsendable
from streams.kafka.topic_plan import BROADCAST_TRIGGERS, DOMAIN_EVENTS, TRANSACTIONAL_MESSAGES, USER_CHANGES
from streams.messaging.drafts import Draft

_TRANSLATIONS: Final[Mapping[str, Callable[[Record], object]]] = {
    USER_CHANGES: translate_change,
    DOMAIN_EVENTS: translate_event,
    TRANSACTIONAL_MESSAGES: translate_message,
    BROADCAST_TRIGGERS: translate_trigger,
}


def check(draft: Draft) -> None:
    """Pass what a worker would send.

    Raises:
        InvalidInputError: what it would make a dead letter of, `malformed` or `too_large`.
    """
    found = _TRANSLATIONS[draft.topic](draft)
    if isinstance(found, Unsendable):
        raise InvalidInputError(found.detail)
