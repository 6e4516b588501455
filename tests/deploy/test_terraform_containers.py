"""How Cloud Run counts, starts and watches our processes, and their rights: what needs the provider to be evaluated."""

import re
from collections.abc import Iterator
from typing import Final

from tests.deploy.hcl import MODULE, TERRAFORM, Body, attributes, blocks, nested, of_kind, texts

POOLS: Final = "google_cloud_run_v2_worker_pool.this"
RECEIVER: Final = "google_cloud_run_v2_service.receiver"
KILLED_AFTER_S: Final = 10
ROLES: Final = {
    *("roles/bigquery.dataEditor", "roles/bigquery.jobUser"),
    *("roles/iam.serviceAccountUser", "roles/parametermanager.parameterViewer", "roles/run.developer"),
    *("roles/monitoring.metricWriter", "roles/logging.logWriter"),
    *("roles/run.invoker", "roles/secretmanager.secretAccessor"),
}


def resources() -> dict[str, Body]:
    """What runs our image."""
    named = {".".join(block.labels): block.body for block in blocks(MODULE) if block.kind == "resource"}
    return {name: named[name] for name in (POOLS, RECEIVER)}


def within(body: Body, name: str) -> Iterator[Body]:
    """Every block of this name, however deep."""
    for found, inner in nested(body):
        if found == name:
            yield attributes(inner)
        yield from within(inner, name)


def test_probes_ask_whether_it_lives() -> None:
    """Not whether it is ready: nothing is killed because Kafka is away."""
    asked = [(probe["path"], probe["port"]) for body in resources().values() for probe in within(body, "http_get")]

    assert [("/livez", "${local.port}")] * 4 == asked


def test_only_workers_are_several() -> None:
    """Two loaders would load twice, two watches count twice."""
    [scaling] = within(resources()[POOLS], "scaling")

    assert scaling["manual_instance_count"] == '${each.key == "worker" ? local.workers : 1}'


def test_a_receiver_has_its_processor_between_requests() -> None:
    """Kafka's client works there, and a webhook may wait for it."""
    assert [False] == [each["cpu_idle"] for each in within(resources()[RECEIVER], "resources")]


def test_a_worker_ends_before_it_is_killed() -> None:
    """With as much time again as it drains for, to end its transaction and leave its group."""
    [drain] = re.findall(r'DRAIN_S = "(\d+)"', (MODULE / "processes.tf").read_text())

    assert 0 < 2 * int(drain) < KILLED_AFTER_S


def test_rights_are_these_and_no_others() -> None:
    """Another role must be put here too, and is then seen by who reviews it."""
    found = {
        role for block in blocks(MODULE) for text in texts(block.body) for role in re.findall(r"roles/[\w.]+", text)
    }

    assert found == ROLES


def test_prod_is_protected_from_being_deleted() -> None:
    """A slip must not take its secrets and tables with it."""
    assert of_kind(TERRAFORM / "environments" / "prod", "module")["customerio_streams"]["deletion_protection"] is True
