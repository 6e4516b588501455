"""How a detail names a field: its path, shortened and printable, because a publisher chooses names freely."""

NAME_CHARACTERS_MAX = 50
PATH_CHARACTERS_MAX = 200


def field_path(*parts: str | int) -> str:
    """Join the names on the way to a field with dots; no names at all means the whole value."""
    return ".".join(_shown(str(part)) for part in parts)[:PATH_CHARACTERS_MAX] or "value"


def _shown(name: str) -> str:
    return "".join(
        letter if letter.isprintable() else "\N{REPLACEMENT CHARACTER}" for letter in name[:NAME_CHARACTERS_MAX]
    )
