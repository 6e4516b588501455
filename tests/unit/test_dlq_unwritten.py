"""Why decisions were not written, in one line that says what to do."""

import pytest
from confluent_kafka import KafkaError

from schemas.errors import StreamsError
from streams.dead_letters.decisions import OvertakenError, unwritten

TIMED_OUT = KafkaError(
    KafkaError._TIMED_OUT,
    "75 message(s) timed out on customerio-dlq-decisions [0]",
    txn_requires_abort=True,
)


def told(error: KafkaError) -> StreamsError:
    """Of two topics on a partition."""
    return unwritten(error, partition=3, topics={"b", "a"}, transactional_id="app-dlq-3")


def test_a_kafka_that_goes_away_has_taken_nothing() -> None:
    """A transaction that must be rolled back is not committed: no letter is in doubt."""
    assert (
        "Kafka has not taken the last letters of partition 3 (it does not answer): nothing of them is written;"
        " run it again for what is left"
    ) == str(told(TIMED_OUT))


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (KafkaError(KafkaError.NOT_ENOUGH_REPLICAS, "too few", txn_requires_abort=True), "(too few): nothing of them"),
        (KafkaError(KafkaError.TOPIC_AUTHORIZATION_FAILED), "allow WRITE on a and on b"),
        (KafkaError(KafkaError.REQUEST_TIMED_OUT, "slow", retriable=True), "is not known: run it again"),
        (KafkaError(KafkaError.MSG_SIZE_TOO_LARGE, "large"), "cannot be written as app-dlq-3: large"),
    ],
)
def test_it_says_what_is_known(error: KafkaError, said: str) -> None:
    """Whether it is written, and what to see to."""
    assert said in str(told(error))


def test_whoever_is_shut_out_is_told_apart() -> None:
    """The letters are somebody else's now."""
    assert isinstance(told(KafkaError(KafkaError.PRODUCER_FENCED)), OvertakenError)
