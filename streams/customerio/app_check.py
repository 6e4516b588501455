"""Whether Customer.io's App API takes our key, for `check`: asks with a harmless read."""

from http import HTTPStatus

from agents.steps.judge_send import works
from schemas.answer import Answer, NoAnswer
from streams.customerio.app_api import AppClient
from streams.customerio.credentials import Credentials
from streams.settings import APP_CREDENTIALS, Settings


async def ask_app(settings: Settings) -> Answer | NoAnswer:
    """Ask with a client of its own: it takes no lease and waits for no share of the rate."""
    credentials = Credentials(settings, APP_CREDENTIALS)
    client = AppClient(settings.app_url, credentials=credentials, timeout_s=settings.request_timeout_s)
    try:
        return await client.workspaces()
    finally:
        await client.close()


def app_fault(answer: Answer | NoAnswer, settings: Settings) -> str | None:
    """Say in one line what is wrong, None when nothing is."""
    where = f"Customer.io at {settings.app_url}"
    if isinstance(answer, NoAnswer):
        return f"{where} cannot be reached ({answer.cause})"
    if works(answer):
        return None
    if answer.status == HTTPStatus.UNAUTHORIZED:
        return f"{where} refuses CUSTOMERIO_APP_API_KEY ({answer.status})"
    return f"{where} answers with status {answer.status}: is this the right URL and region?"
