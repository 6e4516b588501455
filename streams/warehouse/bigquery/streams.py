"""BigQuery's write streams: opened, appended to, closed for ever. One request is under way at a time in each.

A connection is kept for a while: opening one takes longer than an append. Its deadline is that of the gRPC call, so
that nothing waits for an answer for ever.
"""

import time
from queue import SimpleQueue
from typing import Any, Final

import grpc
from google.api_core.exceptions import GoogleAPICallError
from google.api_core.gapic_v1.routing_header import to_grpc_metadata
from google.cloud.bigquery_storage_v1 import BigQueryWriteClient
from google.cloud.bigquery_storage_v1.types import (
    AppendRowsRequest,
    AppendRowsResponse,
    ProtoRows,
    WriteStream,
)
from google.protobuf.wrappers_pb2 import Int64Value
from google.rpc.status_pb2 import Status

from streams.warehouse.bigquery.answers import Again, Answer, answer_of, answer_of_status
from streams.warehouse.bigquery.connect import Dataset
from streams.warehouse.bigquery.rows import RowCodec

CONNECTION_S: Final = 30.0
ANSWER_S: Final = 20.0
CREATE_S: Final = 40.0
"""Creating a stream may take far longer than anything else."""

FINALISE_S: Final = 15.0
TRACE: Final = "customerio-streams"
_DETAILS: Final = "grpc-status-details-bin"


class Connection:
    """To one write stream; `send`, then `answer`."""

    def __init__(self, client: BigQueryWriteClient, stream: str, codec: RowCodec, *, kept_s: float) -> None:
        self._requests: SimpleQueue[AppendRowsRequest | None] = SimpleQueue()
        self._first = AppendRowsRequest(
            write_stream=stream, trace_id=TRACE, proto_rows=AppendRowsRequest.ProtoData(writer_schema=codec.schema)
        )
        self._old_s = time.monotonic() + kept_s
        append: Any = client.transport.append_rows  # itself, for the client's own waits for the first answer
        self._call = append(
            iter(self._requests.get, None),
            timeout=kept_s + ANSWER_S,
            metadata=(_route(stream),),
        )

    @property
    def is_old(self) -> bool:
        """Whether another one should be opened."""
        return time.monotonic() > self._old_s

    def send(self, rows: list[bytes], offset: int | None) -> None:
        """Append them at this place of the stream; the default stream has no places."""
        request, self._first = self._first, AppendRowsRequest()
        request.proto_rows.rows = ProtoRows(serialized_rows=rows)
        if offset is not None:
            request.offset = Int64Value(value=offset)
        self._requests.put(request)

    def answer(self) -> Answer:
        """Wait for what became of it."""
        try:
            response: AppendRowsResponse = next(self._call)
        except grpc.RpcError as error:
            return answer_of_status(status_of(error))
        except StopIteration:
            return Again("BigQuery has closed the connection")
        return answer_of(response)

    def close(self) -> None:
        """Give it up; what is under way may still be carried out."""
        self._requests.put(None)
        self._call.cancel()


class WriteStreams:
    """Those of one dataset."""

    def __init__(self, client: BigQueryWriteClient, dataset: Dataset) -> None:
        self._client = client
        self._dataset = dataset

    def create(self, table: str, *, wait_s: float = CREATE_S) -> str:
        """Open one whose rows can be read at once, and whose offsets are checked; its name.

        Raises:
            GoogleAPICallError: there is none.
        """
        wanted = WriteStream(type_=WriteStream.Type.COMMITTED)
        made = self._client.create_write_stream(
            parent=self._dataset.parent(table), write_stream=wanted, retry=None, timeout=wait_s
        )
        return str(made.name)

    def finalise(self, stream: str, *, wait_s: float = FINALISE_S) -> None:
        """From now on it takes no more rows, whoever sends them.

        Raises:
            GoogleAPICallError: it may still do.
        """
        self._client.finalize_write_stream(name=stream, retry=None, timeout=wait_s)

    def connected(self, stream: str, codec: RowCodec, *, kept_s: float = CONNECTION_S) -> Connection:
        """Open a connection to it, which is to be kept so long."""
        return Connection(self._client, stream, codec, kept_s=kept_s)

    def default(self, table: str) -> str:
        """The stream that every table has: no offsets, so a repeat is appended again."""
        return f"{self._dataset.parent(table)}/streams/_default"


def _route(stream: str) -> tuple[str, str]:
    """By which BigQuery finds the stream's region."""
    key, value = to_grpc_metadata({"write_stream": stream})  # type: ignore[no-untyped-call]  # untyped in a typed package
    return str(key), str(value)


def status_of(error: grpc.RpcError | GoogleAPICallError) -> Status:
    """What a call ended with, whether gRPC says it or Google's client."""
    call: Any = error.response if isinstance(error, GoogleAPICallError) else error
    status = Status.FromString(dict(call.trailing_metadata() or ()).get(_DETAILS, b""))
    status.code = call.code().value[0]
    return status
