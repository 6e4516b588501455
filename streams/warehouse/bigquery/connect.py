"""From `PROJECT.DATASET` to the two clients that BigQuery needs: REST for tables and queries, gRPC for rows."""

from dataclasses import dataclass
from typing import Self

from google.auth.exceptions import GoogleAuthError
from google.cloud.bigquery import Client
from google.cloud.bigquery_storage_v1 import BigQueryWriteClient

from schemas.errors import ConfigError


@dataclass(frozen=True, slots=True)
class Dataset:
    """Where the tables are."""

    project: str
    name: str

    @classmethod
    def named(cls, text: str) -> Self:
        """From `PROJECT.DATASET`; a project of a domain has dots too."""
        project, _, name = text.rpartition(".")
        return cls(project, name)

    def __str__(self) -> str:
        return f"{self.project}.{self.name}"

    def table(self, name: str) -> str:
        """A table, as statements and the REST API name it."""
        return f"{self}.{name}"

    def parent(self, table: str) -> str:
        """A table, as the Storage API names it."""
        return f"projects/{self.project}/datasets/{self.name}/tables/{table}"


@dataclass(frozen=True, slots=True)
class Clients:
    """Both clients, and the dataset they are used for."""

    dataset: Dataset
    rest: Client
    write: BigQueryWriteClient

    def close(self) -> None:
        """Close their connections."""
        self.rest.close()  # type: ignore[no-untyped-call]  # untyped in a typed package
        self.write.transport.close()  # type: ignore[no-untyped-call]  # as above


def connect(dataset: Dataset) -> Clients:
    """Use the credentials of the place we run at (`GOOGLE_APPLICATION_CREDENTIALS`, or those of the machine).

    Raises:
        ConfigError: there are none.
    """
    try:
        return Clients(dataset, Client(project=dataset.project), BigQueryWriteClient())  # type: ignore[no-untyped-call]  # as above
    except (GoogleAuthError, OSError) as error:
        raise ConfigError(
            f"WAREHOUSE: no credentials for BigQuery ({_first_line(error)}): set GOOGLE_APPLICATION_CREDENTIALS"
        ) from error


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0]
