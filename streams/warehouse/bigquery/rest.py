"""What BigQuery's REST API is asked, within bounds, and what its errors mean."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Final

from google.api_core.exceptions import (
    BadRequest,
    Forbidden,
    GoogleAPICallError,
    NotFound,
    RetryError,
    Unauthorized,
)
from google.auth.exceptions import GoogleAuthError
from google.cloud.bigquery import DEFAULT_RETRY, Client, QueryJobConfig, ScalarQueryParameter
from google.cloud.bigquery.retry import DEFAULT_JOB_RETRY
from google.cloud.bigquery.table import RowIterator
from requests.exceptions import RequestException

from schemas.errors import ConfigError, StreamsError, UnavailableError

REQUEST_S: Final = 20.0
RETRY: Final = DEFAULT_RETRY.with_timeout(20.0)
JOB_RETRY: Final = DEFAULT_JOB_RETRY.with_timeout(40.0)
QUERY_S: Final = 60.0

ROLES: Final = "give it roles/bigquery.dataEditor on the dataset and roles/bigquery.jobUser on the project"
_PASSING: Final = frozenset({"resourcesExceeded", "resourceInUse", "tableUnavailable"})
"""Of refusals that look as if they were for ever."""

_USED_UP: Final = frozenset({"quotaExceeded", "rateLimitExceeded", "jobRateLimitExceeded"})


@contextmanager
def asking(what: str) -> Iterator[None]:
    """Turn its errors into ours; `what` is asked about.

    Raises:
        ConfigError: it is refused, or not there.
        UnavailableError: it does not answer, or a quota is used up.
    """
    try:
        yield
    except TimeoutError as error:  # a query that goes on; its client has tried to cancel it
        raise UnavailableError(f"BigQuery does not answer about {what} in time") from error
    except (GoogleAPICallError, RetryError, GoogleAuthError, RequestException) as error:
        raise meaning(error, what) from error


def meaning(error: Exception, what: str) -> StreamsError:
    """Say what an error of the client means."""
    cause = error.cause if isinstance(error, RetryError) and error.cause is not None else error
    refusal = _refusal(cause, what)
    if refusal is not None:
        return ConfigError(refusal)
    if not isinstance(cause, GoogleAPICallError):
        return UnavailableError(f"BigQuery cannot be reached ({type(cause).__name__})")
    if _reason(cause) in _USED_UP:
        return UnavailableError(f"BigQuery: a quota is used up for {what} ({_reason(cause)})")
    return UnavailableError(f"BigQuery does not answer about {what} ({type(cause).__name__})")


def _refusal(cause: Exception, what: str) -> str | None:
    """What somebody has to do; None where it may pass by itself."""
    match cause:
        case Forbidden() | Unauthorized() if _reason(cause) not in _USED_UP:
            return f"BigQuery refuses the account for {what}: {ROLES}"
        case NotFound():
            return f"BigQuery has not all of the {what}: make the dataset, or set another WAREHOUSE"
        case BadRequest() if _reason(cause) not in _PASSING:
            return f"BigQuery cannot do that with {what}: {_first_line(cause)}"
        case GoogleAuthError() if not cause.retryable:
            return f"BigQuery's credentials cannot be used ({type(cause).__name__}): renew them"
    return None


def query(
    client: Client, sql: str, parameters: Sequence[ScalarQueryParameter] = (), *, wait_s: float | None = None
) -> RowIterator:
    """Ask, never from a cache: what was appended a moment ago counts."""
    config = QueryJobConfig(use_query_cache=False, query_parameters=list(parameters))
    return client.query_and_wait(
        sql,
        job_config=config,
        api_timeout=REQUEST_S,
        wait_timeout=QUERY_S if wait_s is None else wait_s,
        retry=RETRY,
        job_retry=JOB_RETRY,
    )


def _reason(error: GoogleAPICallError) -> str:
    return next((str(each["reason"]) for each in error.errors if isinstance(each, dict) and "reason" in each), "")


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0]
