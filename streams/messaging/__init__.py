"""Customer.io for application code: at once (`MessagingService`) or through Kafka (`QueuedMessaging`)."""

from streams.messaging.account import Account, Rates
from streams.messaging.drafts import UserFields
from streams.messaging.observe import OperationDone
from streams.messaging.service import MessagingService

__all__ = ["Account", "MessagingService", "OperationDone", "Rates", "UserFields"]
