"""Writes decisions on the letters of one partition, with the records that belong to them, in transactions. Blocking.

Every command that decides on letters writes here: by its transactional id whoever begins on a partition shuts out
whoever was at it before, and only then reads what is decided. So no two decide on the same letter.
"""

import logging
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Self, cast

from confluent_kafka import KafkaError, KafkaException, Producer

from schemas.dead_letter import LetterName
from schemas.decision import Decision, decision_key, encode_decision
from schemas.errors import StreamsError, UnavailableError
from schemas.record import Header
from streams.dead_letters.letters import Letters
from streams.kafka import topic_plan
from streams.kafka.clients import LIBRDKAFKA_LOGGER, librdkafka_config
from streams.kafka.compaction import ROLL_KEY
from streams.kafka.transaction_calls import again, produce
from streams.kafka.transactions import CALL_S, MESSAGE_BYTES_MAX, TRANSACTION_TIMEOUT_MS
from streams.settings import Settings

BEGIN_S: Final = 30.0  # a predecessor's transaction is ended first
_OVERTAKEN: Final = frozenset(
    {
        KafkaError._FENCED,  # noqa: SLF001 - its public name
        KafkaError.INVALID_PRODUCER_EPOCH,
        KafkaError.PRODUCER_FENCED,
    }
)
_TIMED_OUT: Final = frozenset({KafkaError._TIMED_OUT, KafkaError._MSG_TIMED_OUT})  # noqa: SLF001 - as above


class OvertakenError(StreamsError):
    """Another command has begun to decide on the same letters: nothing of what was to be written now is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outgoing:
    """A record to be written together with decisions; `topic` is its full name, `timestamp_ms` its time, 0 for now."""

    topic: str
    partition: int
    key: bytes | None
    value: bytes | None
    headers: Sequence[Header] = ()
    timestamp_ms: int = 0


class DecisionWriter:
    """A context manager for the letters whose names begin with `partition`.

    `decisions` are the last ones on these letters: read after everybody else was shut out, and kept with each commit.
    After an error it is of no more use: begin anew, which reads again what was written.
    """

    decisions: dict[LetterName, Decision]

    def __init__(self, settings: Settings, letters: Letters, partition: int) -> None:
        self._partition = partition
        self._letters = letters
        self._topic = settings.topic(topic_plan.DLQ_DECISIONS)
        self._topics = {self._topic}
        self._transactional_id = f"{settings.app_id}-dlq-{partition}"
        silent = logging.getLogger(f"{LIBRDKAFKA_LOGGER}.decisions")
        silent.disabled = True  # what it has to say comes as an error
        self._config = librdkafka_config(
            settings,
            logger=silent,
            **{
                "transactional.id": self._transactional_id,
                "transaction.timeout.ms": TRANSACTION_TIMEOUT_MS,
                "compression.type": "lz4",
                "linger.ms": 2,
                "message.max.bytes": MESSAGE_BYTES_MAX,
            },
        )

    def __enter__(self) -> Self:
        """Shut out whoever else writes here, then read the decisions.

        Raises:
            UnavailableError: Kafka does not let us.
        """
        try:
            self._producer = Producer(self._config)
            again(lambda: self._producer.init_transactions(BEGIN_S))
        except KafkaException as error:
            raise self._translated(error.args[0]) from error
        self.decisions = self._letters.decisions(self._partition)
        return self

    def __exit__(self, *_: object) -> None:
        """Nothing is open: each commit ends its transaction."""

    def commit(self, decided: Mapping[LetterName, Decision], records: Iterable[Outgoing] = ()) -> None:
        """Write all of it in one transaction, which should take a second or two, not `TRANSACTION_TIMEOUT_MS`.

        Raises:
            OvertakenError: another command has begun on this partition; nothing is written.
            UnavailableError: nothing is written, or its text says that this is not known.
        """
        assert all(name.partition == self._partition for name in decided)  # noqa: S101 - else nobody would find them
        try:
            self._transact(decided, records)
        except KafkaException as error:
            told = self._abort()
            is_bare = error.args[0].code() == KafkaError._FATAL  # noqa: SLF001 - its public name
            raise self._translated(told if is_bare and told else error.args[0]) from error
        except BaseException:
            self._abort()
            raise
        self.decisions |= decided

    def insist(self) -> None:
        """Make sure that nobody else has begun on this partition, by writing a tombstone of nobody.

        Raises:
            OvertakenError: somebody has.
            UnavailableError: as above.
        """
        self.commit({}, [Outgoing(topic=self._topic, partition=self._partition, key=ROLL_KEY, value=None)])

    def _transact(self, decided: Mapping[LetterName, Decision], records: Iterable[Outgoing]) -> None:
        self._producer.begin_transaction()
        self._topics = {self._topic}
        for each in records:
            self._topics.add(each.topic)
            produce(
                self._producer,
                each.topic,
                each.partition,
                key=each.key,
                value=each.value,
                headers=each.headers or None,
                timestamp_ms=each.timestamp_ms,
            )
        for name, decision in decided.items():
            key, value = decision_key(name), encode_decision(decision)
            produce(self._producer, self._topic, self._partition, key=key, value=value)
        again(lambda: self._producer.commit_transaction(CALL_S))

    def _abort(self) -> KafkaError | None:
        """Best effort: an open one ends by itself after `TRANSACTION_TIMEOUT_MS`, or when the next command begins.

        What is wrong is told here in full: of a fence, whoever produces hears only that something was fatal.
        """
        try:
            self._producer.abort_transaction(CALL_S)
        except KafkaException as error:
            return cast(KafkaError, error.args[0])
        return None

    def _translated(self, error: KafkaError) -> StreamsError:
        return unwritten(error, partition=self._partition, topics=self._topics, transactional_id=self._transactional_id)


def unwritten(error: KafkaError, *, partition: int, topics: Collection[str], transactional_id: str) -> StreamsError:
    """Say in one line why decisions were not written, and what to do."""
    if error.code() in _OVERTAKEN:
        return OvertakenError(
            f"Another dlq command has begun on partition {partition}: of this one's last"
            " letters there nothing was written; run it again for what is left"
        )
    if error.code() == KafkaError.TOPIC_AUTHORIZATION_FAILED:
        return UnavailableError(f"Nothing is written: allow WRITE on {' and on '.join(sorted(topics))}")
    if error.txn_requires_abort():  # what makes it so comes before the commit
        why = "it does not answer" if error.code() in _TIMED_OUT else error.str()
        return UnavailableError(
            f"Kafka has not taken the last letters of partition {partition} ({why}): nothing of them is written;"
            " run it again for what is left"
        )
    in_doubt = " (whether the last letters were written is not known: run it again)" if error.retriable() else ""
    return UnavailableError(
        f"Decisions on partition {partition} cannot be written as {transactional_id}: {error.str()}{in_doubt}"
    )
