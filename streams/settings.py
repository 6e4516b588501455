"""Every setting, its type, bounds and default in one place, and the only file that reads `os.environ`.

Nothing here connects to anything: wrong settings stop the process before its first connection.
"""

import os
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Final, Literal, Self

from pydantic import AfterValidator, BeforeValidator, Field, SecretStr, ValidationError, ValidationInfo, field_validator
from pydantic_core import ErrorDetails
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from schemas.errors import ConfigError
from streams.environment import gather

TRACK_CREDENTIALS: Final = ("customerio_site_id", "customerio_track_api_key")
APP_CREDENTIALS: Final = ("customerio_app_api_key",)
LOCAL_BOOTSTRAP: Final = "127.0.0.1:9092"
TOPIC_PREFIX_CHARS_MAX: Final = 225  # Kafka allows 249 for a topic's name, and our longest name has 24
APP_ID_CHARS_MAX: Final = 200
_DAY_S: Final = 86_400
SIGNING_KEYS_MAX: Final = 10
TRACK_URLS: Final = {"us": "https://track.customer.io", "eu": "https://track-eu.customer.io"}
_APP_URLS: Final = {"us": "https://api.customer.io", "eu": "https://api-eu.customer.io"}


class SettingsError(ConfigError):
    """The environment is wrong: one line for every fault. Exit code 2."""


def _servers(value: str) -> str:
    servers = [server.strip() for server in value.split(",")]
    if not all(re.fullmatch(r"(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+):\d{1,5}", server) for server in servers):
        raise ValueError("is malformed, expected host:port, several separated by commas")
    return ",".join(servers)


def _url(value: str) -> str:
    if not re.fullmatch(r"https?://(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+)(:\d{1,5})?(/[A-Za-z0-9._~/-]*)?", value):
        raise ValueError("is malformed, expected http(s)://host[:port][/path] without credentials, query or fragment")
    return value.rstrip("/")


def _kafka_name(value: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9._-]*", value):
        raise ValueError("has a character that Kafka forbids, expected letters, digits, '.', '_' and '-'")
    return value


def _warehouse(value: str) -> str:
    if not re.fullmatch(r"duckdb:[^\0]+|bigquery:[A-Za-z0-9.:_-]+\.[A-Za-z0-9_]+", value):
        raise ValueError("is malformed, expected duckdb:PATH or bigquery:PROJECT.DATASET")
    return value


def _existing(value: Path) -> Path:
    if not os.access(value, os.R_OK):
        raise ValueError("names nothing that can be read, expected the path of a PEM file")
    return value


def _existing_file(value: Path) -> Path:
    if not (value.is_file() and os.access(value, os.R_OK)):
        raise ValueError("names no file that can be read")
    return value


def _token(value: SecretStr) -> SecretStr:
    # A blank in a credential is a copying mistake, and a line break in one would end an HTTP header.
    if not re.fullmatch(r"[!-~]+", value.get_secret_value()):
        raise ValueError("has a blank or an unprintable character, expected the key as Customer.io shows it")
    return value


def _tokens(value: SecretStr) -> SecretStr:
    keys = value.get_secret_value().split()
    if not 1 <= len(keys) <= SIGNING_KEYS_MAX or not all(re.fullmatch(r"[!-~]+", key) for key in keys):
        raise ValueError(
            f"is empty, has an unprintable character or too many keys, expected one to {SIGNING_KEYS_MAX} keys as "
            "Customer.io shows them, separated by blanks or line breaks"
        )
    return value


_Lower = BeforeValidator(lambda value: value.lower() if isinstance(value, str) else value)
_Upper = BeforeValidator(lambda value: value.upper() if isinstance(value, str) else value)
_Url = Annotated[str, AfterValidator(_url)]
_Pem = Annotated[Path, AfterValidator(_existing)]
_Key = Annotated[SecretStr, AfterValidator(_token)]
_Keys = Annotated[SecretStr, AfterValidator(_tokens)]
_Rate = Annotated[float, Field(gt=0, le=100_000, allow_inf_nan=False)]
_Seconds = Annotated[float, Field(gt=0, le=3_600, allow_inf_nan=False)]
_LongSeconds = Annotated[float, Field(ge=1, le=3_650 * _DAY_S, allow_inf_nan=False)]


