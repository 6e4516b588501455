"""`dlq erase` on a real Kafka: no reader gets a byte of the person afterwards, and nothing else is lost."""

import uuid
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Final

import orjson
import pytest
from confluent_kafka.admin import (  # type: ignore[attr-defined] # public by its documentation, not by its stubs
    AclBinding,
    AclOperation,
    AclPermissionType,
    ResourcePatternType,
    ResourceType,
)

from schemas.dead_letter import LetterName
from schemas.errors import UnavailableError
from schemas.person_id import erased_key
from schemas.resume import Resume
from streams.dead_letters.erasure.ledger import LedgerEraser
from streams.dead_letters.erasure.letters import LetterEraser
from streams.dead_letters.erasure.rule import Person
from streams.dead_letters.erasure.search import Search
from streams.delivery.resumes import ResumeReader, write_resumes
from streams.kafka import compaction, topics
from streams.kafka.clients import connected_admin
from streams.kafka.partition_reader import PartitionReader
from streams.local_kafka.broker import LocalKafka, free_ports
from streams.local_kafka.launch import Door
from streams.settings import Settings
from tests.integration.dlq_stage import decisions
from tests.integration.erasure_stage import (
    DELETED,
    ERASED,
    MARKER,
    Planter,
    decide,
    discarded,
    erase,
    everything,
    letters,
    people,
    plant,
    plant_letters,
    reported,
    traces,
)
from tests.integration.troubled_stage import Stage, troubled_stage
from tests.integration.worker_process import WorkerProcess, environment

WAIT_S: Final = 30.0
NEEDLES: Final = (ERASED.encode(), MARKER)
LOGIN: Final = "org.apache.kafka.common.security.plain.PlainLoginModule required"
CONFIG: Final = {
    "log.cleaner.backoff.ms": "200",
    "authorizer.class.name": "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
    "super.users": "User:ANONYMOUS",
    "sasl.enabled.mechanisms": "PLAIN",
    "listener.name.secured.plain.sasl.jaas.config": f'{LOGIN} user_operator="right";',
}


@pytest.fixture(scope="module")
def cluster() -> Iterator[tuple[str, str]]:
    """Give the address of a broker that compacts soon, and that of its door for whoever may not do everything."""
    port, _ = free_ports()
    door = Door(name="SECURED", port=port, advertised_port=port, protocol="SASL_PLAINTEXT")
    with LocalKafka(doors=[door], config=CONFIG) as broker:
        yield broker.bootstrap, f"127.0.0.1:{port}"


@pytest.fixture
def settings(cluster: tuple[str, str]) -> Settings:
    """Give topics of the test's own."""
    prefix = f"e{uuid.uuid4().hex[:8]}."
    made = Settings(kafka_bootstrap_servers=cluster[0], topic_prefix=prefix, app_id=f"{prefix}app", topic_partitions=2)
    topics.create(connected_admin(made), made)
    return made


def outcomes(stage: Stage, user_id: str) -> list[tuple[str, str | None]]:
    """What became of a person's records, by partition and time."""
    results = [orjson.loads(value) for value in stage._results()]
    return [(each["outcome"], each["reason"]) for each in results if each["user_id"] == user_id]


def test_nothing_of_the_person_is_left_while_workers_run(settings: Settings, tmp_path: Path) -> None:
    """Others' letters keep name, state and content; the ledger still knows who is deleted, after a restart too."""
    planter = plant(settings)
    before = letters(settings)
    with troubled_stage(settings, tmp_path) as stage:
        planter.replay(ERASED)
        stage.worker.wait_for(lambda: outcomes(stage, ERASED) == [("dead", "malformed")], WAIT_S)
        report = reported(erase(settings, "--yes", "--json"))
        left, after, worker_code = traces(settings, *NEEDLES), letters(settings), stage.worker.code
        assert stage.worker.stop() == 0
        with WorkerProcess(environment(settings, str(stage.sandbox.base_url)), tmp_path / "second.log") as second:
            planter.input("domain-events", ERASED, {"name": "clicked", "user_id": ERASED})
            second.wait_for(lambda: len(outcomes(stage, ERASED)) == 2, WAIT_S)
            assert second.stop() == 0
            assert not second.said("deleted before their turn")

        assert outcomes(stage, ERASED)[-1] == ("skipped", "user_deleted")
    assert (left, worker_code) == ([], None)
    assert [each for each in before if each[2] != ERASED.encode()] == after
    assert [str(name) for name, *_ in after] == ["0/3", "0/5", "1/0"]
    assert topics.check(connected_admin(settings), settings) == []
    assert people(settings) == {
        (0, b"other-1"): DELETED._replace(version=9),
        (0, erased_key(ERASED.encode())): DELETED._replace(fingerprint=None),
        (1, erased_key(ERASED.encode())): DELETED._replace(fingerprint=None),
    }
    assert report["is_deleted_at_customerio"] is True
    assert [each["topic"] for each in report["elsewhere"]] == [settings.topic("customerio-results")]


