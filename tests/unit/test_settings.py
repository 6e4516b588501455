"""What the settings accept, what they refuse, and that they say so without showing a value."""

import os
from pathlib import Path

import pytest

from schemas.errors import ConfigError
from streams.settings import LOCAL_BOOTSTRAP, Settings, SettingsError, load_settings, require_track_credentials

BAD_VALUES = [
    ("KAFKA_BOOTSTRAP_SERVERS", "kafka"),
    ("KAFKA_BOOTSTRAP_SERVERS", "kafka:9092,"),
    ("KAFKA_BOOTSTRAP_SERVERS", "kafka://kafka:9092"),
    ("KAFKA_SECURITY_PROTOCOL", "TLS"),
    ("KAFKA_SASL_MECHANISM", "GSSAPI"),
    ("KAFKA_SSL_CA_LOCATION", "/nowhere/ca.pem"),
    ("APP_ID", "a b"),
    ("APP_ID", "ä"),
    ("APP_ID", "a" * 201),
    ("TOPIC_PREFIX", "staging/"),
    ("TOPIC_PREFIX", "p" * 226),
    ("TOPIC_PARTITIONS", "0"),
    ("TOPIC_PARTITIONS", "1.5"),
    ("TOPIC_PARTITIONS", "twelve"),
    ("TOPIC_REPLICATION", "-1"),
    ("CUSTOMERIO_REGION", "asia"),
    ("CUSTOMERIO_SITE_ID", "two words"),
    ("CUSTOMERIO_TRACK_API_KEY", "line\nbreak"),
    ("CUSTOMERIO_APP_API_KEY", "schlüssel"),
    ("CUSTOMERIO_WEBHOOK_SIGNING_KEY", " "),
    ("CUSTOMERIO_WEBHOOK_SIGNING_KEY", "k1 schlüssel"),
    ("CUSTOMERIO_WEBHOOK_SIGNING_KEY", "k " * 11),
    ("WEBHOOK_TOLERANCE_S", "0"),
    ("WEBHOOK_PORT", "65536"),
    ("WEBHOOK_BODY_MAX_BYTES", "1"),
    ("WEBHOOK_ROUTES", "/nowhere/routes.yaml"),
    ("CUSTOMERIO_TRACK_URL", "track.customer.io"),
    ("CUSTOMERIO_TRACK_URL", "ftp://track.customer.io"),
    ("CUSTOMERIO_TRACK_URL", "https://user:password@track.customer.io"),
    ("CUSTOMERIO_APP_URL", "https://api.customer.io?x=1"),
    ("TRACK_RATE_PER_S", "0"),
    ("TRACK_RATE_PER_S", "nan"),
    ("APP_RATE_PER_S", "inf"),
    ("SEND_RATE_PER_S", "-1"),
    ("BROADCAST_PER_S", "fast"),
    ("RETRY_ATTEMPTS", "0"),
    ("RETRY_BACKOFF_S", "-0.1"),
    ("REQUEST_TIMEOUT_S", "0"),
    ("DRAIN_S", "-1"),
    ("STUCK_S", "0"),
    ("DEDUPE_WINDOW_S", "0"),
    ("DEDUPE_MAX_ENTRIES", "0"),
    ("SEND_MEMORY_S", "1e99"),
    ("HTTP_PORT", "65536"),
    ("HTTP_PORT", "http"),
    ("LOG_FORMAT", "xml"),
    ("LOG_LEVEL", "loud"),
]


def faults_of(environ: dict[str, str]) -> list[str]:
    """Give the lines of the refusal of this environment."""
    with pytest.raises(SettingsError) as raised:
        load_settings(environ)
    return str(raised.value).splitlines()


def test_an_empty_environment_gives_the_defaults_of_the_contract() -> None:
    """Nothing has to be set."""
    settings = load_settings({})

    assert settings == Settings()
    assert settings.bootstrap == LOCAL_BOOTSTRAP
    assert settings.topic_partitions == 12
    assert settings.app_id == "customerio-streams"


def test_an_empty_variable_counts_as_unset() -> None:
    """`TOPIC_PARTITIONS=` in an env file means the default, not zero."""
    assert load_settings({"TOPIC_PARTITIONS": "", "CUSTOMERIO_SITE_ID_FILE": ""}) == Settings()


@pytest.mark.parametrize(("variable", "value"), BAD_VALUES)
def test_a_bad_value_is_one_line_that_names_its_variable(variable: str, value: str) -> None:
    """Each fault starts with its variable."""
    (line,) = faults_of({variable: value})

    assert line.startswith(f"{variable}: ")


