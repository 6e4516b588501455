"""What Customer.io's answer to `GET /api/v1/accounts/region` says about our settings: for `check`, start and breaker.

Either region's host answers it, and an account's data must not reach the other region: a worker asks before its work.
"""

from dataclasses import dataclass
from http import HTTPStatus
from typing import Final, Literal
from urllib.parse import urlsplit

import orjson
import structlog

from schemas.answer import Answer, NoAnswer
from streams.customerio.credentials import Credentials
from streams.customerio.track import REFUSALS, TrackClient
from streams.settings import TRACK_CREDENTIALS, TRACK_URLS, Settings, SettingsError

_OTHER: Final = {"us": "eu", "eu": "us"}

log = structlog.get_logger()


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """`line` is for a person; what is "unknown" may pass by itself, what is "wrong" does not."""

    kind: Literal["right", "wrong", "refused", "unknown"]
    line: str


async def ask_region(settings: Settings) -> Answer | NoAnswer:
    """Ask Customer.io with a client of its own: it takes no lease and waits for no share of the rate."""
    client = TrackClient(settings.track_url, credentials=Credentials(settings), timeout_s=settings.request_timeout_s)
    try:
        return await client.region()
    finally:
        await client.close()


async def check_region(settings: Settings) -> None:
    """Refuse the wrong region before anything is read or sent; what cannot be known yet is said, and waited for.

    This is one request for each start of a worker, within `request_timeout_s`, so it stands outside the rate. It comes
    before the worker is in its group, so it cannot ask the group for its lease either: it changes nothing.

    Raises:
        SettingsError: the account is in another region.
    """
    finding = find_region(await ask_region(settings), settings)
    match finding.kind:
        case "wrong":
            raise SettingsError(finding.line)
        case "refused":
            log.error("the worker starts, and waits for credentials", fault=finding.line, advice=_advice(settings))
        case "unknown":
            log.warning("the worker starts, the region is not known yet", fault=finding.line)
        case "right":
            log.info("the region is right", region=settings.customerio_region)


def describe_region(answer: Answer | NoAnswer, settings: Settings) -> str:
    """Say in one line what such an answer means."""
    return find_region(answer, settings).line


def find_region(answer: Answer | NoAnswer, settings: Settings) -> Finding:
    """Judge the answer."""
    where = f"Customer.io at {settings.track_url}"
    if isinstance(answer, NoAnswer):
        return Finding(kind="unknown", line=f"{where} cannot be reached ({answer.cause})")
    if answer.status == HTTPStatus.OK:
        return _told(_region_in(answer.body), settings, where=where)
    if HTTPStatus.MULTIPLE_CHOICES <= answer.status < HTTPStatus.BAD_REQUEST:
        return _redirected(answer.status, settings, where=where)
    if answer.status in REFUSALS:
        line = f"{where} refuses CUSTOMERIO_SITE_ID and CUSTOMERIO_TRACK_API_KEY ({answer.status})"
        return Finding(kind="refused", line=line)
    line = f"{where} answers with status {answer.status}: is this the right URL and region?"
    return Finding(kind="unknown", line=line)


def _region_in(body: bytes) -> str | None:
    try:
        region = orjson.loads(body)["region"]
    except (ValueError, KeyError, TypeError):
        return None
    return region if isinstance(region, str) else None


def _told(region: str | None, settings: Settings, *, where: str) -> Finding:
    ours = settings.customerio_region
    if region is None:
        line = f"{where} does not tell the account's region: is this Customer.io's Track API?"
        return Finding(kind="unknown", line=line)
    if region == _OTHER[ours]:
        line = f"CUSTOMERIO_REGION: is {ours}, but {where} says the account is in {region}, expected {region}"
        return Finding(kind="wrong", line=line)
    if region != ours:
        line = f"CUSTOMERIO_REGION: is {ours}, but {where} says the account is in another one, expected one in {ours}"
        return Finding(kind="wrong", line=line)
    if urlsplit(settings.track_url).hostname == urlsplit(TRACK_URLS[_OTHER[ours]]).hostname:
        line = f"CUSTOMERIO_TRACK_URL: is {settings.track_url}, but the account is in {ours}"
        return Finding(kind="wrong", line=f"{line} as CUSTOMERIO_REGION says, expected {TRACK_URLS[ours]}")
    return Finding(kind="right", line=f"{where} says the account is in {ours}, as CUSTOMERIO_REGION does")


def _redirected(status: int, settings: Settings, *, where: str) -> Finding:
    ours = settings.customerio_region
    line = f"CUSTOMERIO_REGION: is {ours}, but {where} redirects elsewhere ({status}), expected {_OTHER[ours]}"
    url = f", or another CUSTOMERIO_TRACK_URL than {settings.track_url}" if settings.customerio_track_url else ""
    return Finding(kind="wrong", line=line + url)


def _advice(settings: Settings) -> str:
    files = [f"{name.upper()}_FILE" for name in TRACK_CREDENTIALS if name in settings.files]
    return f"{' and '.join(files)}: read again by itself" if files else "set them, and start the worker again"
