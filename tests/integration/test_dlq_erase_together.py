"""Two erasures of one partition at once: whoever stops where, no letter of anybody else is lost."""

from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import ExitStack
from typing import Final, cast

import pytest
from confluent_kafka import TopicPartition
from confluent_kafka.admin import AdminClient

from schemas.record import Stored
from streams.dead_letters.decisions import DecisionWriter, OvertakenError
from streams.dead_letters.erasure.letters import LetterEraser
from streams.dead_letters.erasure.rule import Person
from streams.dead_letters.letters import Letters, MovedError
from streams.kafka.clients import connected_admin
from streams.kafka.deletion import delete_before
from streams.kafka.partition_reader import PartitionReader, Place
from streams.settings import Settings
from tests.conftest import SettingsFactory
from tests.integration.erasure_stage import Planter, letters

OTHERS: Final = [f"other-{number}".encode() for number in range(5)]


class Interrupted(PartitionReader):
    """Lets something happen once it has begun to read letters, with their ends known, or when it has read them."""

    def __init__(
        self, settings: Settings, *, before: Callable[[], object] = int, after: Callable[[], object] = int
    ) -> None:
        super().__init__(settings)
        self._letters = settings.topic("customerio-dlq")
        self._before = [before]
        self._after = [after]

    def read(
        self,
        place: Place,
        start: int | None = None,
        end: int | None = None,
        *,
        bounds: tuple[int, int] | None = None,
    ) -> Iterator[Stored]:
        """Read, and be interrupted."""
        if place[0] == self._letters and self._before:
            self._before.pop()()
        yield from super().read(place, start, end, bounds=bounds)
        if place[0] == self._letters and self._after:
            self._after.pop()()


class InterruptedAdmin:
    """Kafka's admin, of whom a deletion is asked only after something else has happened, once."""

    def __init__(self, settings: Settings, happens: Callable[[], object]) -> None:
        self._admin = connected_admin(settings)
        self._happenings = [happens]

    def delete_records(
        self, offsets: list[TopicPartition], *, request_timeout: float, operation_timeout: float
    ) -> "dict[TopicPartition, Future[object]]":
        """Ask for a deletion."""
        if self._happenings:
            self._happenings.pop()()
        return self._admin.delete_records(offsets, request_timeout=request_timeout, operation_timeout=operation_timeout)


@pytest.fixture
def settings(settings_factory: SettingsFactory) -> Settings:
    """Topics with letters of two who are to be erased, between those of others."""
    made = settings_factory()
    planter = Planter(made)
    for key in (*OTHERS[:2], b"ann", *OTHERS[2:4], b"bob", OTHERS[4], b"ann"):
        planter.letter(key.decode())
    return made


def eraser(
    settings: Settings,
    user: str,
    exits: ExitStack,
    *,
    reader: PartitionReader | None = None,
    admin: InterruptedAdmin | None = None,
) -> LetterEraser:
    """An erasure, with parts of its own."""
    return LetterEraser(
        settings=settings,
        person=Person(user),
        committed=exits.enter_context(reader or PartitionReader(settings)),
        everything=exits.enter_context(PartitionReader(settings, everything=True)),
        admin=cast(AdminClient, admin) if admin else connected_admin(settings),
    )


def keys(settings: Settings) -> list[bytes | None]:
    """Whose letters there are, as the other commands see them."""
    return [key for _, _, key, _ in letters(settings)]


def others(settings: Settings) -> list[bytes | None]:
    """Those of others."""
    return [key for key in keys(settings) if key in OTHERS]


def test_a_deletion_by_another_erasure_ends_the_reading(settings: Settings) -> None:
    """Records that go while they are read must not look as if never there: nothing is deleted, and all are there."""
    place = (settings.topic("customerio-dlq"), 0)
    with ExitStack() as exits:
        first = eraser(settings, "ann", exits)
        _, end, _ = first.write_anew(0)
        reader = Interrupted(settings, before=lambda: delete_before(first.admin, {place: end}))
        second = eraser(settings, "bob", exits, reader=reader)
        with pytest.raises(MovedError, match="run it again"):
            second.erase(0)
        bounds = first.everything.bounds(place)

        assert bounds[0] == end
        assert OTHERS == others(settings)

        eraser(settings, "bob", exits).erase(0)
        eraser(settings, "ann", exits).erase(0)

        assert OTHERS == keys(settings)


def test_a_deletion_after_the_reading_ends_it_too(settings: Settings) -> None:
    """What the other has written anew may not have been read: nothing is deleted, whatever has been copied."""
    place = (settings.topic("customerio-dlq"), 0)
    with ExitStack() as exits:
        first = eraser(settings, "ann", exits)
        _, end, _ = first.write_anew(0)

        reader = Interrupted(settings, after=lambda: delete_before(first.admin, {place: end}))
        with pytest.raises(MovedError, match="run it again"):
            eraser(settings, "bob", exits, reader=reader).erase(0)

        assert first.everything.bounds(place)[0] == end
        assert OTHERS == others(settings)


def test_whoever_is_overtaken_before_the_deletion_deletes_nothing(settings: Settings) -> None:
    """It has copied all that must stay, but the other one may copy what it wants to be gone."""
    with ExitStack() as exits:
        reader = Interrupted(settings, after=lambda: begin(settings))
        everything = exits.enter_context(PartitionReader(settings, everything=True))
        with pytest.raises(OvertakenError, match="run it again"):
            eraser(settings, "ann", exits, reader=reader).erase(0)

        assert everything.bounds((settings.topic("customerio-dlq"), 0))[0] == 0
        assert OTHERS == others(settings)


def test_whoever_is_overtaken_while_it_deletes_says_so(settings: Settings) -> None:
    """The other may have copied a letter of the person by then: it must not end as if nothing were left."""
    with ExitStack() as exits:
        admin = InterruptedAdmin(settings, lambda: eraser(settings, "bob", exits).write_anew(0))
        with pytest.raises(OvertakenError, match="run it again"):
            eraser(settings, "ann", exits, admin=admin).erase(0)

        assert OTHERS == others(settings)

        eraser(settings, "ann", exits).erase(0)
        eraser(settings, "bob", exits).erase(0)

        assert OTHERS == keys(settings)


def test_an_erasure_that_slept_through_another_one_does_no_harm(settings: Settings) -> None:
    """It goes on with its deletion after the other has come to its end; nobody's letter goes."""
    with ExitStack() as exits:
        admin = InterruptedAdmin(settings, lambda: eraser(settings, "bob", exits).erase(0))
        with pytest.raises(OvertakenError, match="run it again"):
            eraser(settings, "ann", exits, admin=admin).erase(0)

        assert OTHERS == others(settings)


def test_a_reading_under_way_says_that_letters_have_moved(settings: Settings) -> None:
    """Whoever looks at letters is not shown a few of them as all."""
    place = (settings.topic("customerio-dlq"), 0)
    with ExitStack() as exits:
        first = eraser(settings, "ann", exits)
        _, end, _ = first.write_anew(0)
        reader = exits.enter_context(Interrupted(settings, before=lambda: delete_before(first.admin, {place: end})))
        with pytest.raises(MovedError, match="run it again"):
            list(Letters(settings, reader).read(0))

        assert [*OTHERS[:4], b"bob", OTHERS[4]] == [each.letter.key for each in Letters(settings, reader).read(0)]


def begin(settings: Settings) -> None:
    """Shut out whoever decides on letters of partition 0."""
    with PartitionReader(settings) as reader, DecisionWriter(settings, Letters(settings, reader), 0):
        pass