class Settings(BaseSettings):
    """All settings; `load_settings` reads them from the environment, tests build them directly."""

    model_config = SettingsConfigDict(frozen=True, extra="forbid", validate_default=True, hide_input_in_errors=True)

    kafka_bootstrap_servers: Annotated[str, AfterValidator(_servers)] | None = None
    kafka_security_protocol: Annotated[Literal["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"], _Upper] = "PLAINTEXT"
    kafka_sasl_mechanism: Annotated[Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"], _Upper] | None = None
    kafka_sasl_username: str | None = None
    kafka_sasl_password: SecretStr | None = None
    kafka_ssl_ca_location: _Pem | None = None
    kafka_ssl_certificate_location: _Pem | None = None
    kafka_ssl_key_location: _Pem | None = None
    kafka_ssl_key_password: SecretStr | None = None

    app_id: Annotated[str, Field(min_length=1, max_length=APP_ID_CHARS_MAX), AfterValidator(_kafka_name)] = (
        "customerio-streams"
    )
    topic_prefix: Annotated[str, Field(max_length=TOPIC_PREFIX_CHARS_MAX), AfterValidator(_kafka_name)] = ""
    topic_partitions: Annotated[int, Field(ge=1, le=10_000)] = 12
    topic_replication: Annotated[int, Field(ge=1, le=100)] = 1

    customerio_region: Annotated[Literal["us", "eu"], _Lower] = "us"
    customerio_site_id: _Key | None = None
    customerio_track_api_key: _Key | None = None
    customerio_app_api_key: _Key | None = None
    customerio_webhook_signing_key: _Keys | None = None
    customerio_track_url: _Url | None = None
    customerio_app_url: _Url | None = None

    track_rate_per_s: _Rate = 100.0
    app_rate_per_s: _Rate = 10.0
    send_rate_per_s: _Rate = 100.0
    broadcast_per_s: _Rate = 0.1
    retry_attempts: Annotated[int, Field(ge=1, le=100)] = 3
    retry_backoff_s: Annotated[float, Field(ge=0, le=3_600, allow_inf_nan=False)] = 2.0
    request_timeout_s: _Seconds = 10.0
    drain_s: Annotated[float, Field(ge=0, le=3_600, allow_inf_nan=False)] = 5.0
    stuck_s: Annotated[float, Field(ge=1, le=_DAY_S, allow_inf_nan=False)] = 120.0
    dedupe_window_s: _LongSeconds = 86_400.0
    dedupe_max_entries: Annotated[int, Field(ge=1, le=1_000_000_000)] = 1_000_000
    send_memory_s: _LongSeconds = 2_592_000.0
    send_max_entries: Annotated[int, Field(ge=1, le=1_000_000_000)] = 1_000_000
    send_concurrency: Annotated[int, Field(ge=1, le=100)] = 5
    max_replays: Annotated[int, Field(ge=1, le=1_000)] = 3
    dlq_max_share: Annotated[float, Field(gt=0, le=1, allow_inf_nan=False)] = 0.5

    warehouse: Annotated[str, AfterValidator(_warehouse)] = "duckdb:warehouse.duckdb"
    warehouse_port: Annotated[int, Field(ge=0, le=65_535)] = 8083
    http_host: Annotated[str, Field(min_length=1)] = "127.0.0.1"
    http_port: Annotated[int, Field(ge=0, le=65_535)] = 8080
    dlq_watch_port: Annotated[int, Field(ge=0, le=65_535)] = 8084
    webhook_host: Annotated[str, Field(min_length=1)] = "127.0.0.1"
    webhook_port: Annotated[int, Field(ge=0, le=65_535)] = 8082
    webhook_tolerance_s: _LongSeconds = 300.0
    webhook_body_max_bytes: Annotated[int, Field(ge=1_024, le=16 * 1024 * 1024)] = 1_000_000
    webhook_routes: Annotated[Path, AfterValidator(_existing_file)] | None = None
    trace_sample_ratio: Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)] = 0.0
    log_format: Annotated[Literal["console", "json"], _Lower] | None = None
    log_level: Annotated[Literal["debug", "info", "warning", "error", "critical"], _Lower] = "info"

    files: Mapping[str, Path] = {}
    """No setting of its own: the file of each setting that came from one, by the setting's name."""

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],  # noqa: ARG003 - the signature is pydantic's
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - as above
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - as above
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - as above
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Take arguments only: `load_settings` reads the environment, so that a test's settings are its own."""
        return (init_settings,)

    @field_validator("kafka_sasl_mechanism", "kafka_sasl_username", "kafka_sasl_password")
    @classmethod
    def _sasl_is_whole(cls, value: object, info: ValidationInfo) -> object:
        protocol = info.data.get("kafka_security_protocol", "")
        if value is None and protocol.startswith("SASL"):
            raise ValueError(f"is missing, expected because KAFKA_SECURITY_PROTOCOL is {protocol}")
        return value

    @field_validator("kafka_ssl_key_location")
    @classmethod
    def _key_comes_with_certificate(cls, value: Path | None, info: ValidationInfo) -> Path | None:
        certificate = info.data.get("kafka_ssl_certificate_location", value)
        if (value is None) != (certificate is None):
            raise ValueError("one without the other, expected together with KAFKA_SSL_CERTIFICATE_LOCATION")
        return value

    @property
    def bootstrap(self) -> str:
        """Where Kafka is: the set address, else the local Kafka's."""
        return self.kafka_bootstrap_servers or LOCAL_BOOTSTRAP

    @property
    def track_url(self) -> str:
        """Base of the Track API, without a slash at its end."""
        return self.customerio_track_url or TRACK_URLS[self.customerio_region]

    @property
    def app_url(self) -> str:
        """Base of the App API, without a slash at its end."""
        return self.customerio_app_url or _APP_URLS[self.customerio_region]

    def topic(self, name: str) -> str:
        """Full name of one of our topics."""
        return self.topic_prefix + name

    def masked(self) -> dict[str, str | int | float | None]:
        """All settings for the log at start, secrets as `***`; the paths of files are shown, for `NAME_FILE`."""
        plain = self.model_dump(mode="json", exclude={"files"})
        secrets = [name for name, value in self if isinstance(value, SecretStr)]
        files = {f"{name}_file": str(path) for name, path in self.files.items()}
        return plain | dict.fromkeys(secrets, "***") | files

    def with_changes(self, **changes: object) -> Self:
        """Give the same settings with some changed, checked like the first ones."""
        return type(self).model_validate(dict(self) | changes)


