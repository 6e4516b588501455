"""What BigQuery may answer besides yes, and what the loader then does and says."""

from collections.abc import Iterator
from dataclasses import replace

import pytest
from google.api_core.exceptions import RetryError
from google.rpc.code_pb2 import Code

from schemas.errors import ConfigError, UnavailableError
from streams.warehouse.bigquery import rest
from streams.warehouse.bigquery.rest import meaning
from streams.warehouse.bigquery.tries import REFUSED_S_MAX, TRIES_MAX, TRYING_S_MAX
from streams.warehouse.bigquery.warehouse import NOTE_US
from tests.fake_bigquery.rest import RefusedError
from tests.fake_bigquery.world import World, bigquery_world, one
from tests.fake_bigquery.write_service import Fault, How, On, StorageCode
from tests.warehouse_world import place, webhook_batch


@pytest.fixture
def world() -> Iterator[World]:
    """Give an empty dataset."""
    with bigquery_world() as made:
        yield made


@pytest.mark.parametrize("how", ["response", "call"])
@pytest.mark.parametrize("code", [Code.RESOURCE_EXHAUSTED, Code.UNAVAILABLE, Code.INTERNAL, Code.ABORTED])
def test_what_may_pass_is_tried_again_with_growing_pauses(world: World, code: int, how: How) -> None:
    """On the same stream, with the same rows."""
    loader = world.prepared()
    loader.append(one())
    world.write.faults.extend([Fault(code=code, how=how)] * (TRIES_MAX - 1))
    loader.append(one(1, "b"))

    assert ["a", "b"] == [row["event_id"] for row in world.rows()]
    assert [0.1875, 0.375, 0.75, 1.5] == world.slept
    assert 1 == len(world.write.streams)


def test_a_quota_that_stays_used_up_is_said_and_nothing_is_lost(world: World) -> None:
    """The loader holds, and gives the same rows again."""
    loader = world.prepared()
    loader.append(one())
    world.write.faults.extend([Fault(code=Code.RESOURCE_EXHAUSTED)] * TRIES_MAX)
    with pytest.raises(UnavailableError) as caught:
        loader.append(one(1, "b"))
    loader.append(one(1, "b"))

    assert "BigQuery says RESOURCE_EXHAUSTED: a quota is used up" == str(caught.value)
    assert ["a", "b"] == [row["event_id"] for row in world.rows()]


def test_tries_that_take_long_are_not_repeated(world: World) -> None:
    """Whoever watches the loader hears that it waits."""
    loader = world.prepared()
    loader.append(one())
    world.write.faults.extend([Fault(code=Code.DEADLINE_EXCEEDED, how="call")] * 3)

    def take_long(_: str) -> None:
        world.now_s += TRYING_S_MAX / 2

    world.write.before_append = take_long
    with pytest.raises(UnavailableError, match="DEADLINE_EXCEEDED"):
        loader.append(one(1, "b"))

    assert 1 == len(world.slept)


@pytest.mark.parametrize("on", ["append", "create"])
def test_who_may_not_write_for_a_moment_goes_on(world: World, on: On) -> None:
    """BigQuery says so too of what it does not know yet, and while roles change."""
    loader = world.prepared()
    if on == "append":
        loader.append(one())
    world.write.faults.append(Fault(on=on, code=Code.PERMISSION_DENIED, how="call"))
    loader.append(one(1, "b"))

    assert "b" == world.rows()[-1]["event_id"]


@pytest.mark.parametrize("on", ["append", "create"])
def test_who_may_not_write_for_minutes_is_told_what_to_do(world: World, on: On) -> None:
    """At first it is waited for, with the same hint; success in between begins the minutes anew."""
    loader = world.prepared()
    loader.append(one())
    if on == "create":
        world.write.streams[loader._lanes[place()].stream].is_finalised = True
    world.write.faults.extend([Fault(on=on, code=Code.PERMISSION_DENIED, how="call")] * 2 * TRIES_MAX)
    with pytest.raises(UnavailableError, match=r"PERMISSION_DENIED .*webhooks_raw: give it roles/bigquery.dataEditor"):
        loader.append(one(1, "b"))
    world.now_s += REFUSED_S_MAX
    with pytest.raises(ConfigError, match=r"PERMISSION_DENIED .*webhooks_raw: give it roles/bigquery.dataEditor"):
        loader.append(one(1, "b"))


