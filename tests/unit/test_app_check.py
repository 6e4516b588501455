"""What `check` says of the App API's key."""

import pytest
from pydantic import SecretStr

from schemas.answer import Answer, NoAnswer
from streams.customerio.app_check import app_fault, ask_app
from streams.sandbox.options import SandboxOptions
from streams.sandbox.serve import running_sandbox
from streams.settings import Settings

SETTINGS = Settings(customerio_app_url="https://api.example.com")


@pytest.mark.parametrize(
    ("answer", "fault"),
    [
        (Answer(200, b"{}"), None),
        (Answer(403, b""), None),
        (NoAnswer("ConnectError"), "Customer.io at https://api.example.com cannot be reached (ConnectError)"),
        (Answer(401, b""), "Customer.io at https://api.example.com refuses CUSTOMERIO_APP_API_KEY (401)"),
        (
            Answer(302, b""),
            "Customer.io at https://api.example.com answers with status 302: is this the right URL and region?",
        ),
    ],
)
def test_what_is_wrong_is_said_in_one_line(answer: Answer | NoAnswer, fault: str | None) -> None:
    """With the setting to change."""
    assert app_fault(answer, SETTINGS) == fault


@pytest.mark.parametrize(("key", "is_refused"), [("right", False), ("wrong", True)])
async def test_the_key_is_tried(key: str, *, is_refused: bool) -> None:
    """On the API itself."""
    with running_sandbox(SandboxOptions(app_api_key="right")) as url:
        settings = Settings(customerio_app_url=url, customerio_app_api_key=SecretStr(key))
        fault = app_fault(await ask_app(settings), settings)

    assert (fault is not None) is is_refused
