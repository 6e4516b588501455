"""What `up` starts, and with which variables its worker runs."""

import pytest

from streams.settings import Settings, SettingsError, load_settings
from streams.up.plan import Addresses, Plan, kafka_settings, make_plan, variables_for, with_variables

STAND_INS = Plan(is_kafka_local=True, is_customerio_sandbox=True)
REAL = Plan(is_kafka_local=False, is_customerio_sandbox=False, has_receiver=False)
ADDRESSES = Addresses(
    bootstrap="127.0.0.1:9093",
    http_port=8084,
    warehouse_port=8083,
    sandbox_url="http://127.0.0.1:8081",
    webhook_port=8082,
)
ADDRESSES_OF_REAL = Addresses(
    bootstrap="kafka:9092", http_port=8080, warehouse_port=8083, sandbox_url=None, webhook_port=None
)
SIGNING_KEY = {"CUSTOMERIO_WEBHOOK_SIGNING_KEY": "w"}
CREDENTIALS = {"CUSTOMERIO_SITE_ID": "s", "CUSTOMERIO_TRACK_API_KEY": "k"}


def test_nothing_set_means_stand_ins_and_sample_traffic() -> None:
    """A fresh checkout shows something without any account."""
    plan = make_plan(Settings())

    assert plan == STAND_INS
    assert plan.has_sample_traffic


@pytest.mark.parametrize(
    ("environ", "plan"),
    [
        ({"KAFKA_BOOTSTRAP_SERVERS": "kafka:9092"}, Plan(is_kafka_local=False, is_customerio_sandbox=True)),
        (CREDENTIALS, Plan(is_kafka_local=True, is_customerio_sandbox=False, has_receiver=False)),
        ({**CREDENTIALS, **SIGNING_KEY}, Plan(is_kafka_local=True, is_customerio_sandbox=False)),
        ({**CREDENTIALS, "KAFKA_BOOTSTRAP_SERVERS": "kafka:9092"}, REAL),
    ],
)
def test_what_is_real_gets_no_sample_traffic(environ: dict[str, str], plan: Plan) -> None:
    """One real part is enough: invented people reach neither a cluster nor an account."""
    assert make_plan(load_settings(environ)) == plan
    assert not plan.has_sample_traffic


@pytest.mark.parametrize(
    "environ",
    [
        {"CUSTOMERIO_SITE_ID": "s"},
        {"CUSTOMERIO_TRACK_API_KEY": "k"},
        {"CUSTOMERIO_APP_API_KEY": "k"},
        {"CUSTOMERIO_TRACK_URL": "http://127.0.0.1:1"},
        {"CUSTOMERIO_APP_URL": "http://127.0.0.1:1"},
    ],
)
def test_half_of_what_the_real_one_needs_is_a_fault(environ: dict[str, str]) -> None:
    """Whoever sets one means the real Customer.io; the sandbox instead would be a silent mistake."""
    with pytest.raises(SettingsError, match="is missing"):
        make_plan(load_settings(environ))


def test_the_worker_is_pointed_at_the_stand_ins() -> None:
    """Kafka, the Track API and the App API: nothing of it leaves the machine."""
    variables = variables_for(Settings(), plan=STAND_INS, addresses=ADDRESSES)

    settings = load_settings(dict(variables))
    assert settings.bootstrap == ADDRESSES.bootstrap
    assert settings.track_url == settings.app_url == ADDRESSES.sandbox_url
    assert settings.http_port == ADDRESSES.http_port
    assert settings.customerio_site_id is not None
    assert settings.customerio_track_api_key is not None
    assert settings.customerio_app_api_key is not None


def test_what_is_real_is_left_to_the_environment() -> None:
    """Credentials stay where they are and are not written into a command line."""
    variables = variables_for(Settings(), plan=REAL, addresses=ADDRESSES_OF_REAL)

    assert set(variables) == {"HTTP_PORT", "DRAIN_S", "LOG_FORMAT"}


@pytest.mark.parametrize(("drain_s", "expected"), [(5.0, "1.0"), (0.5, "0.5")])
def test_the_drain_is_short(drain_s: float, expected: str) -> None:
    """Ctrl-C ends all of it within ten seconds, so the worker gets less time than in production."""
    variables = variables_for(Settings(drain_s=drain_s), plan=STAND_INS, addresses=ADDRESSES)

    assert variables["DRAIN_S"] == expected


@pytest.mark.parametrize(("log_format", "expected"), [(None, "console"), ("json", "json")])
def test_the_worker_logs_for_a_person_unless_told_otherwise(log_format: str | None, expected: str) -> None:
    """Its log is a file, but one that a person reads."""
    settings = Settings.model_validate({"log_format": log_format})

    assert variables_for(settings, plan=STAND_INS, addresses=ADDRESSES)["LOG_FORMAT"] == expected


def test_a_variable_from_a_file_does_not_contradict_ours() -> None:
    """`HTTP_PORT` beside `HTTP_PORT_FILE` would be a fault of the settings."""
    assert with_variables(["x"], {"HTTP_PORT": "1"}) == ["env", "-u", "HTTP_PORT_FILE", "HTTP_PORT=1", "x"]


def test_the_local_kafka_is_reached_in_plaintext() -> None:
    """Also where the environment holds the security of a real cluster, whose address is not set."""
    settings = Settings(kafka_security_protocol="SSL")

    reached = kafka_settings(settings, plan=STAND_INS, addresses=ADDRESSES)

    assert (reached.bootstrap, reached.kafka_security_protocol) == (ADDRESSES.bootstrap, "PLAINTEXT")


def test_a_kafka_of_ones_own_is_reached_as_configured() -> None:
    """Nothing about it is changed."""
    settings = Settings(kafka_bootstrap_servers="kafka:9092", kafka_security_protocol="SSL")

    assert kafka_settings(settings, plan=REAL, addresses=ADDRESSES) == settings
