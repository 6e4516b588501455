"""Says where the parts of `up` are and how to use them; it decides nothing and reaches nothing."""

import shutil
import sys
from collections.abc import Mapping
from pathlib import Path

from streams.settings import LOCAL_BOOTSTRAP, Settings
from streams.up.plan import Addresses, Plan
from streams.up.ports import reachable
from streams.webhooks.receiver import PATH

EXAMPLE = '{"type": "user.upserted", "user": {"id": "u-1", "plan": "pro"}}'


def places_of(settings: Settings, *, plan: Plan, addresses: Addresses, logs: Path, command: str) -> Mapping[str, str]:
    """Give what to open and what to run, by name, in the order to show."""
    worker = worker_url(settings, addresses)
    needs_address = plan.is_kafka_local and addresses.bootstrap != LOCAL_BOOTSTRAP
    variable = f"KAFKA_BOOTSTRAP_SERVERS={addresses.bootstrap} " if needs_address else ""
    sample = "; sample traffic is being published" if plan.has_sample_traffic else ""
    receiver = receiver_url(settings, addresses)
    warehouse = warehouse_of(settings, plan=plan, folder=logs)
    return {
        "Customer.io": _customerio(settings, addresses),
        "Worker": f"{worker}/metrics  {worker}/readyz",
        "Webhooks": f"{receiver}{PATH}" if receiver else "no receiver, CUSTOMERIO_WEBHOOK_SIGNING_KEY starts it",
        "Kafka": f"{addresses.bootstrap} ({'local, gone at the end' if plan.is_kafka_local else 'yours'}){sample}",
        "Publish": f"{variable}{command} publish user-changes FILE.jsonl",
        "Try": f"echo '{EXAMPLE}' | {variable}{command} publish user-changes -",
        "Report": f"{'' if warehouse == settings.warehouse else f'WAREHOUSE={warehouse} '}{command} report",
        "Logs": str(logs),
    }


def worker_url(settings: Settings, addresses: Addresses) -> str:
    """Give the base of the worker's health and metrics."""
    return f"http://{reachable(settings.http_host)}:{addresses.http_port}"


def receiver_url(settings: Settings, addresses: Addresses) -> str | None:
    """Give the base of the webhook receiver, if there is one."""
    port = addresses.webhook_port
    return None if port is None else f"http://{reachable(settings.webhook_host)}:{port}"


def loader_url(settings: Settings, addresses: Addresses) -> str:
    """Give the base of the loader's health and metrics."""
    return f"http://{reachable(settings.http_host)}:{addresses.warehouse_port}"


def warehouse_of(settings: Settings, *, plan: Plan, folder: Path) -> str:
    """Give the warehouse: the one that is set, else a file, which goes with a Kafka that is gone at the end."""
    if plan.is_kafka_local and "warehouse" not in settings.model_fields_set:
        return f"duckdb:{folder / 'warehouse.duckdb'}"
    return settings.warehouse


def own_command() -> str:
    """Give what a person types to run us here: the name alone if the shell finds it, else the path."""
    script = Path(sys.executable).with_name("cio-streams")
    found = shutil.which("cio-streams")
    if found and script.exists() and Path(found).samefile(script):
        return "cio-streams"
    if not script.exists():
        return f"{sys.executable} -m streams"
    return str(script.relative_to(Path.cwd())) if script.is_relative_to(Path.cwd()) else str(script)


def _customerio(settings: Settings, addresses: Addresses) -> str:
    if addresses.sandbox_url is None:
        return f"the real one, {settings.track_url}"
    return f"sandbox, open {addresses.sandbox_url}  (credentials would make it the real one)"
