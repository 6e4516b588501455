"""Whose workspace a sandbox stands in for: its region and who may call it. Decides whether credentials are right."""

import base64
import binascii
import hmac
from dataclasses import dataclass
from typing import ClassVar, Final, Literal

from pydantic import ConfigDict, SecretStr

from streams.sandbox.message import Channel

Region = Literal["us", "eu"]

APP_PATHS: Final = "/v1/"
"""The paths of the App API, which has a host of its own."""

APP_URLS: Final = {"us": "https://api.customer.io", "eu": "https://api-eu.customer.io"}
TRACK_URLS: Final = {"us": "https://track.customer.io", "eu": "https://track-eu.customer.io"}
ENVIRONMENT_ID: Final = 1
REGION_PATH: Final = "/api/v1/accounts/region"
"""This call is answered by the host of either region."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """The part of the options that `PUT /sandbox/account` changes; None accepts any site id, any key.

    A key is revoked by accepting another one only, and restored by accepting it, or any, again. With the account in
    another region than the host, every call but `/api/v1/accounts/region` is answered with `wrong_region_status`: a
    redirect to the right host, as an account of the EU meets at the host of the US, or a plain 401. Sends over a
    channel among `features_off` are a 403.
    """

    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(extra="forbid")

    region: Region = "us"
    site_id: str | None = None
    track_api_key: SecretStr | None = None
    app_api_key: SecretStr | None = None
    features_off: tuple[Channel, ...] = ()
    wrong_region_status: Literal[301, 307, 308, 401] = 301


def may_call(path: str, authorization: str, account: Account) -> bool:
    """Whether a request with this `Authorization` header is the account's own, and of the API's kind."""
    return (_is_app if path.startswith(APP_PATHS) else _is_track)(authorization, account)


def _is_app(authorization: str, account: Account) -> bool:
    scheme, _, key = authorization.partition(" ")
    expected = None if account.app_api_key is None else account.app_api_key.get_secret_value()
    return scheme.lower() == "bearer" and _matches(key.strip().encode(), expected)


def _is_track(authorization: str, account: Account) -> bool:
    scheme, _, token = authorization.partition(" ")
    if scheme.lower() != "basic":
        return False
    try:
        # Customer.io's Go library sends the URL-safe alphabet, and is accepted.
        pair = base64.b64decode(token.strip().translate({ord("-"): "+", ord("_"): "/"}), validate=True)
    except (binascii.Error, ValueError):
        return False
    site_id, _, key = pair.partition(b":")
    expected_key = None if account.track_api_key is None else account.track_api_key.get_secret_value()
    return _matches(site_id, account.site_id) and _matches(key, expected_key)


def _matches(given: bytes, expected: str | None) -> bool:
    return bool(given) if expected is None else hmac.compare_digest(given, expected.encode())
