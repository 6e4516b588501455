"""Lets aiokafka's heartbeats renew the lease: the only place that looks into its group coordinator's own."""

import contextlib
from typing import Any

from aiokafka.errors import KafkaError

from streams.kafka.lease import Lease


async def renew_with_heartbeats(coordinator: Any, lease: Lease) -> None:  # noqa: ANN401 - aiokafka is untyped
    """Hold the lease for as long as heartbeats are answered; the news of an assignment may be old: ask at once."""
    beat = type(coordinator)._do_heartbeat  # noqa: SLF001 - a test holds aiokafka to it

    async def watched() -> bool:
        asked_at_s = lease.now_s()
        is_member: bool = await beat(coordinator)
        if is_member:
            lease.renew(asked_at_s)
        elif coordinator.generation < 0:
            lease.end()
        return is_member

    coordinator._do_heartbeat = watched  # noqa: SLF001 - as above
    with contextlib.suppress(KafkaError):  # the next one meets it too, and tells
        await watched()