def test_all_faults_come_at_once() -> None:
    """Whoever corrects settings does it in one go: files, types, bounds and misspelt names together."""
    lines = faults_of(
        {
            "RETRY_ATTEMPTS": "0",
            "CUSTOMERIO_REGION": "asia",
            "CUSTOMERIO_SITE_ID_FILE": "/nowhere/site-id",
            "CUSTOMERIO_TRACK_API_KAY": "x",
            "KAFKA_SECURITY_PROTOCOL": "SASL_SSL",
        }
    )

    assert {
        "RETRY_ATTEMPTS",
        "CUSTOMERIO_REGION",
        "CUSTOMERIO_SITE_ID_FILE",
        "CUSTOMERIO_TRACK_API_KAY",
        "KAFKA_SASL_MECHANISM",
        "KAFKA_SASL_USERNAME",
        "KAFKA_SASL_PASSWORD",
    } == {line.partition(":")[0] for line in lines}


def test_no_fault_shows_a_value(tmp_path: Path) -> None:
    """A refused secret stays secret, wherever it came from."""
    (tmp_path / "key").write_text("s3cret in a file\n")
    environ = {
        "CUSTOMERIO_TRACK_API_KEY": "s3cret with blanks",  # pragma: allowlist secret - made up
        "CUSTOMERIO_APP_API_KEY_FILE": str(tmp_path / "key"),
        "RETRY_ATTEMPTS": "s3cret",
        "CUSTOMERIO_REGION": "s3cret",
        "CUSTOMERIO_TRACK_URL": "https://user:s3cret@example.com",  # pragma: allowlist secret - made up
    }

    lines = faults_of(environ)

    assert len(environ) == len(lines)
    assert "s3cret" not in "\n".join(lines)


def test_a_value_and_a_file_of_it_contradict_each_other(tmp_path: Path) -> None:
    """Two sources for one setting are a fault, not a matter of precedence."""
    (tmp_path / "id").write_text("a")

    (line,) = faults_of({"APP_ID": "a", "APP_ID_FILE": str(tmp_path / "id")})

    assert line.startswith("APP_ID: is set, and so is APP_ID_FILE")


@pytest.mark.parametrize("content", [b"", b"\n", b"\xff\xfe", b"x" * 70_000])
def test_a_file_without_a_usable_value_is_a_fault(tmp_path: Path, content: bytes) -> None:
    """Empty, not text, or far too large: the fault names the variable of the file."""
    (tmp_path / "id").write_bytes(content)

    (line,) = faults_of({"APP_ID_FILE": str(tmp_path / "id")})

    assert line.startswith("APP_ID_FILE: ")


def test_a_bad_value_from_a_file_names_the_variable_of_the_file(tmp_path: Path) -> None:
    """The person looks where the value really stands."""
    (tmp_path / "attempts").write_text("many\n")

    (line,) = faults_of({"RETRY_ATTEMPTS_FILE": str(tmp_path / "attempts")})

    assert line.startswith("RETRY_ATTEMPTS_FILE: ")


@pytest.mark.parametrize(
    ("variable", "meant"),
    [
        ("CUSTOMERIO_SIDE_ID", "CUSTOMERIO_SITE_ID"),
        ("CUSTOMERIO_WHATEVER", "CUSTOMERIO_"),
        ("RETRY_ATTEMPT", "RETRY_ATTEMPTS"),
        ("DEDUPE_WINDOW", "DEDUPE_WINDOW_S"),
        ("TOPIC_PARTITION", "TOPIC_PARTITIONS"),
        ("KAFKA_BOOTSTRAP_SERVER", "KAFKA_BOOTSTRAP_SERVERS"),
    ],
)
def test_a_misspelt_variable_is_a_fault_that_names_the_right_one(variable: str, meant: str) -> None:
    """A setting that silently does nothing is worse than a refusal to start."""
    (line,) = faults_of({variable: "x"})

    assert line.startswith(f"{variable}: ")
    assert meant in line


def test_other_programs_variables_are_left_alone() -> None:
    """Kafka's own scripts, proxies and the names that Kubernetes makes for services do no harm."""
    foreign = (
        "KAFKA_HOME",
        "KAFKA_OPTS",
        "KAFKA_HEAP_OPTS",
        "KAFKA_PORT",
        "HTTP_PROXY",
        "HTTPS_PROXY",
        "LOG_DIR",
        "PATH",
    )
    links = ("SERVICE_HOST", "SERVICE_PORT_HTTP", "PORT", "PORT_8080_TCP", "PORT_8080_TCP_ADDR")

    names = [*foreign, *(f"CUSTOMERIO_STREAMS_{link}" for link in links)]

    assert load_settings(dict.fromkeys(names, "x")) == Settings()


