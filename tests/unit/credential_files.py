"""Credentials in files, on a clock that is moved by hand, and a change of one of them."""

from pathlib import Path

from streams.customerio.credentials import LOOK_S, Credentials
from streams.settings import load_settings

SITE, KEY = "CUSTOMERIO_SITE_ID_FILE", "CUSTOMERIO_TRACK_API_KEY_FILE"


class Secrets:
    """Two files with `site-1` and `key-1`, and credentials that came from them and have been looked at."""

    def __init__(self, folder: Path) -> None:
        self.site, self.key = folder / "site", folder / "key"
        self.site.write_text("site-1\n")
        self.key.write_text("key-1\n")
        self.now_s = 0.0
        self.settings = load_settings({SITE: str(self.site), KEY: str(self.key)})
        self.credentials = Credentials(self.settings, clock=lambda: self.now_s)
        self.credentials.current()
        self.later()

    def later(self) -> tuple[str, ...]:
        """What is current when a look is due."""
        self.now_s += LOOK_S
        return self.credentials.current()


def rename_over(path: Path) -> None:
    """As most tools replace a file."""
    beside = path.with_name("new")
    beside.write_text("key-2\n")
    beside.replace(path)
