"""`cio-streams sandbox`: only the Customer.io sandbox, in the foreground. Reads options, starts it, decides nothing."""

from collections.abc import Mapping, Sequence
from dataclasses import fields
from pathlib import Path
from typing import Annotated, Any, Final, Literal

import orjson
import typer

from schemas.failure_model import SANDBOX_FAULTS
from streams.sandbox.faults import Faults
from streams.sandbox.options import HOST, KEEP_ALIVE_S, PORT, SandboxOptions
from streams.sandbox.switch import Switch
from streams.sandbox.webhook_options import WebhookOptions

PANELS: Final = {
    "account": "Account (while it runs: PUT /sandbox/account)",
    "aim": "Which requests go wrong (while it runs: PUT /sandbox/faults)",
    "fault": "How they go wrong (the same)",
    "limit": "Limits of the server (the same)",
    "webhooks": "Webhooks (while it runs: PUT /sandbox/webhooks)",
    "behaviour": "What Customer.io leaves undocumented",
}
FAULTS: Final = {
    "fault_rate": "rate",
    "fault_kind": "kinds",
    "fault_path": "paths",
    "fault_containing": "containing",
    "fault_count": "count",
    **{
        name: name
        for name in (
            "seed",
            "latency_ms",
            "hang_s",
            "slow_s",
            "retry_after_s",
            "retry_after_as_date",
            "rate_limit_per_s",
            "soft_limit_per_s",
            "daily_quota",
            "app_limit_per_s",
            "send_limit_per_s",
            "broadcast_every_s",
        )
    },
}
"""Each option's name among the faults, whose own defaults hold where it is not given."""

OPTIONS: Final = ("region", "account_region", "site_id", "track_api_key", "app_api_key", "keep_alive_s", "keep_log")
NOT_BEHAVIOURS: Final = {"faults", "templates", "webhooks", *OPTIONS}
BEHAVIOURS: Final = ", ".join(each.name for each in fields(SandboxOptions) if each.name not in NOT_BEHAVIOURS)
CHANCES: Final = ", ".join(each.name for each in fields(WebhookOptions) if each.name not in {"url", "signing_key"})
FILE: Final = {"exists": True, "dir_okay": False}
Region = Literal["us", "eu"]


def _option(panel: str | None, text: str, *names: str, **more: Any) -> Any:  # noqa: ANN401 - typer's own
    return typer.Option(*names, help=text, rich_help_panel=PANELS[panel] if panel else None, **more)