def test_a_refusal_is_forgotten_where_rows_were_taken(world: World) -> None:
    """Only one that lasts ends the loader."""
    loader = world.prepared()
    loader.append(one())
    for offset in (1, 2):
        world.now_s += REFUSED_S_MAX
        world.write.faults.append(Fault(code=Code.PERMISSION_DENIED))
        loader.append(one(offset, "b"))

    assert 3 == len(world.rows())


@pytest.mark.parametrize(
    ("refusal", "kind", "said"),
    [
        (RefusedError(403, "accessDenied"), ConfigError, "refuses the account for dataset p-1.crm.*jobUser"),
        (RefusedError(401, "authError"), ConfigError, "credentials cannot be used"),
        (RefusedError(403, "quotaExceeded"), UnavailableError, "a quota is used up for dataset p-1.crm"),
        (RefusedError(400, "invalid"), ConfigError, "cannot do that with dataset p-1.crm"),
        (RefusedError(412, "conditionNotMet"), UnavailableError, "does not answer"),
        (RefusedError(400, "tableUnavailable"), UnavailableError, "does not answer"),
        (RefusedError(400, "resourceInUse"), UnavailableError, "does not answer"),
        (RefusedError(400, "resourcesExceeded"), UnavailableError, "does not answer"),
    ],
)
def test_refusals_of_the_rest_api_are_one_line(
    world: World, refusal: RefusedError, kind: type[Exception], said: str
) -> None:
    """By what is to be done about them."""
    loader = world.prepared()
    world.rest.refusals.append(refusal)
    with pytest.raises(kind, match=said) as caught:
        loader.progress()

    assert "\n" not in str(caught.value)


def test_a_short_outage_of_the_rest_api_passes_unnoticed(world: World) -> None:
    """Its client asks again."""
    loader = world.prepared()
    world.rest.refusals.append(RefusedError(503, "backendError"))

    assert {} == loader.progress()


