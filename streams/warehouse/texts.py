"""What of a text may lie in a warehouse, which is read by many for a long time: no addresses, as far as they look so.

A link's query and fragment go wholly: whatever marks a person there has no look of its own.
"""

import re
from typing import Final

from streams.dead_letters.masking import Json, without_contacts

_LINK: Final = re.compile(r"((?:https?:)?//[^\s?#\"'<>]{1,4000})[?#][^\s\"'<>]*", re.IGNORECASE)
_AT: Final = re.compile(r"%40", re.ASCII)


def kept(text: str) -> str:
    """The text, its addresses masked, and its links without what follows their path."""
    return without_contacts(_AT.sub("@", _LINK.sub(r"\1", text)))


def kept_link(link: str) -> str:
    """The same of what is a link, of whatever form."""
    return kept(re.split(r"[?#]", link, maxsplit=1)[0])


def kept_tree(tree: Json) -> Json:
    """The same of every text and name in JSON."""
    if isinstance(tree, dict):
        return {kept(name): kept_tree(value) for name, value in tree.items()}
    if isinstance(tree, list):
        return [kept_tree(value) for value in tree]
    return kept(tree) if isinstance(tree, str) else tree
