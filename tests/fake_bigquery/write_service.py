"""The fake's Storage Write API: the official service with the official messages, over gRPC on a socket.

Streams keep offsets as the real ones do, rows are read by the descriptor that is sent, and `faults` spoil answers.
"""

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any, Final, Literal, TypeAlias

import grpc
from google.cloud.bigquery_storage_v1.types import (
    AppendRowsRequest,
    AppendRowsResponse,
    CreateWriteStreamRequest,
    FinalizeWriteStreamRequest,
    FinalizeWriteStreamResponse,
    RowError,
    StorageError,
    TableFieldSchema,
    TableSchema,
    WriteStream,
)
from google.protobuf.any_pb2 import Any as Packed
from google.protobuf.descriptor_pb2 import DescriptorProto, FileDescriptorProto
from google.protobuf.descriptor_pool import DescriptorPool
from google.protobuf.message_factory import GetMessageClass
from google.rpc.code_pb2 import Code
from google.rpc.status_pb2 import Status

from tests.fake_bigquery.dataset import FakeDataset

SERVICE: Final = "google.cloud.bigquery.storage.v1.BigQueryWrite"
StorageCode = StorageError.StorageErrorCode
On: TypeAlias = Literal["append", "create", "finalise"]
How: TypeAlias = Literal["response", "call", "lost", "end", "new_columns"]


@dataclass(slots=True, kw_only=True)
class Fault:
    """What happens to one request instead, or afterwards.

    Attributes:
        on: the method.
        code: the gRPC code of the error.
        storage: BigQuery's own code in it.
        how: `response` is an error answer, `call` ends the call before anything is done, `lost` after it is done,
            `end` closes the connection in order, `new_columns` tells of a changed table beside success.
    """

    on: On = "append"
    code: int = Code.UNAVAILABLE
    storage: int = 0
    how: How = "response"


@dataclass(slots=True)
class Stream:
    """One write stream."""

    table: str
    rows: int = 0
    is_finalised: bool = False


@dataclass(slots=True)
class _Call:
    """What one connection has said at its beginning."""

    stream: str = ""
    read: Callable[[bytes], dict[str, Any]] = field(default=lambda _: {})