def test_a_query_that_does_not_end_is_waited_for_by_the_loader(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """The process goes on; the limit is made short here, for real time goes by."""
    monkeypatch.setattr(rest, "QUERY_S", 0.2)
    loader = world.prepared()
    world.rest.is_slow = True
    with pytest.raises(UnavailableError, match=r"does not answer about dataset p-1\.crm in time"):
        loader.progress()
    world.rest.is_slow = False

    assert {} == loader.progress()


def test_tables_are_prepared_through_a_short_trouble(world: World) -> None:
    """A loader that starts meanwhile does not end."""
    world.rest.refusals.append(RefusedError(412, "conditionNotMet"))
    world.prepared().append(one())

    assert (1, 1) == (len(world.rows()), len(world.slept))


def test_tables_that_cannot_be_prepared_are_said(world: World) -> None:
    """After some tries."""
    world.rest.refusals.extend([RefusedError(412, "conditionNotMet")] * TRIES_MAX)
    with pytest.raises(UnavailableError, match="does not answer"):
        world.prepared()

    assert TRIES_MAX - 1 == len(world.slept)


def test_a_network_that_is_away_is_said() -> None:
    """Its client has asked again for a while by then."""
    away = RetryError("", ConnectionError())  # type: ignore[no-untyped-call]  # untyped in a typed package

    assert "BigQuery cannot be reached (ConnectionError)" == str(meaning(away, "anything"))


def test_a_dataset_that_is_missing_is_said() -> None:
    """It is not made: where people's data lies is not ours to choose."""
    with bigquery_world(has_dataset=False) as world, pytest.raises(ConfigError, match=r"p-1\.crm .*make the dataset"):
        world.prepared()


def test_a_table_that_the_write_api_does_not_know_yet_is_waited_for(world: World) -> None:
    """It was made a moment ago."""
    loader = world.prepared()
    world.write.faults.append(Fault(on="create", code=Code.NOT_FOUND))
    loader.append(one())

    assert (1, 1) == (len(world.rows()), len(world.slept))


def test_a_table_that_is_gone_is_said(world: World) -> None:
    """Nothing is made anew while it is in use."""
    loader = world.prepared()
    del world.data.tables["webhooks_raw"]

    with pytest.raises(ConfigError, match=r"BigQuery has not all of the table p-1\.crm\.webhooks_raw"):
        loader.append(one())


def test_a_new_column_that_the_write_api_does_not_know_yet_is_waited_for(world: World) -> None:
    """It learns of it within minutes."""
    loader = world.prepared()
    extra = Fault(code=Code.INVALID_ARGUMENT, storage=StorageCode.SCHEMA_MISMATCH_EXTRA_FIELDS)
    world.write.faults.extend([Fault(on="append", how="new_columns"), *[extra] * TRIES_MAX])
    with pytest.raises(UnavailableError, match="SCHEMA_MISMATCH_EXTRA_FIELDS: its write API does not know a new"):
        loader.append(one())
    loader.append(one())

    assert 1 == len(world.rows())


def test_a_table_that_changes_meanwhile_is_looked_at(world: World) -> None:
    """A column more is fine; one of ours that became another one is not."""
    loader = world.prepared()
    loader.append(one())
    world.write.faults.append(Fault(how="new_columns"))
    loader.append(one(1, "b"))
    world.write.faults.append(Fault(how="new_columns"))
    fields = world.data.tables["webhooks_raw"]["schema"]["fields"]
    next(each for each in fields if each["name"] == "metric")["mode"] = "REQUIRED"
    with pytest.raises(ConfigError, match="metric is required, but may be null"):
        loader.append(one(2, "c"))

    assert 3 == len(world.rows())


def test_a_partition_without_rows_costs_nothing(world: World) -> None:
    """No stream is opened for it."""
    loader = world.prepared()
    loader.append([replace(webhook_batch([]), next_offset=7)])

    assert ({place(): 7}, 0) == (loader.progress(), len(world.write.streams))


def test_a_connection_that_is_closed_is_opened_anew(world: World) -> None:
    """BigQuery closes those that lie idle."""
    loader = world.prepared()
    loader.append(one())
    world.write.faults.append(Fault(how="end"))
    loader.append(one(1, "b"))

    assert (2, 1) == (len(world.rows()), len(world.write.streams))


def test_a_connection_is_not_kept_for_ever(world: World) -> None:
    """Its deadline would come in the middle of an append."""
    loader = world.prepared()
    loader.append(one())
    connection = loader._lanes[place()]._connection
    assert connection is not None
    connection._old_s = 0.0
    loader.append(one(1, "b"))

    assert (2, []) == (len(world.rows()), world.slept)
    assert connection is not loader._lanes[place()]._connection


def test_who_may_not_note_its_streams_is_told_what_to_do(world: World) -> None:
    """Without notes nobody could shut it out."""
    loader = world.prepared()
    world.write.faults.extend([Fault(code=Code.PERMISSION_DENIED)] * TRIES_MAX)
    with pytest.raises(
        UnavailableError, match=r"PERMISSION_DENIED .*write_streams: give it roles/bigquery\.dataEditor"
    ):
        loader.append(one())

    assert [] == world.rows()


def test_notes_of_progress_may_fail(world: World) -> None:
    """The rows tell as well."""
    loader = world.prepared()
    loader.append(one())
    world.now_s += NOTE_US / 1e6 + 1
    world.write.before_append = lambda _: world.write.faults.append(Fault(code=Code.INTERNAL))
    loader.append(one())
    world.write.before_append = lambda _: None
    world.write.faults.clear()

    assert {place(): 1} == loader.progress()
