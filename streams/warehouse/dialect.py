"""What the engines call differently: the views' files say `{seconds_between(a, b)}`, and each engine has its words.

Everything else in the files is SQL that both understand.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files
from typing import Final

from streams.warehouse.tables import Kind

VIEWS: Final = (
    "webhooks",
    "results",
    "messages",
    "message_funnel",
    "messages_by_day",
    "record_outcomes",
    "event_messages",
    "event_times",
    "transactional_sends",
    "transactional_times",
    "topic_outcomes",
    "dead_reasons",
    "faults",
)
"""Each stands on those before it; `views/NAME.sql` is its file."""

JOIN_WINDOW_S: Final = 3_600
"""A message may be heard of so long after the event that it is taken to come from, where only person and time tell."""

CLOCKS_S: Final = 5
"""So far may a message seem to be before its event: webhooks know whole seconds only, and clocks differ."""

_CALL: Final = re.compile(r"\{(\w+)\(([^{}()]*)\)\}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Dialect:
    """An engine's words.

    Attributes:
        types: what it calls a column's kind.
        words: a format string for each function of the views' files.
        relation: a format string for the name of a table or view.
    """

    name: str
    types: Mapping[Kind, str]
    words: Mapping[str, str]
    relation: str

    def named(self, relation: str) -> str:
        """A table or view, as a statement names it."""
        return self.relation.format(relation)

    def view(self, name: str) -> str:
        """The query that a view of ours stands for."""
        return _CALL.sub(self._said, (files(__package__) / "views" / f"{name}.sql").read_text())

    def _said(self, call: re.Match[str]) -> str:
        function, arguments = call[1], [argument.strip() for argument in call[2].split(",")]
        if function == "relation":
            return self.named(arguments[0])
        return {**_NUMBERS, **self.words}[function].format(*arguments)


_NUMBERS: Final = {"join_window_s": str(JOIN_WINDOW_S), "clocks_s": str(CLOCKS_S)}


DUCKDB: Final = Dialect(
    name="duckdb",
    types={"text": "VARCHAR", "integer": "BIGINT", "boolean": "BOOLEAN", "time": "TIMESTAMPTZ", "json": "JSON"},
    words={
        "seconds_between": "(epoch_us({1}) - epoch_us({0})) / 1e6",
        "quantile": "quantile_cont({0}, {1} / 100)",
        "each_key_once": "",  # what is loaded there has each key once
    },
    relation="{}",
)

BIGQUERY: Final = Dialect(
    name="bigquery",
    types={"text": "STRING", "integer": "INT64", "boolean": "BOOL", "time": "TIMESTAMP", "json": "JSON"},
    words={
        "seconds_between": "TIMESTAMP_DIFF({1}, {0}, MICROSECOND) / 1e6",
        "quantile": "APPROX_QUANTILES({0}, 100)[OFFSET({1})]",
        "each_key_once": "WHERE TRUE QUALIFY ROW_NUMBER() OVER (PARTITION BY row_key ORDER BY received_at NULLS LAST,"
        " kafka_partition, kafka_offset, kafka_incarnation) = 1",
    },
    relation="`{}`",  # BigQuery's warehouse puts its dataset in front: a view knows no default one
)
