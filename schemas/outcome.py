"""What became of a record, in the closed vocabulary of the results topic."""

from typing import Literal, TypeAlias

Outcome: TypeAlias = Literal["delivered", "duplicate", "superseded", "skipped", "dead"]
DeadReason: TypeAlias = Literal["malformed", "too_large", "rejected", "retries_exhausted", "ambiguous_send"]
Reason: TypeAlias = (
    DeadReason | Literal["fingerprint", "older_version", "older_timestamp", "user_deleted", "user_opted_out"]
)
OperationName: TypeAlias = Literal[
    "identify",
    "suppress",
    "unsuppress",
    "delete",
    "event",
    "send_email",
    "send_push",
    "send_sms",
    "send_in_app",
    "trigger_broadcast",
]
