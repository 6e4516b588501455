"""Which setting says where each process listens that answers probes and scrapes."""

from typing import Final

PORT_SETTINGS: Final = {
    "worker": "http_port",
    "webhooks": "webhook_port",
    "warehouse": "warehouse_port",
    "dlq-watch": "dlq_watch_port",
}
