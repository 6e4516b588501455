"""Whose Customer.io workspace it is and how fast it may be asked: explicit, and checked like a worker's settings."""

from dataclasses import dataclass, field
from typing import Final, Literal, Self

from pydantic import SecretStr

from schemas.errors import ConfigError
from streams.settings import Settings, load_settings

_SETTINGS: Final = {
    "region": "CUSTOMERIO_REGION",
    "site_id": "CUSTOMERIO_SITE_ID",
    "track_api_key": "CUSTOMERIO_TRACK_API_KEY",
    "app_api_key": "CUSTOMERIO_APP_API_KEY",
    "track_url": "CUSTOMERIO_TRACK_URL",
    "app_url": "CUSTOMERIO_APP_URL",
    "track_per_s": "TRACK_RATE_PER_S",
    "send_per_s": "SEND_RATE_PER_S",
    "broadcast_per_s": "BROADCAST_PER_S",
}


_SECRETS: Final = ("site_id", "track_api_key", "app_api_key")


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """A workspace's region and keys, which are never shown; without a key, what needs it is refused.

    The URLs follow from the region; others are for tests.
    """

    region: Literal["us", "eu"] = "us"
    site_id: str | None = field(default=None, repr=False)
    track_api_key: str | None = field(default=None, repr=False)
    app_api_key: str | None = field(default=None, repr=False)
    track_url: str | None = None
    app_url: str | None = None

    @classmethod
    def of(cls, settings: Settings) -> Self:
        """Give the account that settings name: `Account.of(load_settings())` is that of the environment."""
        return cls(
            region=settings.customerio_region,
            site_id=_plain(settings.customerio_site_id),
            track_api_key=_plain(settings.customerio_track_api_key),
            app_api_key=_plain(settings.customerio_app_api_key),
            track_url=settings.customerio_track_url,
            app_url=settings.customerio_app_url,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Rates:
    """Requests per second that this one service may send; without a rate, what counts for it is refused.

    They are no part of the fleet's: take from TRACK_RATE_PER_S and its like of the workers what all services may use.
    """

    track_per_s: float | None = None
    send_per_s: float | None = None
    broadcast_per_s: float | None = None


def settings_of(account: Account, rates: Rates) -> Settings:
    """Check both.

    Raises:
        ConfigError: every fault at once, one line each; never a value.
    """
    blank = [name for name in _SECRETS if (value := getattr(account, name)) is not None and not value.strip()]
    if blank:  # to the settings it would be a key that was not given
        raise ConfigError("\n".join(f"{name}: is empty, expected it as Customer.io shows it" for name in blank))
    given = [*_fields(account, *Account.__slots__), *_fields(rates, *Rates.__slots__)]
    return load_settings({_SETTINGS[name]: str(value) for name, value in given if value is not None})


def require(what: str, **needed: object) -> None:
    """Insist that what an operation needs was given.

    Raises:
        ConfigError: the first that was not.
    """
    missing = next((name for name, value in needed.items() if value is None), None)
    if missing:
        raise ConfigError(f"{missing}: is missing, expected for what is said through the {what} API")


def _fields(holder: object, *names: str) -> list[tuple[str, object]]:
    return [(name, getattr(holder, name)) for name in names]


def _plain(secret: SecretStr | None) -> str | None:
    return None if secret is None else secret.get_secret_value()
