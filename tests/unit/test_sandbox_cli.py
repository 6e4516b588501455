"""The options of `cio-streams sandbox`."""

import socket
from dataclasses import fields
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner, Result

from schemas.errors import ConfigError, UnavailableError
from streams.cli.sandbox import FAULTS, sandbox
from streams.sandbox.faults import Faults
from streams.sandbox.options import SandboxOptions
from streams.sandbox.templates import Template, Templates
from streams.sandbox.webhook_options import WebhookOptions


def run(*arguments: str) -> Result:
    """Run the command alone."""
    app = typer.Typer()
    app.command()(sandbox)
    return CliRunner().invoke(app, arguments)


def options_of(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> SandboxOptions:
    """What the command makes of its arguments."""
    served: list[SandboxOptions] = []

    def fake_serve(*, host: str, port: int, options: SandboxOptions) -> None:
        assert host
        assert port
        served.append(options)

    monkeypatch.setattr("streams.sandbox.serve.serve", fake_serve)
    assert run(*arguments).exit_code == 0
    return served[0]


def test_without_options_nothing_goes_wrong(monkeypatch: pytest.MonkeyPatch) -> None:
    """The defaults are those of the sandbox itself."""
    assert SandboxOptions() == options_of(monkeypatch)


def test_every_fault_has_its_option(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever can be switched over HTTP can be switched at the start."""
    arguments = {
        "fault-rate": "1",
        "fault-kind": "503",
        "fault-path": "/api/v2",
        "fault-containing": "u-1",
        "fault-count": "3",
        "seed": "7",
        "latency-ms": "20",
        "hang-s": "4",
        "slow-s": "2",
        "retry-after-s": "5",
        "rate-limit-per-s": "100",
        "soft-limit-per-s": "90",
        "daily-quota": "1000",
    }
    given = [f"--{name}={value}" for name, value in arguments.items()]
    options = options_of(monkeypatch, *given, "--retry-after-as-date", "--fault-kind=hang", "--fault-path=/api/v1")

    assert {field.name for field in fields(Faults)} == set(FAULTS.values())
    assert options.faults == Faults(
        rate=1,
        kinds=("503", "hang"),
        paths=("/api/v2", "/api/v1"),
        containing="u-1",
        count=3,
        seed=7,
        latency_ms=20,
        hang_s=4,
        slow_s=2,
        retry_after_s=5,
        retry_after_as_date=True,
        rate_limit_per_s=100,
        soft_limit_per_s=90,
        daily_quota=1000,
    )


def test_the_limits_of_the_app_api_have_their_options(monkeypatch: pytest.MonkeyPatch) -> None:
    """Zero lifts the two that there are by default."""
    options = options_of(monkeypatch, "--app-limit-per-s=0", "--send-limit-per-s=80", "--broadcast-every-s=0")

    assert options.faults == Faults(app_limit_per_s=0, send_limit_per_s=80, broadcast_every_s=0)


def test_the_account_has_its_options(monkeypatch: pytest.MonkeyPatch) -> None:
    """Region and credentials, and the region where this host is."""
    arguments = ("--region=eu", "--account-region=us", "--site-id=s", "--track-api-key=k", "--keep-alive-s=5")
    options = options_of(monkeypatch, *arguments, "--app-api-key=a", "--keep-log")

    assert options == SandboxOptions(
        region="eu", account_region="us", site_id="s", track_api_key="k", app_api_key="a", keep_alive_s=5, keep_log=True
    )


def test_templates_are_told_in_a_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Of the form that the sandbox takes while it runs."""
    file = tmp_path / "templates.json"
    file.write_text('{"transactional": [{"id": 3, "subject": "Your receipt"}]}')
    options = options_of(monkeypatch, "--templates", str(file))

    assert options.templates == Templates(transactional=(Template(id=3, subject="Your receipt"),))


@pytest.mark.parametrize(
    ("text", "error"), [("{", SystemExit), ("[]", ConfigError), ('{"transactional": [{"id": "x"}]}', ConfigError)]
)
def test_a_file_without_templates_is_refused(tmp_path: Path, text: str, error: type[BaseException]) -> None:
    """Before it listens; what is no JSON at all is wrong usage."""
    file = tmp_path / "templates.json"
    file.write_text(text)
    result = run("--templates", str(file))

    assert isinstance(result.exception, error)
    assert "templates" in result.output + str(result.exception)


def test_what_is_undocumented_is_chosen_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each such field of the sandbox's options by its own name; faults given beside them stay."""
    pairs = ("event_for_nobody=hold", "refuses_empty_batch=true", "apply_after_s=0.5", "wrong_region_status=308")
    options = options_of(monkeypatch, "--fault-rate=1", *(f"--behaviour={pair}" for pair in pairs))

    assert options == SandboxOptions(
        event_for_nobody="hold",
        refuses_empty_batch=True,
        apply_after_s=0.5,
        wrong_region_status=308,
        faults=Faults(rate=1),
    )


@pytest.mark.parametrize("pair", ["speed=1", "speed", "oversize_status=500", "event_for_nobody=", "keep_log=maybe"])
def test_what_there_is_not_to_choose_is_named(pair: str) -> None:
    """A misspelt name or value stops it before it listens."""
    result = run("--behaviour", pair)

    assert isinstance(result.exception, ConfigError)
    assert pair.partition("=")[0] in str(result.exception)


def test_wrong_faults_stop_it_before_it_listens() -> None:
    """A fault that there is not, or a share above 1, is a fault of the settings, and each is named."""
    result = run("--fault-rate", "2", "--fault-kind", "meteor")

    assert isinstance(result.exception, ConfigError)
    assert "rate" in str(result.exception)
    assert "no such kind of fault: meteor" in str(result.exception)


def test_a_taken_port_is_unavailable() -> None:
    """A port that somebody has is said to be taken."""
    with socket.create_server(("127.0.0.1", 0)) as holder:
        result = run("--port", str(holder.getsockname()[1]), "--fault-kind", "503", "--keep-log")

    assert isinstance(result.exception, UnavailableError)


def test_help_names_every_option() -> None:
    """The help comes from the command itself, and names every kind of fault."""
    output = run("--help").output

    assert "Track API" in output
    assert "--latency-ms" in output
    assert "index_out_of_range" in output


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["--webhook", "opened=1", "--webhook", "signs_anew=false"], WebhookOptions(opened=1, signs_anew=False)),
        ([], WebhookOptions()),
    ],
)
def test_webhooks_are_told_at_the_start(
    monkeypatch: pytest.MonkeyPatch, arguments: list[str], expected: WebhookOptions
) -> None:
    """As over HTTP."""
    assert options_of(monkeypatch, *arguments).webhooks == expected


def test_the_first_of_several_signing_keys_signs(monkeypatch: pytest.MonkeyPatch) -> None:
    """It comes from the environment, as the receiver's do, and never from the command line."""
    monkeypatch.setenv("CUSTOMERIO_WEBHOOK_SIGNING_KEY", "first")
    webhooks = options_of(monkeypatch, "--webhook-url", "http://127.0.0.1:8082/webhooks/customerio").webhooks

    assert webhooks.url == "http://127.0.0.1:8082/webhooks/customerio"
    assert webhooks.signing_key.get_secret_value() == "first"


@pytest.mark.parametrize(
    "arguments", [["--webhook-url", "http://x/"], ["--webhook", "opened=2"], ["--webhook", "shut=1"]]
)
def test_wrong_webhooks_are_refused(monkeypatch: pytest.MonkeyPatch, arguments: list[str]) -> None:
    """A receiver without a key to sign with, a chance that is none, an option that there is not."""
    monkeypatch.delenv("CUSTOMERIO_WEBHOOK_SIGNING_KEY", raising=False)

    assert isinstance(run(*arguments).exception, ConfigError)
