"""Which of our own processes `up` runs, and how they are told of one another."""

from pathlib import Path

from streams.settings import Settings, load_settings
from streams.up.parts import Part, parts_on_kafka, sandbox_parts
from streams.up.plan import Addresses, Plan

FOLDER = Path("/folder")
STOP_S_MAX = 9.0
"""Of the ten seconds that `up` has; what is killed at its end takes some of them too."""

STAND_INS = Plan(is_kafka_local=True, is_customerio_sandbox=True)
REAL = Plan(is_kafka_local=False, is_customerio_sandbox=False, has_receiver=False)
ADDRESSES = Addresses(
    bootstrap="127.0.0.1:9093",
    http_port=8180,
    warehouse_port=8183,
    sandbox_url="http://127.0.0.1:8181",
    webhook_port=8182,
)
ADDRESSES_OF_REAL = Addresses(
    bootstrap="kafka:9092", http_port=8180, warehouse_port=8183, sandbox_url=None, webhook_port=None
)


def all_parts(settings: Settings, *, plan: Plan = STAND_INS, addresses: Addresses = ADDRESSES) -> dict[str, Part]:
    """Give every part by its name, in the order of their start."""
    parts = [
        *sandbox_parts(settings, addresses=addresses),
        *parts_on_kafka(settings, plan=plan, addresses=addresses, folder=FOLDER),
    ]
    return {part.name: part for part in parts}


def settings_of(part: Part) -> Settings:
    """Give what a part makes of its variables."""
    return load_settings(dict(part.variables))


def test_everything_is_there_with_stand_ins() -> None:
    """Each part says where it is ready."""
    assert {name: part.ready_url for name, part in all_parts(Settings()).items()} == {
        "sandbox": "http://127.0.0.1:8181/sandbox/state",
        "worker": "http://127.0.0.1:8180/readyz",
        "receiver": "http://127.0.0.1:8182/readyz",
        "loader": "http://127.0.0.1:8183/readyz",
    }


def test_the_real_customerio_has_neither_sandbox_nor_a_receiver_without_a_key() -> None:
    """The rest is there."""
    assert list(all_parts(Settings(), plan=REAL, addresses=ADDRESSES_OF_REAL)) == ["worker", "loader"]


def test_the_sandbox_reports_to_the_receiver_with_its_key() -> None:
    """Neither has to be told by a person."""
    parts = all_parts(Settings())
    sandbox, receiver = parts["sandbox"], parts["receiver"]
    at = list(sandbox.arguments).index("--webhook-url")

    assert sandbox.arguments[at + 1] == "http://127.0.0.1:8182/webhooks/customerio"
    assert settings_of(receiver).webhook_port == 8182
    assert settings_of(sandbox).customerio_webhook_signing_key is not None
    assert settings_of(sandbox).customerio_webhook_signing_key == settings_of(receiver).customerio_webhook_signing_key


def test_a_key_that_is_set_stays_where_it_is() -> None:
    """It is in the environment of both, and in no command line."""
    settings = Settings.model_validate({"customerio_webhook_signing_key": "secret"})
    parts = all_parts(settings)

    assert "secret" not in str(parts)
    assert all("CUSTOMERIO_WEBHOOK_SIGNING_KEY" not in part.variables for part in parts.values())


def test_all_use_the_local_kafka() -> None:
    """Whichever port it has got."""
    parts = all_parts(Settings())

    assert {settings_of(parts[name]).bootstrap for name in ("worker", "receiver", "loader")} == {"127.0.0.1:9093"}


def test_the_warehouse_goes_with_its_kafka_unless_it_is_ones_own() -> None:
    """The offsets of a Kafka that is gone mean nothing to the next one."""
    mine = Settings.model_validate({"warehouse": "duckdb:mine.duckdb"})
    of_ones_own = all_parts(Settings(), plan=REAL, addresses=ADDRESSES_OF_REAL)

    assert settings_of(all_parts(Settings())["loader"]).warehouse == "duckdb:/folder/warehouse.duckdb"
    assert settings_of(all_parts(mine)["loader"]).warehouse == "duckdb:mine.duckdb"
    assert settings_of(of_ones_own["loader"]).warehouse == Settings().warehouse


def test_all_can_be_ended_in_time() -> None:
    """Also when none of them does it by itself."""
    assert sum(part.stop_s for part in all_parts(Settings()).values()) <= STOP_S_MAX
