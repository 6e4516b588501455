"""What becomes of one send: by what is remembered of its id and its person, or by the verdict on it. Sends nothing."""

from typing import Literal, NamedTuple, TypeAlias

from schemas.conclusion import Conclusion
from schemas.delivery import Verdict
from schemas.outcome import Outcome, Reason
from schemas.person_state import is_out
from schemas.send_memory import SendState
from schemas.translated import Send


class Settled(NamedTuple):
    """Nothing is to be sent."""

    outcome: Outcome
    reason: Reason
    detail: str | None = None


Decision: TypeAlias = Settled | Literal["send"]

_DUPLICATE = Settled("duplicate", "fingerprint")
_UNCERTAIN = Settled(
    "dead", "ambiguous_send", "it was about to be sent when work on it ended, so it may or may not have gone out"
)
_UNCERTAIN_BEFORE = Settled("dead", "ambiguous_send", "a send with its id may or may not have gone out")


def decide_send(send: Send, state: SendState, person: bytes | None) -> Decision:
    """Judge by the memory of its id, then by that of its person (packed); what is left is sent."""
    if state.intent == send.place:
        return _UNCERTAIN
    if state.known == "sent":
        return _DUPLICATE  # whoever wanted it once more has it: letters of one id are replayed together
    if not send.even_if_sent and (state.known == "ambiguous" or state.intent is not None):
        return _UNCERTAIN_BEFORE
    if person is None or send.even_unsubscribed:
        return "send"
    is_deleted, is_opted_out = is_out(person)
    if is_deleted:
        return Settled("skipped", "user_deleted")
    return Settled("skipped", "user_opted_out") if is_opted_out else "send"


def conclude_settled(send: Send, settled: Settled) -> Conclusion:
    """The conclusion of a send that did not go out."""
    return _conclusion(send, settled.outcome, settled.reason, detail=settled.detail)


def conclude_sent(send: Send, verdict: Verdict) -> Conclusion:
    """The conclusion of a send that went out, or was refused, or may have gone out."""
    outcome: Outcome = "delivered" if verdict.accepted else "dead"
    concluded = _conclusion(send, outcome, verdict.reason, detail=verdict.detail)
    return concluded._replace(status=verdict.status, attempts=verdict.attempts, delivery_id=verdict.delivery_id)


def _conclusion(send: Send, outcome: Outcome, reason: Reason | None, *, detail: str | None) -> Conclusion:
    return Conclusion(send.record, outcome, reason, detail, send.user_id, (send.operation,), send.fingerprint)
