"""Whose workspace a sandbox stands in for: its region and who may call it. Decides whether credentials are right."""

import base64
import binascii
import hmac
from dataclasses import dataclass
from typing import ClassVar, Final, Literal

from pydantic import ConfigDict, SecretStr

Region = Literal["us", "eu"]

TRACK_URLS: Final = {"us": "https://track.customer.io", "eu": "https://track-eu.customer.io"}
REGION_PATH: Final = "/api/v1/accounts/region"
"""This call is answered by the host of either region."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """The part of the options that `PUT /sandbox/account` changes; None accepts any site id, any key.

    A key is revoked by accepting another one only, and restored by accepting it, or any, again. With the account in
    another region than the host, every call but `/api/v1/accounts/region` is answered with `wrong_region_status`: a
    redirect to the right host, as an account of the EU meets at the host of the US, or a plain 401.
    """

    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(extra="forbid")

    region: Region = "us"
    site_id: str | None = None
    track_api_key: SecretStr | None = None
    wrong_region_status: Literal[301, 307, 308, 401] = 301


def is_authorised(authorization: str, account: Account) -> bool:
    """Whether a request with this `Authorization` header is the account's own."""
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
