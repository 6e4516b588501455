"""Says which of our own processes `up` runs, with which options and variables; it starts nothing.

One more is one more function here, and one more line in `parts_on_kafka`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from streams import publishing
from streams.settings import Settings
from streams.up.places import loader_url, receiver_url, warehouse_of, worker_url
from streams.up.plan import STAND_IN, Addresses, Plan, shared_variables, variables_for
from streams.webhooks.receiver import PATH

SAMPLE_TEMPLATES: Final = Path(publishing.__file__).with_name("sample_templates.json")
RESTARTS_MAX: Final = 5
SIGNING_KEY: Final = "CUSTOMERIO_WEBHOOK_SIGNING_KEY"


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """A command of ours, which works once `ready_url` answers 200.

    All `stop_s`, and Kafka's, which is killed because its data goes too, stay below the ten seconds that `up` has; as a
    rule the parts that are started together end together. With `restarts`, one that ends by itself is started again so
    often: it loses nothing, and whoever breaks it shall see that.
    """

    name: str
    arguments: Sequence[str]
    ready_url: str
    stop_s: float
    variables: Mapping[str, str] = field(default_factory=dict)
    restarts: int = 0


def sandbox_parts(settings: Settings, *, addresses: Addresses) -> list[Part]:
    """Give the stand-in for Customer.io, if it is to be one, which reports to our receiver."""
    url = addresses.sandbox_url
    if url is None:
        return []
    port, region = url.rpartition(":")[2], settings.customerio_region
    options = ["--port", port, "--region", region, "--templates", str(SAMPLE_TEMPLATES)]
    receiver = receiver_url(settings, addresses)
    if receiver is not None:
        options += ["--webhook-url", f"{receiver}{PATH}"]
    arguments, ready_url = ["sandbox", *options], f"{url}/sandbox/state"
    return [
        Part(name="sandbox", arguments=arguments, ready_url=ready_url, stop_s=1.0, variables=_signing_key(settings))
    ]


def parts_on_kafka(settings: Settings, *, plan: Plan, addresses: Addresses, folder: Path) -> list[Part]:
    """Give what is started when Kafka and its topics are there; `folder` goes at the end."""
    parts = [
        worker_part(settings, plan=plan, addresses=addresses),
        receiver_part(settings, plan=plan, addresses=addresses),
        loader_part(settings, plan=plan, addresses=addresses, folder=folder),
    ]
    return [part for part in parts if part is not None]


def worker_part(settings: Settings, *, plan: Plan, addresses: Addresses) -> Part:
    """Give the worker."""
    return Part(
        name="worker",
        arguments=["worker"],
        ready_url=f"{worker_url(settings, addresses)}/readyz",
        stop_s=4.0,
        variables=variables_for(settings, plan=plan, addresses=addresses),
    )


def receiver_part(settings: Settings, *, plan: Plan, addresses: Addresses) -> Part | None:
    """Give the receiver of webhooks; the real Customer.io's need a signing key."""
    url = receiver_url(settings, addresses)
    if url is None:
        return None
    return Part(
        name="receiver",
        arguments=["webhooks"],
        ready_url=f"{url}/readyz",
        stop_s=1.0,
        restarts=RESTARTS_MAX,
        variables={
            **shared_variables(settings, plan=plan, addresses=addresses),
            **_signing_key(settings),
            "WEBHOOK_PORT": str(addresses.webhook_port),
        },
    )


def loader_part(settings: Settings, *, plan: Plan, addresses: Addresses, folder: Path) -> Part:
    """Give the warehouse's loader; what comes from a Kafka that is gone at the end is gone then too."""
    variables = {
        **shared_variables(settings, plan=plan, addresses=addresses),
        "WAREHOUSE_PORT": str(addresses.warehouse_port),
        "WAREHOUSE": warehouse_of(settings, plan=plan, folder=folder),
    }
    return Part(
        name="loader",
        arguments=["warehouse"],
        ready_url=f"{loader_url(settings, addresses)}/readyz",
        stop_s=1.5,
        restarts=RESTARTS_MAX,
        variables=variables,
    )


def _signing_key(settings: Settings) -> Mapping[str, str]:
    # One that is set stays where it is, and is not written into a command line.
    return {SIGNING_KEY: STAND_IN} if settings.customerio_webhook_signing_key is None else {}
