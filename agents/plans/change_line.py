"""One person's changes within a chunk: which of them go next, together or singly, and what each verdict concludes.

Sends nothing and knows no other person; `user_changes.py` makes waves of many lines.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from agents.steps.decide import Action, Settled, after_action, after_settled, decide, operations
from agents.steps.limits import ATTRIBUTES_MAX, ITEM_BYTES_MAX
from agents.steps.translate_change import identify_body, simple_body
from schemas.conclusion import Conclusion
from schemas.delivery import Parcel, Verdict
from schemas.person_state import PersonState
from schemas.translated import Change

Conclude = Callable[[Conclusion], None]


@dataclass(slots=True)
class Group:
    """Neighbouring changes that one parcel carries, and what holds for each once it is accepted."""

    action: Action
    carried: list[Change]
    state: PersonState
    attributes: Mapping[str, object]
    settled: list[tuple[Change, Settled]] = field(default_factory=list)
    following: int = 0


class ChangeLine:
    """A person's changes in topic order; `state` is what has been accepted so far."""

    __slots__ = ("_apart_until", "_changes", "_conclude", "_next", "_opted_in", "state")

    def __init__(self, state: PersonState, conclude: Conclude) -> None:
        self.state = state
        self._conclude = conclude
        self._changes: list[Change] = []
        self._next = 0
        self._apart_until = 0  # changes before this index go singly: merged, they were refused
        self._opted_in = False  # the next change's unsuppress was accepted, its identify is still to go

    def add(self, change: Change) -> None:
        """Append the person's next change."""
        self._changes.append(change)

    def next_group(self) -> Group | None:
        """Conclude what needs no sending; return what to send next, or None when all changes are concluded.

        Later changes join the group while they are identifies (merged) or settled by what the group carries; those
        are concluded by the group's verdict, so a repeat waits for the verdict on the first.
        """
        group = self._open_group()
        if group is None:
            return None
        if group.action != "opt_in":
            self._extend(group)
        return group

    def _open_group(self) -> Group | None:
        while self._next < len(self._changes):
            change = self._changes[self._next]
            action = decide(change, self.state)
            if not isinstance(action, Settled):
                group = Group(action, [change], after_action(change, action, self.state), change.attributes)
                group.following = self._next if action == "opt_in" else self._next + 1
                return group
            self._conclude_settled(change, action)
            self.state = after_settled(change, action, self.state)
            self._next += 1
        return None

    def _extend(self, group: Group) -> None:
        if group.following == len(self._changes):
            return  # as for nearly everybody
        for change in self._changes[group.following :]:
            action = decide(change, group.state)
            if isinstance(action, Settled):
                group.settled.append((change, action))
                group.state = after_settled(change, action, group.state)
            elif action == group.action == "identify" and self._may_merge(group, change):
                group.carried.append(change)
                group.attributes = {**group.attributes, **change.attributes}
                group.state = after_action(change, action, group.state)
            else:
                return
            group.following += 1

    def _may_merge(self, group: Group, change: Change) -> bool:
        return (
            group.following >= self._apart_until
            and len(group.attributes.keys() | change.attributes.keys()) <= ATTRIBUTES_MAX
        )

    def parcel(self, group: Group) -> Parcel:
        """What to send for `group`, which is cut down to its first change if merging made it too large."""
        user_id = group.carried[0].user_id
        if group.action == "identify":
            body = identify_body(user_id, group.attributes, group.state.sent_s)
            if len(body) > ITEM_BYTES_MAX and len(group.carried) > 1:
                return self._parcel_of_first(group)
            return Parcel((body,))
        if group.action == "delete":
            return Parcel((simple_body(user_id, "suppress"), simple_body(user_id, "delete")))
        return Parcel((simple_body(user_id, "unsuppress" if group.action == "opt_in" else "suppress"),))

    def _parcel_of_first(self, group: Group) -> Parcel:
        self._apart_until = group.following
        first = group.carried[0]
        group.carried[1:], group.settled[:], group.following = [], [], self._next + 1
        group.attributes, group.state = first.attributes, after_action(first, "identify", self.state)
        return Parcel((identify_body(first.user_id, group.attributes, group.state.sent_s),))

    def settle(self, group: Group, verdict: Verdict) -> None:
        """Conclude what the verdict on the group's parcel allows; the rest is for the next group."""
        if verdict.accepted:
            self._accept(group, verdict)
        elif len(group.carried) > 1:
            self._apart_until = group.following
        else:
            self._conclude_sent(group.carried[0], verdict)
            self._next += 1

    def _accept(self, group: Group, verdict: Verdict) -> None:
        self.state = group.state
        if group.action == "opt_in":
            self._opted_in = True
            return
        for change in group.carried:
            self._conclude_sent(change, verdict)
        for change, settled in group.settled:
            self._conclude_settled(change, settled)
        self._next = group.following

    def _conclude_sent(self, change: Change, verdict: Verdict) -> None:
        opting_in = self._opted_in or (self.state.opted_out and change.opts_in)
        self._opted_in = False
        self._conclude(
            Conclusion(
                change.record,
                "delivered" if verdict.accepted else "dead",
                verdict.reason,
                verdict.detail,
                change.user_id,
                operations(change, opting_in=opting_in),
                change.fingerprint,
                None,
                verdict.status,
                verdict.attempts,
            )
        )

    def _conclude_settled(self, change: Change, settled: Settled) -> None:
        self._conclude(
            Conclusion(
                change.record,
                settled.outcome,
                settled.reason,
                settled.detail,
                change.user_id,
                operations(change),
                change.fingerprint,
            )
        )