def test_a_run_that_ended_between_copy_and_deletion_does_no_harm(settings: Settings) -> None:
    """Each letter is listed once, before and after the next run, which erases what is left."""
    plant_letters(settings)
    decide(settings, LetterName(0, 1), MARKER.decode())
    before = letters(settings)
    with PartitionReader(settings) as committed, PartitionReader(settings, everything=True) as all_of_it:
        eraser = LetterEraser(
            settings=settings,
            person=Person(ERASED),
            committed=committed,
            everything=all_of_it,
            admin=connected_admin(settings),
        )
        eraser.write_anew(0)
        eraser.write_anew(0)
        found = Search(settings, Person(ERASED), all_of_it).run()
    between = letters(settings)
    reported(erase(settings, "--yes", "--json"))

    assert (found.count("customerio-dlq"), found.count("customerio-dlq-decisions")) == (5, 1)
    assert [(name, key) for name, _, key, _ in before] == [(name, key) for name, _, key, _ in between]
    assert {"discarded"} == {state for _, state, key, _ in between if key == ERASED.encode()}
    assert (traces(settings, *NEEDLES), [str(name) for name, *_ in letters(settings)]) == ([], ["0/3", "0/5", "1/0"])

    planted = Planter(settings)
    planted.letter(ERASED, filler=MARKER)
    reported(erase(settings, "--yes", "--json"))

    assert (traces(settings, *NEEDLES), [str(name) for name, *_ in letters(settings)]) == ([], ["0/3", "0/5", "1/0"])


def test_what_a_worker_writes_between_two_runs_is_kept(settings: Settings) -> None:
    """A run was killed before Kafka had compacted; a worker that began then has delivered the deletion."""
    planter, hashed = Planter(settings), erased_key(ERASED.encode())
    before = DELETED._replace(version=1, deleted=False)
    planter.state(ERASED.encode(), before)
    with PartitionReader(settings) as committed, PartitionReader(settings, everything=True) as all_of_it:
        LedgerEraser(settings=settings, person=Person(ERASED), committed=committed, everything=all_of_it).erase(0)
    between = people(settings)
    planter.state(hashed, DELETED)
    reported(erase(settings, "--yes", "--json"))

    assert between[0, hashed] == before._replace(fingerprint=None)
    assert people(settings) == {(0, hashed): DELETED._replace(fingerprint=None)}
    assert traces(settings, *NEEDLES, DELETED.fingerprint or b"") == []


def test_only_what_operators_have_written_is_searched_for_the_id(settings: Settings) -> None:
    """An id may look like a minute: another's decision stays as it is, and all of it is erased."""
    planter = Planter(settings)
    planter.letter("other-1")
    planter.letter("00")
    decide(settings, LetterName(0, 0), "a duplicate")
    reported(erase(settings, "--yes", "--json", user="00"))

    assert dict(decisions(settings))["0/0"] == discarded("a duplicate")


def test_an_operator_may_be_erased(settings: Settings) -> None:
    """What they have decided on others' letters stays, also that a topic is resumed; by whom it was does not."""
    Planter(settings).letter("other-1")
    decide(settings, LetterName(0, 0), "a duplicate", by=ERASED)
    word = Resume(until="2099-11-22T11:00:00.000Z", at="2026-11-22T10:00:00.000Z", by=ERASED)
    write_resumes(settings, {"user-changes": word})
    before = ResumeReader(settings).read()
    reported(erase(settings, "--yes", "--json"))

    assert decisions(settings) == [("0/0", replace(discarded("a duplicate"), by=""))]
    assert (traces(settings, *NEEDLES), ResumeReader(settings).read()) == ([], before)
    assert before == {settings.topic("user-changes"): word.until_ms}


