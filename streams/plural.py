"""Says how many in plain words: one helper, so that no command tells of `1 records`."""


def so_many(count: int, one: str, several: str | None = None) -> str:
    """`1 letter is`, `2,000 letters are`: with these words; without the second the first gets an `s`."""
    return f"{count:,} {one if count == 1 else several or f'{one}s'}"
