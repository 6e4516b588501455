"""Whether a draft may be said: the worker's own translation, so that what is refused later is refused now."""

from agents.translations import TRANSLATIONS
from schemas.errors import InvalidInputError
from schemas.translated import Unsendable
from streams.messaging.drafts import Draft


def check(draft: Draft) -> None:
    """Pass what a worker would send.

    Raises:
        InvalidInputError: what it would make a dead letter of, `malformed` or `too_large`.
    """
    found = TRANSLATIONS[draft.topic](draft)
    if isinstance(found, Unsendable):
        raise InvalidInputError(found.detail)
