"""What an answer of BigQuery's write API means for the rows that were sent. Pure.

Its own `StorageError` counts first, then the gRPC code. What is not certain is `Again` or `Gone`, never `Stored`.
"""

from collections.abc import Sequence
from typing import Final, NamedTuple, TypeAlias

from google.cloud.bigquery_storage_v1.types import AppendRowsResponse, RowError, StorageError
from google.rpc.code_pb2 import Code
from google.rpc.status_pb2 import Status

StorageCode: TypeAlias = StorageError.StorageErrorCode


class Stored(NamedTuple):
    """They are there, once."""

    has_new_columns: bool = False


class BadRows(NamedTuple):
    """None of them is there, because of these."""

    indexes: Sequence[int]


class Again(NamedTuple):
    """They may be there or not: the same is to be sent again at the same place of the stream.

    It may be the stream's own fault, if it lasts.
    """

    why: str
    is_doubtful: bool = False


class Unclear(NamedTuple):
    """It is not said whether the rows are refused, or the stream is not as we believe."""

    why: str


class Gone(NamedTuple):
    """The stream takes no more rows, or is not as we believe: what became of the rows is to be asked."""

    why: str


class Behind(NamedTuple):
    """The write API does not know a column of ours (yet)."""

    why: str


class Denied(NamedTuple):
    """We may not."""

    why: str


Answer: TypeAlias = Stored | BadRows | Again | Unclear | Gone | Behind | Denied

_KINDS: Final[dict[int, type[Again | Gone | Behind | Denied]]] = {
    StorageCode.STREAM_ALREADY_COMMITTED: Gone,
    StorageCode.STREAM_NOT_FOUND: Gone,
    StorageCode.TABLE_NOT_FOUND: Gone,
    StorageCode.INVALID_STREAM_TYPE: Gone,
    StorageCode.INVALID_STREAM_STATE: Gone,
    StorageCode.STREAM_FINALIZED: Gone,
    StorageCode.OFFSET_OUT_OF_RANGE: Gone,
    StorageCode.SCHEMA_MISMATCH_EXTRA_FIELDS: Behind,
    StorageCode.KMS_SERVICE_ERROR: Again,
    StorageCode.CMEK_NOT_PROVIDED: Denied,
    StorageCode.INVALID_CMEK_PROVIDED: Denied,
    StorageCode.CMEK_ENCRYPTION_ERROR: Denied,
    StorageCode.KMS_PERMISSION_DENIED: Denied,
}

_CODES: Final[dict[int, type[Again | Unclear | Gone | Behind | Denied]]] = {
    Code.INVALID_ARGUMENT: Unclear,  # the code of a stream that does not exist, too
    Code.NOT_FOUND: Gone,
    Code.FAILED_PRECONDITION: Gone,
    Code.OUT_OF_RANGE: Gone,  # something before it is missing
    Code.PERMISSION_DENIED: Denied,
    Code.UNAUTHENTICATED: Denied,
}

_DOUBTFUL: Final = frozenset({Code.INTERNAL, Code.UNKNOWN, Code.ABORTED})


def answer_of(response: AppendRowsResponse) -> Answer:
    """What a response says."""
    bad = [each.index for each in response.row_errors if each.code == RowError.RowErrorCode.FIELDS_ERROR]
    if bad:
        return BadRows(bad)
    if response.row_errors:
        return Unclear("BigQuery refuses rows")
    if response.error.code:
        return answer_of_status(response.error)
    if "append_result" not in response:
        return Again("BigQuery does not say what became of the rows", is_doubtful=True)
    return Stored(has_new_columns=bool(response.updated_schema.fields))


def answer_of_status(status: Status) -> Answer:
    """What an error says, whether it came as a response or ended the connection."""
    storage = storage_code(status)
    if storage == StorageCode.OFFSET_ALREADY_EXISTS or status.code == Code.ALREADY_EXISTS:
        return Stored()  # only we write to our stream: it is what we sent before, and its answer was lost
    kind = _KINDS.get(storage) or _CODES.get(status.code, Again)
    named = StorageCode(storage).name if storage in _KINDS else Code.Name(Code.ValueType(status.code))
    why = f"BigQuery says {named}" + ": a quota is used up" * (status.code == Code.RESOURCE_EXHAUSTED)
    return Again(why, status.code in _DOUBTFUL) if kind is Again else kind(why)


def storage_code(status: Status) -> int:
    """The code of its own that BigQuery has put into an error; 0 where there is none."""
    for detail in status.details:
        found = StorageError.pb()()
        if detail.Unpack(found):
            return int(found.code)
    return 0