def test_a_near_name_of_another_program_is_no_fault_when_ours_is_set() -> None:
    """`KAFKA_BOOTSTRAP_SERVER` beside the right one belongs to somebody else."""
    environ = {"KAFKA_BOOTSTRAP_SERVER": "x", "KAFKA_BOOTSTRAP_SERVERS": "kafka:9092"}

    assert load_settings(environ).bootstrap == "kafka:9092"


@pytest.mark.parametrize(
    ("environ", "track", "app"),
    [
        ({}, "https://track.customer.io", "https://api.customer.io"),
        ({"CUSTOMERIO_REGION": "EU"}, "https://track-eu.customer.io", "https://api-eu.customer.io"),
        ({"CUSTOMERIO_TRACK_URL": "http://127.0.0.1:1/x/"}, "http://127.0.0.1:1/x", "https://api.customer.io"),
        ({"CUSTOMERIO_APP_URL": "http://[::1]:1"}, "https://track.customer.io", "http://[::1]:1"),
    ],
)
def test_the_region_decides_the_hosts_unless_overridden(environ: dict[str, str], track: str, app: str) -> None:
    """Each API can be pointed elsewhere by itself."""
    settings = load_settings(environ)

    assert (track, app) == (settings.track_url, settings.app_url)


def test_choices_ignore_case() -> None:
    """`LOG_LEVEL=INFO` and `sasl_ssl` are what people write."""
    environ = {"LOG_LEVEL": "ERROR", "LOG_FORMAT": "JSON", "KAFKA_SECURITY_PROTOCOL": "ssl"}
    settings = load_settings(environ)

    assert (settings.log_level, settings.log_format, settings.kafka_security_protocol) == ("error", "json", "SSL")


def test_sasl_needs_all_three_of_its_settings() -> None:
    """A mechanism alone gives the two faults that are left."""
    lines = faults_of({"KAFKA_SECURITY_PROTOCOL": "SASL_PLAINTEXT", "KAFKA_SASL_MECHANISM": "plain"})

    assert [line.partition(":")[0] for line in lines] == ["KAFKA_SASL_USERNAME", "KAFKA_SASL_PASSWORD"]


def test_a_client_certificate_and_its_key_come_together(tmp_path: Path) -> None:
    """One of the two alone is a fault, whichever it is."""
    (tmp_path / "pem").write_text("x")
    for variable in ("KAFKA_SSL_CERTIFICATE_LOCATION", "KAFKA_SSL_KEY_LOCATION"):
        (line,) = faults_of({variable: str(tmp_path / "pem")})
        assert line.startswith("KAFKA_SSL_KEY_LOCATION: ")


@pytest.mark.usefixtures("own_environment")
def test_the_environment_of_the_machine_is_read_by_load_settings_only(monkeypatch: pytest.MonkeyPatch) -> None:
    """Settings built directly are what they were given."""
    monkeypatch.setenv("APP_ID", "from-the-machine")

    assert os.environ["APP_ID"] == load_settings().app_id
    assert Settings().app_id == "customerio-streams"


def test_missing_track_credentials_are_named() -> None:
    """Also with the URL overridden: any credentials will do there, none will not."""
    settings = load_settings({"CUSTOMERIO_TRACK_URL": "http://127.0.0.1:1", "CUSTOMERIO_SITE_ID": "s-1"})

    with pytest.raises(ConfigError, match=r"^CUSTOMERIO_TRACK_API_KEY: is missing[^\n]*$"):
        require_track_credentials(settings)


def test_whole_track_credentials_pass() -> None:
    """The App API's key is not needed to deliver people and events."""
    require_track_credentials(load_settings({"CUSTOMERIO_SITE_ID": "s", "CUSTOMERIO_TRACK_API_KEY": "k"}))


def test_missing_credentials_stand_beside_every_other_fault() -> None:
    """One run tells all of it."""
    with pytest.raises(SettingsError) as raised:
        load_settings({"CUSTOMERIO_REGION": "mars", "CUSTOMERIO_SITE_ID": ""}, needs_track=True)

    assert [line.partition(":")[0] for line in str(raised.value).splitlines()] == [
        "CUSTOMERIO_REGION",
        "CUSTOMERIO_SITE_ID",
        "CUSTOMERIO_TRACK_API_KEY",
    ]


def test_changed_settings_are_checked_again() -> None:
    """`with_changes` is no way around a bound."""
    assert Settings(app_id="a").with_changes(topic_prefix="t.").topic("x") == "t.x"
    with pytest.raises(ValueError, match="topic_partitions"):
        Settings().with_changes(topic_partitions=0)