def sandbox(  # noqa: PLR0913 - one parameter per option of the command line
    *,
    host: Annotated[str, _option(None, "Address to listen on.")] = HOST,
    port: Annotated[int, _option(None, "Port to listen on; 0 takes a free one.", min=0, max=65535)] = PORT,
    keep_alive_s: Annotated[int, _option(None, "An idle connection is closed after so long.", min=0)] = KEEP_ALIVE_S,
    keep_log: Annotated[bool, _option(None, "Keep every operation for GET /sandbox/log.", "--keep-log")] = False,
    region: Annotated[Region, _option("account", "Region of this host.")] = "us",
    account_region: Annotated[Region | None, _option("account", "Region of the account, if another.")] = None,
    site_id: Annotated[str | None, _option("account", "Accept this site id only; any by default.")] = None,
    track_api_key: Annotated[str | None, _option("account", "Accept this Track API key only.")] = None,
    app_api_key: Annotated[str | None, _option("account", "Accept this App API key only; any by default.")] = None,
    templates: Annotated[Path | None, _option("account", "JSON file as for PUT /sandbox/templates.", **FILE)] = None,
    fault_rate: Annotated[float, _option("aim", "Share of the requests that go wrong, 0 to 1.")] = 0.0,
    fault_path: Annotated[list[str] | None, _option("aim", "Only paths that start so; may be repeated.")] = None,
    fault_containing: Annotated[str | None, _option("aim", "Only bodies that contain this text.")] = None,
    fault_count: Annotated[int | None, _option("aim", "Only so many; then all is well.")] = None,
    seed: Annotated[int, _option("aim", "The same seed draws the same faults.")] = 1,
    fault_kind: Annotated[list[str] | None, _option("fault", f"May be repeated: {', '.join(SANDBOX_FAULTS)}.")] = None,
    latency_ms: Annotated[float, _option("fault", "Delay of every answer, in milliseconds.")] = 0.0,
    hang_s: Annotated[float, _option("fault", "How long a hanging request hangs, in seconds.")] = 12.0,
    slow_s: Annotated[float, _option("fault", "How long a slow answer, or its body, takes, in seconds.")] = 1.0,
    retry_after_s: Annotated[int | None, _option("fault", "The Retry-After of a 429 or 503; none by default.")] = None,
    retry_after_as_date: Annotated[bool, _option("fault", "As an HTTP date.", "--retry-after-as-date")] = False,
    rate_limit_per_s: Annotated[int | None, _option("limit", "What exceeds it is a 429.")] = None,
    soft_limit_per_s: Annotated[int | None, _option("limit", "What exceeds it is a 200, and dropped.")] = None,
    daily_quota: Annotated[int | None, _option("limit", "What exceeds it is a 429 without Retry-After.")] = None,
    app_limit_per_s: Annotated[int, _option("limit", "App API calls that send nothing; 0: no limit.")] = 10,
    send_limit_per_s: Annotated[int | None, _option("limit", "Sends; what exceeds it is a 429.")] = None,
    broadcast_every_s: Annotated[float, _option("limit", "One trigger in so long; 0: no limit.")] = 10.0,
    webhook_url: Annotated[
        str | None, _option("webhooks", "Report to this URL, signed with CUSTOMERIO_WEBHOOK_SIGNING_KEY.")
    ] = None,
    webhook: Annotated[list[str] | None, _option("webhooks", f"NAME=VALUE, repeated: {CHANCES}.")] = None,
    behaviour: Annotated[list[str] | None, _option("behaviour", f"NAME=VALUE, repeated: {BEHAVIOURS}.")] = None,
) -> None:
    """Run a stand-in for Customer.io's Track API and App API until Ctrl-C; open its address to see what arrived."""
    from streams.sandbox.serve import serve  # noqa: PLC0415 - the web server takes a while to import

    serve(host=host, port=port, options=_options(locals(), behaviour or []))


def _options(given: Mapping[str, object], behaviour: Sequence[str]) -> SandboxOptions:
    options = Switch(SandboxOptions(faults=_faults(given), webhooks=_webhooks(given)))
    told = {} if given["templates"] is None else {"templates": _templates(given["templates"])}
    options.change({name: given[name] for name in OPTIONS} | told | dict(map(_pair, behaviour)))
    return options.value


def _faults(given: Mapping[str, object]) -> Faults:
    faults = Switch(Faults())
    faults.change({field: given[name] for name, field in FAULTS.items() if given[name] not in (None, [])})
    return faults.value


def _webhooks(given: Mapping[str, Any]) -> WebhookOptions:
    options = Switch(WebhookOptions())
    options.change(dict(map(_pair, given["webhook"] or [])))
    if given["webhook_url"] is not None:
        from streams.settings import SettingsError, load_settings  # noqa: PLC0415 - only this option needs the environment

        key = load_settings().customerio_webhook_signing_key
        if key is None:
            raise SettingsError("CUSTOMERIO_WEBHOOK_SIGNING_KEY: is missing, expected because of --webhook-url")
        options.change({"url": given["webhook_url"], "signing_key": key.get_secret_value().split()[0]})
    return options.value


def _templates(file: object) -> object:
    try:
        return orjson.loads(Path(str(file)).read_bytes())
    except (OSError, orjson.JSONDecodeError):
        raise typer.BadParameter("is no file with JSON", param_hint="--templates") from None


def _pair(text: str) -> tuple[str, object]:
    name, _, value = text.partition("=")
    try:
        return name, orjson.loads(value)
    except orjson.JSONDecodeError:
        return name, value
