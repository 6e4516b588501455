"""Customer.io for application code: at once (`MessagingService`) or through Kafka (`QueuedMessaging`)."""

from schemas.errors import (
    AmbiguousSendError,
    BusyError,
    ConfigError,
    InvalidInputError,
    RejectedError,
    StreamsError,
    UnauthorisedError,
    UnavailableError,
)
from streams.messaging.account import Account, Rates
from streams.messaging.drafts import UserFields
from streams.messaging.observe import OperationDone
from streams.messaging.queued import QueuedMessaging
from streams.messaging.queued_blocking import BlockingQueuedMessaging
from streams.messaging.record_writer import Written
from streams.messaging.service import MessagingService
from streams.messaging.user_repository import User, UserLike, UserMessagingRepository, UserVerbs
from streams.settings import Settings, load_settings

__all__ = [
    "Account",
    "AmbiguousSendError",
    "BlockingQueuedMessaging",
    "BusyError",
    "ConfigError",
    "InvalidInputError",
    "MessagingService",
    "OperationDone",
    "QueuedMessaging",
    "Rates",
    "RejectedError",
    "Settings",
    "StreamsError",
    "UnauthorisedError",
    "UnavailableError",
    "User",
    "UserFields",
    "UserLike",
    "UserMessagingRepository",
    "UserVerbs",
    "Written",
    "load_settings",
]
