"""What BigQuery's write API may answer, and what it means for the rows."""

from typing import Any

import pytest
from google.cloud.bigquery_storage_v1.types import AppendRowsResponse, RowError
from google.rpc.code_pb2 import Code
from google.rpc.status_pb2 import Status

from streams.warehouse.bigquery.answers import (
    Again,
    BadRows,
    Behind,
    Denied,
    Gone,
    StorageCode,
    Stored,
    Unclear,
    answer_of,
    answer_of_status,
)
from tests.fake_bigquery.write_service import _error, _status


@pytest.mark.parametrize(
    ("code", "storage", "kind"),
    [
        (Code.ALREADY_EXISTS, 0, Stored),
        (Code.ALREADY_EXISTS, StorageCode.OFFSET_ALREADY_EXISTS, Stored),
        (Code.OUT_OF_RANGE, StorageCode.OFFSET_OUT_OF_RANGE, Gone),
        (Code.OUT_OF_RANGE, 0, Gone),
        (Code.INVALID_ARGUMENT, StorageCode.STREAM_FINALIZED, Gone),
        (Code.FAILED_PRECONDITION, StorageCode.STREAM_FINALIZED, Gone),
        (Code.NOT_FOUND, StorageCode.STREAM_NOT_FOUND, Gone),
        (Code.INVALID_ARGUMENT, 0, Unclear),
        (Code.INVALID_ARGUMENT, StorageCode.SCHEMA_MISMATCH_EXTRA_FIELDS, Behind),
        (Code.PERMISSION_DENIED, 0, Denied),
        (Code.UNAUTHENTICATED, 0, Denied),
        (Code.FAILED_PRECONDITION, StorageCode.KMS_PERMISSION_DENIED, Denied),
        (Code.INTERNAL, StorageCode.KMS_SERVICE_ERROR, Again),
        (Code.RESOURCE_EXHAUSTED, 0, Again),
        (Code.UNAVAILABLE, 0, Again),
        (Code.DEADLINE_EXCEEDED, 0, Again),
        (Code.CANCELLED, 0, Again),
        (Code.UNKNOWN, 0, Again),
    ],
)
def test_an_error_says_what_became_of_the_rows(code: int, storage: int, kind: type[Any]) -> None:
    """BigQuery's own code counts first; it is the same as a response and as the end of a call."""
    assert (kind, kind) == (
        type(answer_of(_error(code, storage))),
        type(answer_of_status(_status(code, storage))),
    )


def test_success_says_that_they_are_there() -> None:
    """With what it tells of the table."""
    assert Stored() == answer_of(AppendRowsResponse(append_result={"offset": 3}))


def test_an_answer_that_says_nothing_is_no_success() -> None:
    """It is asked again."""
    assert isinstance(answer_of(AppendRowsResponse()), Again)


def test_rows_that_are_refused_are_named() -> None:
    """None of the request is there."""
    refused = AppendRowsResponse(error=Status(code=Code.INVALID_ARGUMENT), row_errors=[RowError(index=2, code=1)])

    assert BadRows([2]) == answer_of(refused)


def test_what_somebody_reads_never_changes_with_the_stream() -> None:
    """The loader says what it waits for once, and each time that it changes."""
    assert "BigQuery says STREAM_FINALIZED" == getattr(
        answer_of(_error(Code.INVALID_ARGUMENT, StorageCode.STREAM_FINALIZED)), "why", None
    )