class FakeWriteService:
    """Serves the write streams of a dataset.

    Attributes:
        faults: each spoils one request, the first that its method gets.
        refused: whether BigQuery dislikes this row.
        bytes_max: of one request.
        row_code: what is said of such a row.
        disliked: whether a request with this row is refused, without a word about which row it is.
        at: is called with `before` or `after`, and `create`, `note`, `append` or `finalise`, while nothing is locked.
        before_append: is called with the stream's name before anything is looked at.
    """

    def __init__(self, dataset: FakeDataset, *, bytes_max: int = 20_000_000) -> None:
        self.faults: list[Fault] = []
        self.streams: dict[str, Stream] = {}
        self.appends = 0
        self.refused: Callable[[dict[str, Any]], bool] = lambda _: False
        self.row_code = RowError.RowErrorCode.FIELDS_ERROR
        self.disliked: Callable[[dict[str, Any]], bool] = lambda _: False
        self.at: Callable[[str], None] = lambda _: None
        self.before_append: Callable[[str], None] = lambda _: None
        self.bytes_max = bytes_max
        self._dataset = dataset
        self._lock = threading.RLock()
        self._server = grpc.server(ThreadPoolExecutor(32), options=[("grpc.max_receive_message_length", -1)])
        self._server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(SERVICE, self._handlers()),))
        self.port = self._server.add_insecure_port("127.0.0.1:0")
        self._server.start()

    def close(self) -> None:
        """End."""
        self._server.stop(None).wait()

    def _handlers(self) -> dict[str, Any]:
        return {
            "CreateWriteStream": grpc.unary_unary_rpc_method_handler(
                self._create, CreateWriteStreamRequest.deserialize, WriteStream.serialize
            ),
            "FinalizeWriteStream": grpc.unary_unary_rpc_method_handler(
                self._finalise, FinalizeWriteStreamRequest.deserialize, FinalizeWriteStreamResponse.serialize
            ),
            "AppendRows": grpc.stream_stream_rpc_method_handler(
                self._append_rows, AppendRowsRequest.deserialize, AppendRowsResponse.serialize
            ),
        }

    def _create(self, request: CreateWriteStreamRequest, context: Any) -> WriteStream:  # noqa: ANN401 - gRPC has no types
        self.at("before create")
        made = self._created(request, context)
        self.at("after create")
        return made

    def _created(self, request: CreateWriteStreamRequest, context: Any) -> WriteStream:  # noqa: ANN401 - as above
        with self._lock:
            self._spoil("create", context)
            table = request.parent.rpartition("/")[2]
            if table not in self._dataset.tables:
                _abort(context, Code.NOT_FOUND)
            name = f"{request.parent}/streams/s-{len(self.streams)}"
            self.streams[name] = Stream(table)
            return WriteStream(name=name, type_=request.write_stream.type_)

    def _finalise(self, request: FinalizeWriteStreamRequest, context: Any) -> FinalizeWriteStreamResponse:  # noqa: ANN401 - as above
        self.at("before finalise")
        answer = self._finalised(request, context)
        self.at("after finalise")
        return answer

    def _finalised(self, request: FinalizeWriteStreamRequest, context: Any) -> FinalizeWriteStreamResponse:  # noqa: ANN401 - as above
        with self._lock:
            self._spoil("finalise", context)
            stream = self.streams.get(request.name)
            if stream is None:
                _abort(context, Code.NOT_FOUND, StorageCode.STREAM_NOT_FOUND)
            assert stream is not None
            stream.is_finalised = True
            return FinalizeWriteStreamResponse(row_count=stream.rows)

    def _append_rows(self, requests: Iterator[AppendRowsRequest], context: Any) -> Iterator[AppendRowsResponse]:  # noqa: ANN401 - as above
        call = _Call()
        routed = dict(context.invocation_metadata()).get("x-goog-request-params", "")
        for request in requests:
            if request.write_stream:
                call.stream = request.write_stream
            assert routed == f"write_stream={call.stream}"
            if request.proto_rows.writer_schema.proto_descriptor.field:
                call.read = _reader(request.proto_rows.writer_schema.proto_descriptor)
            name = "note" if call.stream.endswith("/_default") else "append"
            self.before_append(call.stream)
            self.at(f"before {name}")
            with self._lock:
                self.appends += 1
                answer = self._spoilt(self._fault("append"), call, request, context)
            if answer is None:
                return
            self.at(f"after {name}")
            yield answer

    def _spoilt(
        self,
        fault: Fault | None,
        call: _Call,
        request: AppendRowsRequest,
        context: Any,  # noqa: ANN401 - as above
    ) -> AppendRowsResponse | None:
        if fault is None:
            return self._append(call, request)
        if fault.how == "call":
            _abort(context, fault.code, fault.storage)
        if fault.how in {"response", "end"}:
            return _error(fault.code, fault.storage) if fault.how == "response" else None
        answer = self._append(call, request)
        if fault.how == "lost":
            _abort(context, fault.code, fault.storage)
        answer.updated_schema = TableSchema(fields=[TableFieldSchema(name="more_of_it")])
        return answer

    def _append(self, call: _Call, request: AppendRowsRequest) -> AppendRowsResponse:
        table = call.stream.split("/")[-3]
        is_default = call.stream.endswith("/_default")
        stream = Stream(table) if is_default else self.streams.get(call.stream)
        if stream is None or table not in self._dataset.tables:
            return _error(Code.NOT_FOUND, StorageCode.STREAM_NOT_FOUND)
        at = stream.rows if is_default else int(request.offset)  # type: ignore[call-overload]  # proto-plus unwraps it
        error = self._misplaced(stream, at, AppendRowsRequest.pb(request).ByteSize())
        rows = [call.read(row) for row in request.proto_rows.rows.serialized_rows]
        error = error or self._unreadable(table, rows)
        if error is not None:
            return error
        self._dataset.insert(table, rows)
        stream.rows += len(rows)
        return AppendRowsResponse(append_result=AppendRowsResponse.AppendResult({} if is_default else {"offset": at}))

    def _misplaced(self, stream: Stream, at: int, size: int) -> AppendRowsResponse | None:
        if stream.is_finalised:
            return _error(Code.INVALID_ARGUMENT, StorageCode.STREAM_FINALIZED)
        if size > self.bytes_max:
            return _error(Code.INVALID_ARGUMENT)
        if at < stream.rows:
            return _error(Code.ALREADY_EXISTS, StorageCode.OFFSET_ALREADY_EXISTS)
        if at > stream.rows:
            return _error(Code.OUT_OF_RANGE, StorageCode.OFFSET_OUT_OF_RANGE)
        return None

    def _unreadable(self, table: str, rows: list[dict[str, Any]]) -> AppendRowsResponse | None:
        known = {each["name"] for each in self._dataset.tables[table]["schema"]["fields"]}
        if any(not row.keys() <= known for row in rows):
            return _error(Code.INVALID_ARGUMENT, StorageCode.SCHEMA_MISMATCH_EXTRA_FIELDS)
        if any(self.disliked(row) for row in rows):
            return _error(Code.INVALID_ARGUMENT)
        bad = [RowError(index=index, code=self.row_code) for index, row in enumerate(rows) if self.refused(row)]
        if bad:
            return AppendRowsResponse(error=Status(code=Code.INVALID_ARGUMENT), row_errors=bad)
        return None

    def _fault(self, on: str) -> Fault | None:
        found = next((each for each in self.faults if each.on == on), None)
        if found is not None:
            self.faults.remove(found)
        return found

    def _spoil(self, on: str, context: Any) -> None:  # noqa: ANN401 - as above
        fault = self._fault(on)
        if fault is not None:
            _abort(context, fault.code, fault.storage)


def _reader(descriptor: DescriptorProto) -> Callable[[bytes], dict[str, Any]]:
    pool = DescriptorPool()
    file = FileDescriptorProto(name="sent.proto", syntax="proto2")
    file.message_type.add().ParseFromString(DescriptorProto.SerializeToString(descriptor))
    pool.AddSerializedFile(file.SerializeToString())
    message = GetMessageClass(pool.FindMessageTypeByName(descriptor.name))
    return lambda row: {each.name: value for each, value in message.FromString(row).ListFields()}


def _status(code: int, storage: int) -> Status:
    status = Status(code=code, message="as the test wants")
    if storage:
        packed = Packed()
        packed.Pack(StorageError.pb(StorageError(code=storage)))
        status.details.append(packed)
    return status


def _error(code: int, storage: int = 0) -> AppendRowsResponse:
    return AppendRowsResponse(error=_status(code, storage))


def _abort(context: Any, code: int, storage: int = 0) -> None:  # noqa: ANN401 - as above
    status = _status(code, storage)
    context.set_trailing_metadata((("grpc-status-details-bin", status.SerializeToString()),))
    context.abort(next(each for each in grpc.StatusCode if each.value[0] == code), status.message)