def test_letters_of_others_that_hold_the_id_are_named_and_stay(settings: Settings) -> None:
    """Unless they are to go too."""
    planter = Planter(settings)
    planter.letter("other-1", value=b'{"user":{"id":"other-1","friend":"%b"}}' % ERASED.encode())
    planter.letter(ERASED)
    planter.input("user-changes", ERASED, {"type": "user.deleted", "user_id": ERASED})
    looked = reported(erase(settings, "--what-if", "--json"))
    kept = reported(erase(settings, "--yes", "--json"))
    names = [str(name) for name, *_ in letters(settings)]
    taken = reported(erase(settings, "--mentions", "--yes", "--json"))

    assert (looked["what_if"], looked["erased"], looked["mentions"]) == (
        True,
        {settings.topic("customerio-dlq"): 1},
        ["0/0"],
    )
    assert (kept["mentions"], kept["written_anew"], names) == (["0/0"], 1, ["0/0"])
    assert (taken["mentions"], letters(settings)) == (["0/0"], [])
    assert [each["records"] for each in taken["elsewhere"]] == [1]


def test_what_if_and_a_missing_consent_write_nothing(settings: Settings) -> None:
    """Exit 0 and 2; the table says what would be."""
    plant(settings)
    before = [(record.topic, record.partition, record.offset) for record in everything(settings)]
    looked, unasked = erase(settings, "--what-if"), erase(settings)

    assert (looked.returncode, unasked.returncode) == (0, 2)
    assert "would be erased" in looked.stdout
    assert "--yes" in unasked.stderr
    assert before == [(record.topic, record.partition, record.offset) for record in everything(settings)]


def test_replays_that_no_worker_has_dealt_with_are_waited_for(settings: Settings) -> None:
    """For as long as was said; then nothing is erased, and the line says what to do."""
    planter = plant(settings)
    planter.replay(ERASED, partition=1)
    before = letters(settings)
    done = erase(settings, "--yes", "--wait", "1")

    assert done.returncode == 1
    assert "start workers" in done.stderr.splitlines()[-1]
    assert before == letters(settings)


def test_a_right_that_is_missing_is_named_before_anything_changes(settings: Settings, cluster: tuple[str, str]) -> None:
    """In one line with all that is to be allowed."""
    plant(settings)
    before = letters(settings)
    rule = (settings.topic_prefix, ResourcePatternType.PREFIXED, "User:operator", "*")
    allowed = [AclOperation.READ, AclOperation.WRITE, AclOperation.DESCRIBE_CONFIGS]
    bindings = [AclBinding(ResourceType.TOPIC, *rule, each, AclPermissionType.ALLOW) for each in allowed]
    admin = connected_admin(settings)  # whose answers come while it is there
    for future in admin.create_acls(bindings).values():
        future.result()
    secured = {
        "KAFKA_BOOTSTRAP_SERVERS": cluster[1],
        "KAFKA_SECURITY_PROTOCOL": "SASL_PLAINTEXT",
        "KAFKA_SASL_MECHANISM": "PLAIN",
        "KAFKA_SASL_USERNAME": "operator",
        "KAFKA_SASL_PASSWORD": "right",
    }
    done = erase(settings, "--yes", **secured)
    (line,) = done.stderr.splitlines()

    assert done.returncode == 1
    assert f"DELETE on {settings.topic('customerio-dlq')}" in line
    assert f"ALTER_CONFIGS on {settings.topic('customerio-ledger-people')}" in line
    assert before == letters(settings)


def test_a_topic_gets_its_settings_back_also_after_a_killed_run(settings: Settings) -> None:
    """Whatever ends the wait, and by the next run."""
    admin, topic = connected_admin(settings), settings.topic("customerio-ledger-people")
    planned = {"segment.ms": "21600000", "min.cleanable.dirty.ratio": "0.2"}
    with compaction.eager_cleaning(admin, topic, planned):
        assert len(topics.check(admin, settings)) == 2
        with pytest.raises(UnavailableError, match="run it again"):
            compaction.clean_until(settings, [(topic, 0)], lambda _: False, wait_s=0, say=lambda _: None)
    assert topics.check(admin, settings) == []

    killed = compaction.eager_cleaning(admin, topic, planned)
    killed.__enter__()
    report = reported(erase(settings, "--yes", "--json"))

    assert report["erased"] == {}
    assert topics.check(admin, settings) == []
