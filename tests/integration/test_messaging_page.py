"""Every Python example of MESSAGING.md runs as it stands, on a real Kafka and against a sandbox."""

import re
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from streams.sandbox.options import SandboxOptions
from streams.sandbox.serve import running_sandbox
from streams.settings import Settings
from tests.conftest import SettingsFactory

PAGE = Path(__file__).parents[2] / "MESSAGING.md"
BLOCKS = re.findall(r"^```python\n(.*?)^```$", PAGE.read_text(), re.DOTALL | re.MULTILINE)


@pytest.fixture(scope="module")
def sandbox() -> Iterator[str]:
    """Give a Customer.io for all examples."""
    with running_sandbox(SandboxOptions(keep_log=True)) as url:
        yield url


@pytest.fixture
def environment(settings_factory: SettingsFactory, sandbox: str, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """Set what an application's environment has."""
    settings = settings_factory(topic_partitions=1)
    monkeypatch.setenv("KAFKA_BOOTSTRAP_SERVERS", settings.bootstrap)
    monkeypatch.setenv("TOPIC_PREFIX", settings.topic_prefix)
    monkeypatch.setenv("CUSTOMERIO_SITE_ID", "site")
    monkeypatch.setenv("CUSTOMERIO_TRACK_API_KEY", "track-key")
    monkeypatch.setenv("CUSTOMERIO_APP_API_KEY", "app-key")
    monkeypatch.setenv("CUSTOMERIO_TRACK_URL", sandbox)
    monkeypatch.setenv("CUSTOMERIO_APP_URL", sandbox)
    return settings


def test_the_page_has_examples() -> None:
    """Of every path."""
    text = "".join(BLOCKS)

    assert [name for name in ("QueuedMessaging(", "MessagingService(", "sync_user(") if name not in text] == []


@pytest.mark.usefixtures("environment")
@pytest.mark.parametrize("number", range(len(BLOCKS)))
def test_an_example_runs(number: int) -> None:
    """To its end, with the names that it imports itself."""
    run(BLOCKS[number])


@pytest.mark.usefixtures("environment")
def test_the_direct_example_arrives(sandbox: str) -> None:
    """As its text says."""
    (direct,) = [block for block in BLOCKS if "delivery_id" in block]
    run(direct)
    person = httpx.get(f"{sandbox}/sandbox/people/u-1").json()

    assert person["attributes"]["email"] == "ada@example.com"


def run(block: str) -> None:
    """As a program of its own."""
    exec(compile(block, PAGE.name, "exec"), {"__name__": "__main__"})  # noqa: S102 - our own page
