"""Rows as BigQuery's write API takes them: protobuf by a descriptor that is made from a table's declared columns."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from google.cloud.bigquery_storage_v1.types import ProtoSchema
from google.protobuf.descriptor_pb2 import DescriptorProto, FieldDescriptorProto, FileDescriptorProto
from google.protobuf.descriptor_pool import DescriptorPool
from google.protobuf.message_factory import GetMessageClass

from streams.warehouse.tables import Kind, Row, Table

REQUEST_BYTES_MAX: Final = 8 * 1024 * 1024
"""Of the rows in one request: BigQuery takes less than 20 MB with everything (10 MB not long ago)."""

ROW_BYTES_MAX: Final = REQUEST_BYTES_MAX
_PER_ROW_BYTES: Final = 8
"""What a row costs in a request beside itself."""

TOO_LARGE: Final = "too_large"
REFUSED: Final = "refused_by_bigquery"

_PROTO: Final[Mapping[Kind, FieldDescriptorProto.Type.ValueType]] = {
    "text": FieldDescriptorProto.TYPE_STRING,
    "integer": FieldDescriptorProto.TYPE_INT64,
    "boolean": FieldDescriptorProto.TYPE_BOOL,
    "time": FieldDescriptorProto.TYPE_INT64,  # microseconds, as BigQuery takes them for a TIMESTAMP
    "json": FieldDescriptorProto.TYPE_STRING,
}


@dataclass(slots=True)
class Chunk:
    """The rows of one request; once it was sent it is sent again as it is, until it is known what became of it."""

    rows: list[Row]
    encoded: list[bytes]
    next_offset: int


class RowCodec:
    """One table's.

    Attributes:
        schema: what the rows are to be read by; the first request of a connection carries it.
    """

    def __init__(self, table: Table) -> None:
        self.table = table
        descriptor = DescriptorProto(name=table.name)
        for number, column in enumerate(table.columns, 1):
            descriptor.field.add(
                name=column.name,
                number=number,
                type=_PROTO[column.kind],
                label=FieldDescriptorProto.LABEL_OPTIONAL,  # proto2: a field that is left out is null
            )
        self.schema = ProtoSchema(proto_descriptor=descriptor)
        pool = DescriptorPool()
        pool.Add(FileDescriptorProto(name=f"{table.name}.proto", syntax="proto2", message_type=[descriptor]))
        self._message = GetMessageClass(pool.FindMessageTypeByName(table.name))

    def encoded(self, row: Row) -> bytes:
        """As bytes."""
        given = {name: value for name, value in zip(self.table.names, row, strict=True) if value is not None}
        return self._message(**given).SerializeToString()

    def first_chunk(self, rows: Sequence[Row], next_offset: int, rows_max: int | None = None) -> Chunk:
        """As many of the first of them as a request takes; a row that none takes goes without its JSON, and says so."""
        chunk, size = Chunk([], [], next_offset), 0
        for row in rows:
            fitting, encoded = self._fitting(row)
            size += len(encoded) + _PER_ROW_BYTES
            if chunk.rows and (size > REQUEST_BYTES_MAX or len(chunk.rows) == rows_max):
                chunk.next_offset = self.table.offset_of(row)
                break
            chunk.rows.append(fitting)
            chunk.encoded.append(encoded)
        return chunk

    def halve(self, chunk: Chunk) -> None:
        """Keep the first half of several rows."""
        half = len(chunk.rows) // 2
        chunk.next_offset = self.table.offset_of(chunk.rows[half])
        del chunk.rows[half:], chunk.encoded[half:]

    def without(self, chunk: Chunk, refused: Sequence[int]) -> bool:
        """Take out of these rows what BigQuery may dislike; whether there was anything left to take."""
        changed = False
        for index in refused:
            lesser = self._lesser(chunk.rows[index])
            changed = changed or lesser != chunk.rows[index]
            chunk.rows[index], chunk.encoded[index] = lesser, self.encoded(lesser)
        return changed

    def _fitting(self, row: Row) -> tuple[Row, bytes]:
        encoded = self.encoded(row)
        if len(encoded) <= ROW_BYTES_MAX:
            return row, encoded
        cut = self._without_json(row, TOO_LARGE)
        return cut, self.encoded(cut)

    def _without_json(self, row: Row, fault: str) -> Row:
        return tuple(
            fault if column.name == "fault" else None if column.kind == "json" else value
            for column, value in zip(self.table.columns, row, strict=True)
        )

    def _lesser(self, row: Row) -> Row:
        """Without the day, as BigQuery takes none that is years away; then without JSON; then with what is needed."""
        day = self.table.names.index(self.table.day)
        if row[day] is not None:
            return (*row[:day], None, *row[day + 1 :])
        if any(
            value is not None and column.kind == "json" for column, value in zip(self.table.columns, row, strict=True)
        ):
            return self._without_json(row, REFUSED)
        return tuple(
            REFUSED if column.name == "fault" else value if column.is_needed else None
            for column, value in zip(self.table.columns, row, strict=True)
        )
