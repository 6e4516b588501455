"""What is remembered of a send: the value of `customerio-ledger-sends`, whose key is the message_id or trigger_id."""

from typing import Literal, TypeAlias

SendKind: TypeAlias = Literal["message", "trigger"]
