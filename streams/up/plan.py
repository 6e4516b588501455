"""Decides what `up` starts and with which settings its worker runs; it starts nothing."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from streams.settings import Settings, require_track_credentials

DRAIN_S_MAX: Final = 1.0
"""The worker's drain: all of `up` ends within ten seconds, and here nothing is lost that a longer one would save."""

STAND_IN: Final = "sandbox"
"""Whatever a stand-in wants to be told as a credential."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """Which parts are local stand-ins."""

    is_kafka_local: bool
    is_customerio_sandbox: bool
    has_receiver: bool = True
    """Without a key that its webhooks are signed with, the real Customer.io has no use for one."""

    @property
    def has_sample_traffic(self) -> bool:
        """Invented records go nowhere but from a stand-in to a stand-in."""
        return self.is_kafka_local and self.is_customerio_sandbox


@dataclass(frozen=True, slots=True, kw_only=True)
class Addresses:
    """Where the parts listen; None where there is no such part."""

    bootstrap: str
    http_port: int
    warehouse_port: int
    sandbox_url: str | None
    webhook_port: int | None


def make_plan(settings: Settings) -> Plan:
    """Take what is configured, and stand-ins for what is not.

    Raises:
        SettingsError: only some of what the real Customer.io needs is there.
    """
    hints = (
        settings.customerio_site_id,
        settings.customerio_track_api_key,
        settings.customerio_app_api_key,
        settings.customerio_track_url,
        settings.customerio_app_url,
    )
    is_real = any(hint is not None for hint in hints)
    if is_real:
        require_track_credentials(settings)
    has_receiver = not is_real or settings.customerio_webhook_signing_key is not None
    return Plan(
        is_kafka_local=settings.kafka_bootstrap_servers is None,
        is_customerio_sandbox=not is_real,
        has_receiver=has_receiver,
    )


def kafka_settings(settings: Settings, *, plan: Plan, addresses: Addresses) -> Settings:
    """Give the settings with which `up` itself reaches the Kafka that it uses."""
    if not plan.is_kafka_local:
        return settings
    return settings.with_changes(kafka_bootstrap_servers=addresses.bootstrap, kafka_security_protocol="PLAINTEXT")


def shared_variables(settings: Settings, *, plan: Plan, addresses: Addresses) -> Mapping[str, str]:
    """Give the variables that everything gets that works with Kafka."""
    variables: dict[str, str] = {"LOG_FORMAT": settings.log_format or "console"}
    if plan.is_kafka_local:
        variables |= {"KAFKA_BOOTSTRAP_SERVERS": addresses.bootstrap, "KAFKA_SECURITY_PROTOCOL": "PLAINTEXT"}
    return variables


def variables_for(settings: Settings, *, plan: Plan, addresses: Addresses) -> Mapping[str, str]:
    """Give the variables that the worker gets on top of the environment."""
    variables = {
        **shared_variables(settings, plan=plan, addresses=addresses),
        "HTTP_PORT": str(addresses.http_port),
        "DRAIN_S": str(min(settings.drain_s, DRAIN_S_MAX)),
    }
    if addresses.sandbox_url is not None:
        variables |= {
            "CUSTOMERIO_SITE_ID": STAND_IN,
            "CUSTOMERIO_TRACK_API_KEY": STAND_IN,
            "CUSTOMERIO_APP_API_KEY": STAND_IN,
            "CUSTOMERIO_TRACK_URL": addresses.sandbox_url,
            "CUSTOMERIO_APP_URL": addresses.sandbox_url,
        }
    return variables


def with_variables(command: Sequence[str], variables: Mapping[str, str]) -> list[str]:
    """Give the command that runs `command` with these variables, whichever way the environment has set them."""
    unset = [word for name in variables for word in ("-u", f"{name}_FILE")]
    return ["env", *unset, *(f"{name}={value}" for name, value in variables.items()), *command]
