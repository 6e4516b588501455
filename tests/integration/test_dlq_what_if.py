"""`dlq replay --what-if` against reality: what it says of each letter is what the replay then does."""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import pytest

from tests.conftest import SettingsFactory
from tests.integration import dlq_stage as stage
from tests.integration.letter_mix import PARTITIONS, make_mix
from tests.integration.troubled_stage import troubled_stage

SEED: Final = 20_261_122
OF_EACH: Final = 22


@pytest.mark.parametrize("pace", [(), ("--rate", "200")], ids=["at once", "at a rate"])
def test_its_verdicts_are_what_the_replay_then_does(
    pace: Sequence[str], settings_factory: SettingsFactory, tmp_path: Path
) -> None:
    """Outcome, reason and detail of over 500 letters of every kind, judged before and found in their results.

    Also where workers get them in other portions, so that a person's deletion and event come together or apart.
    """
    settings = settings_factory(topic_partitions=PARTITIONS)
    mix = make_mix(SEED, of_each=OF_EACH)
    stage.publish(settings, mix.live)
    names = stage.write_letters(settings, (stage.letter_of(record, reason) for record, reason in mix.dead))
    with troubled_stage(settings, tmp_path, TRACK_RATE_PER_S="1000") as world:
        world.worker.wait_for(lambda: world.metric("cio_records_total") >= len(mix.live), 20)

        rehearsed = stage.told(stage.dlq(settings, "replay", "--all", "--what-if", "--json", "--against", "sandbox"))
        untouched = stage.copies(settings), stage.decisions(settings)
        done = stage.dlq(settings, "replay", "--all", "--yes", "--json", *pace)
        world.worker.wait_for(lambda: world.metric("cio_records_total") >= len(mix.live) + len(names), 30)

    found = stage.results_of_letters(settings)
    assert len(names) > 500
    assert ([], []) == untouched
    assert {str(name) for name in names} == {each["letter"] for each in rehearsed} == set(found)
    assert {each["letter"]: (each["verdict"], each["reason"], each["detail"]) for each in rehearsed} == {
        letter: (each["outcome"], each["reason"], each["detail"]) for letter, (each,) in found.items()
    }
    assert set(Counter(each["verdict"] for each in rehearsed)) == {
        *("delivered", "duplicate", "superseded", "skipped", "dead")
    }
    assert len(names) == stage.told(done)[0]["replayed"]
