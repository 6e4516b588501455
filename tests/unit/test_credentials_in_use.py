"""Credentials on the wire: which requests carry which, and that neither logs nor objects nor errors show them."""

import base64
import logging
from pathlib import Path

import httpx
import pytest

from schemas.answer import Answer
from streams.logs import configure
from streams.settings import Settings
from tests.builders import track_client
from tests.unit.credential_files import Secrets, rename_over


@pytest.fixture
def secrets(tmp_path: Path) -> Secrets:
    """Give the files and their credentials."""
    return Secrets(tmp_path)


@pytest.fixture
def everything_logged(caplog: pytest.LogCaptureFixture) -> pytest.LogCaptureFixture:
    """Give what any logger writes, ours and the libraries', from debug on."""
    configure(Settings(log_level="debug", log_format="json"))
    logging.getLogger().addHandler(caplog.handler)
    return caplog


async def test_the_next_request_has_the_new_key_and_nothing_shows_either(
    secrets: Secrets, everything_logged: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    """A 401 is enough for it; logs of ours and of the libraries, objects and errors keep the secret."""
    seen: list[str] = []
    errors: list[httpx.ConnectError] = []

    def take(request: httpx.Request) -> httpx.Response:
        seen.append(request.headers["authorization"])
        if len(seen) == 1:
            rename_over(secrets.key)
            return httpx.Response(401)
        errors.append(httpx.ConnectError("no", request=request))
        raise errors[0]

    client = track_client(credentials=secrets.credentials, transport=httpx.MockTransport(take))
    answers = [await client.batch(b"{}"), await client.batch(b"{}")]
    await client.close()
    shown = (
        " ".join(f"{each!r} {each} {vars(each)}" for each in (client, secrets.credentials, client._http, *errors))
        + f"{answers} {secrets.settings!r} {secrets.settings.masked()} {errors[0].request.headers!r}"
    )
    said = everything_logged.text + capsys.readouterr().err

    assert [base64.b64decode(each.removeprefix("Basic ")) for each in seen] == [b"site-1:key-1", b"site-1:key-2"]
    assert answers[0] == Answer(401, b"")
    assert "credential read again" in said
    for secret in ("site-1", "key-1", "key-2", *(each.removeprefix("Basic ") for each in seen)):
        assert secret not in said
        assert secret not in shown


@pytest.mark.parametrize(("status", "is_read"), [(401, True), (403, True), (400, False), (503, False)])
async def test_only_a_refusal_reads_the_files_again(secrets: Secrets, status: int, *, is_read: bool) -> None:
    """Within the second: other answers say nothing about credentials."""

    def answer(_: httpx.Request) -> httpx.Response:
        return httpx.Response(status)

    rename_over(secrets.key)
    client = track_client(credentials=secrets.credentials, transport=httpx.MockTransport(answer))
    await client.entity(b"{}")
    await client.close()

    assert (secrets.credentials.current() == ("site-1", "key-2")) == is_read
