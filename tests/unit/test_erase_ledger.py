"""What an erasure makes of a person's records in the ledger, in whatever order it and a worker have written them."""

from schemas.person_id import erased_key
from schemas.person_state import PersonState, pack
from streams.dead_letters.erasure.ledger import Known
from streams.dead_letters.erasure.rule import Person

ID, HASH = b"u-1", erased_key(b"u-1")
FINGERPRINT = bytes(range(16))
LIVING = PersonState(version=1, sent_s=5, offset=7)
OUT = LIVING._replace(version=2, offset=8, opted_out=True)
DELETED = PersonState(version=3, sent_s=5, offset=9, deleted=True)


def known(*records: tuple[bytes, PersonState | None]) -> Known:
    """What these records, in this order, let us know."""
    found = Known(Person("u-1"))
    take(found, *records)
    return found


def take(found: Known, *records: tuple[bytes, PersonState | None]) -> None:
    """Read on."""
    for key, state in records:
        found.take(key, pack(state) if state else None)


def written(state: PersonState) -> bytes:
    """What is expected under the hash."""
    return pack(state._replace(fingerprint=None))


def test_the_last_state_goes_under_the_hash() -> None:
    """Without its fingerprint, and once: then nothing is left to do."""
    found = known((ID, LIVING), (b"u-2", DELETED), (ID, OUT._replace(fingerprint=FINGERPRINT)))
    assert found.to_write() == written(OUT)

    take(found, (HASH, OUT), (ID, None))
    assert (found.is_done, found.to_write()) == (True, None)


def test_what_stands_under_the_hash_is_newer_than_the_id_before_it() -> None:
    """As a worker has written it there after a run that was killed before Kafka had compacted."""
    for newer in (DELETED, OUT, OUT._replace(opted_out=False)):
        found = known((ID, LIVING), (HASH, LIVING), (ID, None), (HASH, newer))

        assert (found.kept, found.to_write()) == (newer, None)


def test_what_stands_under_the_id_behind_the_hash_is_newer() -> None:
    """As a worker writes it that has not been restarted; also an opt-in counts then."""
    found = known((ID, LIVING), (HASH, OUT), (ID, None), (ID, LIVING._replace(version=3)))

    assert found.to_write() == written(LIVING._replace(version=3))


def test_a_deletion_is_never_forgotten() -> None:
    """Nor does a version fall, should a run have ended when it had overwritten what it had not read."""
    found = known((ID, LIVING), (ID, DELETED), (HASH, LIVING), (ID, None))

    assert found.to_write() == written(LIVING._replace(version=3, deleted=True))


def test_a_state_that_is_written_meanwhile_is_kept() -> None:
    """Whether it lies before or behind what the erasure has written; then that is written again."""
    before, behind = known((ID, LIVING)), known((ID, LIVING))
    assert before.to_write() == behind.to_write() == written(LIVING)
    take(before, (ID, OUT), (HASH, LIVING), (ID, None))
    take(behind, (HASH, LIVING), (ID, None), (ID, OUT))
    assert (before.is_done, before.to_write()) == (behind.is_done, behind.to_write()) == (False, written(OUT))

    take(before, (HASH, OUT), (ID, None))
    assert before.is_done


def test_the_id_is_overwritten_until_it_is_met_no_more() -> None:
    """Also where it stands for what is kept already."""
    found = known((ID, LIVING))
    found.to_write()
    take(found, (HASH, LIVING), (ID, None), (ID, LIVING))

    assert (found.is_done, found.to_write()) == (False, None)


def test_a_fingerprint_under_the_hash_goes() -> None:
    """A worker has written it with what it delivered later."""
    found = known((HASH, OUT._replace(fingerprint=FINGERPRINT)))

    assert (found.is_done, found.to_write()) == (False, written(OUT))


def test_of_who_is_not_known_nothing_is_written() -> None:
    """As on a partition that has only a tombstone."""
    found = known((ID, None), (b"u-2", DELETED))

    assert (found.kept, found.to_write(), found.is_done) == (None, None, True)