def load_settings(environ: Mapping[str, str] | None = None, *, needs_track: bool = False) -> Settings:
    """Read and check every setting; `needs_track` insists on the Track API's credentials, also with another URL.

    Raises:
        SettingsError: every fault at once, one line each; never a value.
    """
    names = [name for name in Settings.model_fields if name != "files"]
    gathered = gather(names, environ=os.environ if environ is None else environ)
    faults = list(gathered.faults)
    settings = None
    try:
        settings = Settings.model_validate({**gathered.values, "files": gathered.files})
    except ValidationError as error:
        unread = set(gathered.origins) - set(gathered.values)  # these have a line already
        details = error.errors(include_input=False, include_url=False)
        faults.extend(_line(detail, gathered.origins) for detail in details if detail["loc"][0] not in unread)
    if needs_track:
        faults.extend(_missing_track(gathered.origins))
    if faults or settings is None:
        raise SettingsError("\n".join(faults))
    return settings


@dataclass(frozen=True, slots=True, kw_only=True)
class Machine:
    """What the environment says about this machine rather than about us."""

    cache: Path
    java_home: Path | None


def load_machine(environ: Mapping[str, str] | None = None) -> Machine:
    """Say where downloads are kept and where Java is, as the usual variables have it."""
    found = os.environ if environ is None else environ
    caches = Path(found.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    java_home = found.get("JAVA_HOME")
    return Machine(cache=caches / "customerio-streams", java_home=Path(java_home) if java_home else None)


def require_track_credentials(settings: Settings) -> None:
    """Insist on what the Track API needs, for settings that were loaded without.

    Raises:
        SettingsError: a line for each that is missing.
    """
    missing = _missing_track([name for name, value in settings if value is not None])
    if missing:
        raise SettingsError("\n".join(missing))


def _missing_track(given: Collection[str]) -> list[str]:
    return [
        f"{name.upper()}: is missing, expected the Track API's credential"
        for name in TRACK_CREDENTIALS
        if name not in given
    ]


def _line(detail: ErrorDetails, origins: Mapping[str, str]) -> str:
    name = str(detail["loc"][0])
    text = (
        detail["msg"].removeprefix("Value error, ").replace("Input should", "should").replace("String should", "should")
    )
    return f"{origins.get(name, name.upper())}: {text}"
