"""A rehearsal says when workers have not come to all records yet: what these deliver first may change its verdicts."""

from streams.settings import Settings
from tests.conftest import SettingsFactory
from tests.integration import dlq_stage as stage
from tests.integration.letter_mix import change
from tests.integration.recorded_history import History


def remarks(settings: Settings) -> list[str]:
    """What a rehearsal of all letters remarks."""
    done = stage.dlq(settings, "replay", "--all", "--what-if", "--against", "sandbox")

    assert done.returncode == 0
    return done.stderr.splitlines()


def test_it_names_where_records_wait(settings_factory: SettingsFactory) -> None:
    """Those of partitions that it rehearses; the end of a publisher's transaction is no record."""
    settings = settings_factory(topic_partitions=2)
    history = History(settings)
    stage.write_letters(settings, [stage.letter_of(change("u-1", partition=0, plan="pro"))])
    history.publish("user-changes", 3, partition=1)
    elsewhere = remarks(settings)
    history.publish("user-changes", 3)
    behind = remarks(settings)
    history.commit("user-changes", 3)

    assert [] == elsewhere
    assert [f"Records still wait for workers on {settings.topic('user-changes')}/0: they may change this"] == behind
    assert [] == remarks(settings)
