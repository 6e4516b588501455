"""One person's changes: what merges, what a refusal takes apart, what waits for whose verdict."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import orjson
import pytest

from agents.plans.change_line import ChangeLine
from agents.steps.limits import ATTRIBUTES_MAX, ITEM_BYTES_MAX
from agents.steps.translate_change import translate_change
from schemas.conclusion import Conclusion
from schemas.delivery import Verdict
from schemas.person_state import UNKNOWN, PersonState
from schemas.translated import Change
from tests.builders import make_change, make_deletion, verdict_on
from tests.unit.input_records import InputRecord

OUT = {"marketing": False, "transactional": False}
YES, NO = verdict_on(accepted=True), verdict_on(accepted=False)


@dataclass(slots=True)
class Told:
    """A line carried out with given verdicts, and all that can be seen of it."""

    line: ChangeLine
    conclusions: list[Conclusion]
    sent: list[list[dict[str, object]]] = field(default_factory=list)

    @property
    def outcomes(self) -> list[str]:
        """By offset."""
        return [each.outcome for each in sorted(self.conclusions, key=lambda each: each.record.offset)]

    def of(self, offset: int) -> Conclusion:
        """The conclusion of one record."""
        (found,) = [each for each in self.conclusions if each.record.offset == offset]
        return found


def run(records: Sequence[InputRecord], *verdicts: Verdict, state: PersonState = UNKNOWN) -> Told:
    """Carry a line out; after the given verdicts everything is accepted."""
    conclusions: list[Conclusion] = []
    told = Told(ChangeLine(state, conclusions.append), conclusions)
    for record in records:
        change = translate_change(record)
        assert isinstance(change, Change)
        told.line.add(change)
    given = iter(verdicts)
    while group := told.line.next_group():
        told.sent.append([orjson.loads(body) for body in told.line.parcel(group).bodies])
        told.line.settle(group, next(given, YES))
    return told


def attributes(told: Told, wave: int) -> dict[str, object]:
    """Those of the identify that a wave sent."""
    found = told.sent[wave][0]["attributes"]
    assert isinstance(found, dict)
    return found


def test_neighbouring_identifies_are_one_and_later_values_win() -> None:
    """Three changes, one identify, three deliveries."""
    told = run(
        [
            make_change(offset=0, plan="free", attributes={"city": "Paris"}),
            make_change(offset=1, plan="pro"),
            make_change(offset=2, email="ada@example.com", occurred_at=1_000),
        ]
    )

    assert told.outcomes == ["delivered"] * 3
    assert len(told.sent) == 1
    assert attributes(told, 0) == {
        "plan": "pro",
        "city": "Paris",
        "email": "ada@example.com",
        "last_seen_at": 1_000,
    }


def test_merged_records_keep_their_own_fingerprints() -> None:
    """Each is that of the record sent alone, and the last one's is remembered."""
    records = [make_change(offset=0, plan="free"), make_change(offset=1, plan="pro")]
    alone = [run([record]).of(record.offset).fingerprint for record in records]
    told = run(records)

    assert [told.of(offset).fingerprint for offset in (0, 1)] == alone
    assert told.line.state.fingerprint == alone[1]


def test_merged_records_share_status_and_attempts() -> None:
    """Those of the request that carried them; what it settles was never sent."""
    verdict = Verdict(accepted=True, status=207, attempts=3)
    told = run([make_change(offset=n, plan=plan) for n, plan in enumerate(["a", "b", "b"])], verdict)

    assert [(c.status, c.attempts) for c in map(told.of, range(3))] == [(207, 3), (207, 3), (None, 0)]


def test_a_b_a_are_three_deliveries_in_one_identify() -> None:
    """The last A is no repeat of the first: B stands between."""
    told = run([make_change(offset=n, plan=plan) for n, plan in enumerate("aba")])

    assert (told.outcomes, len(told.sent)) == (["delivered"] * 3, 1)
    assert attributes(told, 0)["plan"] == "a"


def test_the_timestamp_sent_is_the_highest_and_never_below_the_last() -> None:
    """A newer version with an older time goes out with the time known to Customer.io."""
    early = make_change(version=2, occurred_at=500, plan="pro")
    later, earlier = (
        make_change(offset=1, occurred_at=900, version=3, plan="free"),
        make_change(offset=2, occurred_at=700, version=4, plan="team"),
    )

    assert run([early], state=PersonState(sent_s=800, version=1)).sent[0][0]["timestamp"] == 800
    merged = run([early, later, earlier])
    assert (merged.sent[0][0]["timestamp"], attributes(merged, 0)["last_seen_at"]) == (900, 700)


def test_a_refused_merged_identify_is_taken_apart() -> None:
    """Each goes alone, and only the bad one is dead."""
    records = [make_change(offset=n, plan=plan) for n, plan in enumerate("abc")]
    told = run(records, NO, YES, NO, YES)

    assert told.outcomes == ["delivered", "dead", "delivered"]
    assert [items[0]["attributes"]["plan"] for items in told.sent] == ["c", "a", "b", "c"]  # type: ignore[index]
    assert (told.of(1).reason, told.of(1).detail, told.of(1).status) == ("rejected", NO.detail, 207)
    assert told.line.state.fingerprint == told.of(2).fingerprint


def test_what_comes_after_a_taken_apart_group_merges_again() -> None:
    """Only those that were refused together go singly."""
    records = [make_change(offset=n, plan=plan) for n, plan in enumerate("ab")]
    later = [make_deletion(offset=2)]
    told = run([*records, *later], NO)

    assert [[item["action"] for item in items] for items in told.sent] == [
        ["identify"],
        ["identify"],
        ["identify"],
        ["suppress", "delete"],
    ]


