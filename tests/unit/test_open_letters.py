"""Which letters of a partition are open, kept up with what is written: the same that reading all of it anew tells."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.dead_letter import NAMED, LetterName, read_letter
from schemas.decision import Decision, DecisionKind
from schemas.outcome import DeadReason
from schemas.record import Stored
from schemas.times import unix_ms
from streams.dead_letters.folding import Folding
from streams.dead_letters.open_letters import Kind, OpenLetters, ReopenedError, Standing, together
from tests.letters import AT, REPLAYS_MAX, found, make_letter
from tests.unit.input_records import InputRecord

REASONS: Sequence[DeadReason] = ("rejected", "malformed")
DECISIONS: Sequence[DecisionKind] = ("replayed", "discarded", "parked", "edited")


def stored(offset: int, *, reason: DeadReason = "rejected", name: int | None = None, **more: object) -> Stored:
    """A letter that lies there, written anew when it has another name."""
    letter = make_letter(InputRecord(), reason, **more)  # type: ignore[arg-type]  # `failed_at` and `replays`
    headers = [*letter.headers] if name is None else [*letter.headers, (NAMED, f"0/{name}".encode())]
    return replace(letter, offset=offset, headers=headers)


def decision(kind: DecisionKind = "discarded") -> Decision:
    """One by somebody."""
    return Decision(decision=kind, at=AT, by="ops")


def take(letters: OpenLetters, *records: Stored) -> None:
    """Let them be read."""
    for record in records:
        letter = read_letter(record)
        assert letter is not None
        letters.take(letter)


@dataclass(slots=True)
class Log:
    """What lies on Kafka, read anew each time as `dlq stats` does."""

    records: list[Stored] = field(default_factory=list)
    decided: dict[LetterName, Decision] = field(default_factory=dict)
    oldest: int = 0
    end: int = 0

    def open(self) -> Counter[Kind]:
        """How many letters are open, of each kind."""
        folding, counted = Folding(self.oldest), Counter[Kind]()
        for record in self.records:
            letter = read_letter(record)
            assert letter is not None
            if record.offset >= self.oldest and not folding.is_passed_over(letter):
                state = found(record, self.decided.get(letter.name)).state
                counted[letter.origin.topic, letter.reason] += state == "open"
        return +counted

    def names(self) -> list[int]:
        """Of the letters that Kafka has."""
        letters = [read_letter(record) for record in self.records if record.offset >= self.oldest]
        return [letter.name.offset for letter in letters if letter]


@given(st.data())
def test_it_agrees_with_reading_all_of_it_anew(data: st.DataObject) -> None:
    """Whatever is written, decided, written anew and deleted, and in whatever steps it is read."""
    log, letters = Log(), OpenLetters(replays_max=REPLAYS_MAX)
    for _ in range(data.draw(st.integers(1, 25))):
        names = log.names()
        match data.draw(st.sampled_from(["dies", "dies", "decides", "erases", "is deleted"])):
            case "decides" if names:
                name = LetterName(0, data.draw(st.sampled_from(names)))
                log.decided[name] = decision(data.draw(st.sampled_from(DECISIONS)))
                letters.decide(name, log.decided[name])
            case "erases":
                end = log.end
                for record in _survivors(log):
                    _append(log, letters, replace(record, offset=log.end))
                log.oldest = end
            case "is deleted":
                log.oldest = data.draw(st.integers(log.oldest, log.end))
            case _:
                reason, replays = data.draw(st.sampled_from(REASONS)), data.draw(st.integers(0, REPLAYS_MAX))
                _append(log, letters, stored(log.end, reason=reason, replays=replays))
        letters.forget(log.oldest)

        assert log.open() == {kind: standing.letters for kind, standing in letters.standing()}


def _append(log: Log, letters: OpenLetters, record: Stored) -> None:
    log.records.append(record)
    log.end = record.offset + 2  # a transaction's marker
    take(letters, record)


def _survivors(log: Log) -> list[Stored]:
    """Each letter as it is written anew when another one's person is erased."""
    folding, kept = Folding(log.oldest), []
    for record in log.records:
        letter = read_letter(record)
        if letter and record.offset >= log.oldest and not folding.is_passed_over(letter):
            kept.append(stored(0, reason=letter.reason, name=letter.name.offset, replays=letter.replays))
    return kept


def test_a_decision_may_be_read_before_its_letter() -> None:
    """They stand on two topics."""
    letters = OpenLetters(replays_max=REPLAYS_MAX)
    letters.decide(LetterName(0, 5), decision())
    take(letters, stored(4), stored(5))

    assert [(("user-changes", "rejected"), 1)] == [(kind, each.letters) for kind, each in letters.standing()]


def test_a_decision_on_a_letter_that_is_gone_costs_nothing() -> None:
    """Decisions are kept for ever, letters are not."""
    letters = OpenLetters(replays_max=REPLAYS_MAX)
    take(letters, stored(9))
    letters.decide(LetterName(0, 5), decision())

    assert len(letters) == 1


def test_a_decision_that_is_taken_back_needs_all_to_be_read_again() -> None:
    """What was forgotten of the letter is on Kafka; where nothing was decided there is nothing to take back."""
    letters = OpenLetters(replays_max=REPLAYS_MAX)
    take(letters, stored(5))
    letters.decide(LetterName(0, 5), None)
    letters.decide(LetterName(0, 5), decision())
    with pytest.raises(ReopenedError):
        letters.decide(LetterName(0, 5), None)


def test_the_oldest_of_a_kind_is_told() -> None:
    """Over all partitions, by when the record died; a letter that does not say when counts, and has no age."""
    one, other = OpenLetters(replays_max=REPLAYS_MAX), OpenLetters(replays_max=REPLAYS_MAX)
    take(one, stored(0, failed_at="2026-11-22T12:00:00.000Z"), stored(1, failed_at=AT), stored(2, failed_at="soon"))
    take(other, stored(0, failed_at="2026-11-22T11:00:00.000Z"), stored(1, reason="malformed", failed_at="soon"))

    assert together([one, other]) == {
        ("user-changes", "rejected"): Standing(4, unix_ms(AT)),
        ("user-changes", "malformed"): Standing(1, None),
    }