def test_a_repeat_waits_for_the_first_and_is_tried_when_it_died() -> None:
    """A repeat of a dead one is no duplicate."""
    records = [make_change(offset=n, plan="pro") for n in range(3)]

    assert run(records).outcomes == ["delivered", "duplicate", "duplicate"]
    assert run(records, NO).outcomes == ["dead", "delivered", "duplicate"]
    assert run(records, NO, NO, NO).outcomes == ["dead", "dead", "dead"]


def test_what_a_dead_one_would_have_superseded_is_tried() -> None:
    """Nothing is older than what was never delivered."""
    records = [make_change(offset=0, version=5, plan="pro"), make_change(offset=1, version=3, plan="free")]

    assert run(records).outcomes == ["delivered", "superseded"]
    assert run(records, NO).outcomes == ["dead", "delivered"]


@pytest.mark.parametrize(("verdict", "outcomes"), [(YES, ["delivered", "skipped"]), (NO, ["dead", "delivered"])])
@pytest.mark.parametrize("first", [make_change(preferences=OUT), make_deletion()])
def test_what_follows_an_end_hangs_on_its_verdict(first: InputRecord, verdict: Verdict, outcomes: list[str]) -> None:
    """An upsert after a refused opt-out or deletion is sent after all."""
    assert outcomes == run([first, make_change(offset=1, plan="pro")], verdict).outcomes


def test_opting_in_again_takes_two_requests() -> None:
    """First the unsuppress, then the identify, one result that names both."""
    told = run([make_change(preferences=OUT), make_change(offset=1, preferences={"marketing": True})])

    assert [[item["action"] for item in items] for items in told.sent] == [["suppress"], ["unsuppress"], ["identify"]]
    assert told.of(1).operations == ("unsuppress", "identify")
    assert (told.line.state.opted_out, told.outcomes) == (False, ["delivered", "delivered"])


def test_a_refused_unsuppress_is_dead_and_leaves_the_opt_out() -> None:
    """The identify is not sent, and the next opt-in starts over."""
    opt_in = make_change(offset=1, preferences={"marketing": True})
    told = run([make_change(preferences=OUT), opt_in], YES, NO)

    assert (told.outcomes, told.line.state.opted_out, len(told.sent)) == (["delivered", "dead"], True, 2)
    assert told.of(1).operations == ("unsuppress", "identify")


def test_a_refused_identify_after_the_unsuppress_is_dead_and_opted_in() -> None:
    """What was accepted is remembered; a repeat sends the identify alone."""
    opt_ins = [make_change(offset=n, preferences={"marketing": True}) for n in (1, 2)]
    told = run([make_change(preferences=OUT), *opt_ins], YES, YES, NO, YES)

    assert told.outcomes == ["delivered", "dead", "delivered"]
    assert [told.of(n).operations for n in (1, 2)] == [("unsuppress", "identify"), ("identify",)]


def test_a_merged_opt_in_names_the_unsuppress_once() -> None:
    """It belongs to the change that opted in, not to those merged with it."""
    told = run(
        [make_change(preferences=OUT), make_change(offset=1, preferences={"marketing": True}), make_change(offset=2)]
    )

    assert [told.of(n).operations for n in (1, 2)] == [("unsuppress", "identify"), ("identify",)]
    assert len(told.sent) == 3


def test_a_merged_identify_is_cut_down_when_it_grows_too_large() -> None:
    """Both are delivered, each within the limit."""
    names = [[f"{letter}{n:02}" for n in range(20)] for letter in "ab"]
    told = run([make_change(offset=n, attributes=dict.fromkeys(group, "x" * 900)) for n, group in enumerate(names)])

    assert told.outcomes == ["delivered"] * 2
    assert len(told.sent) == 2
    assert all(len(orjson.dumps(items[0])) <= ITEM_BYTES_MAX for items in told.sent)
    assert [set(attributes(told, n)) for n in (0, 1)] == [{*group, "last_seen_at"} for group in names]


def test_a_merged_identify_never_has_too_many_attributes() -> None:
    """Exactly as many as Customer.io takes are merged, one more is not."""

    def both(second: int) -> Told:
        first = {f"a{n}": n for n in range(200)}
        return run(
            [make_change(attributes=first), make_change(offset=1, attributes={f"b{n}": n for n in range(second)})]
        )

    fitting = ATTRIBUTES_MAX - 200 - 1  # last_seen_at is one too

    assert (len(both(fitting).sent), len(both(fitting + 1).sent)) == (1, 2)


def test_a_change_of_kind_is_sent_later() -> None:
    """Identify, suppress and deletion of a person never share a request; suppress and delete do."""
    told = run([make_change(plan="pro"), make_change(offset=1, preferences=OUT), make_deletion(offset=2)])

    assert [[item["action"] for item in items] for items in told.sent] == [
        ["identify"],
        ["suppress"],
        ["suppress", "delete"],
    ]


def test_a_duplicate_moves_on_what_is_older() -> None:
    """A repeat with a newer version supersedes what lies between, in the same chunk too."""
    records = [
        make_change(offset=0, version=1, plan="pro"),
        make_change(offset=1, version=5, plan="pro"),
        make_change(offset=2, version=3, plan="free"),
    ]
    told = run(records)

    assert told.outcomes == ["delivered", "duplicate", "superseded"]
    assert (told.line.state.version, len(told.sent)) == (5, 1)
