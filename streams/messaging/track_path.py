"""What is said at once over the Track API: the worker's own plan for one record, and its sender, within a deadline."""

from collections.abc import Sequence
from functools import partial
from typing import Final

from agents.plan import Plan, carry_out
from schemas.conclusion import Conclusion
from schemas.delivery import Parcel, Verdict
from schemas.errors import (
    ConfigError,
    InvalidInputError,
    RejectedError,
    StreamsError,
    UnauthorisedError,
    UnavailableError,
)
from streams.customerio.region import find_region
from streams.customerio.senders import track_sender
from streams.customerio.track import CONNECTIONS_MAX, TrackClient
from streams.delivery.ledger import PartitionMemory
from streams.delivery.throttle import Throttle
from streams.messaging.drafts import Draft
from streams.messaging.observe import MessagingMetrics
from streams.messaging.patience import Patience
from streams.settings import Settings

_NOTHING: Final = PartitionMemory()  # direct operations are not remembered: nobody is known, nothing was delivered


class TrackPath:
    """One Track API for any number of callers; its requests are no worker's, and share nothing with theirs."""

    def __init__(self, settings: Settings, client: TrackClient, throttle: Throttle, metrics: MessagingMetrics) -> None:
        self._settings = settings
        self._client = client
        self._sender = track_sender(settings, client, throttle, metrics)
        self._patience = Patience(self._sender.wire, slots=CONNECTIONS_MAX, unanswered=_unanswered)

    async def check_region(self) -> None:
        """Ask for the account's region before anything is said of anybody; what cannot be known yet is no hindrance.

        Raises:
            ConfigError: it is in another region.
            UnauthorisedError: the credentials are refused.
        """
        finding = find_region(await self._client.region(), self._settings)
        match finding.kind:
            case "wrong":
                raise ConfigError(finding.line)
            case "refused":
                raise UnauthorisedError(finding.line)
            case "unknown" | "right":
                pass

    async def say(self, draft: Draft, plan: Plan, timeout_s: float) -> Conclusion:
        """Carry out the plan for this one record, which nobody remembers anything for.

        Raises:
            StreamsError: what was said was not taken, or may not have been.
        """
        plan.add([draft])
        await self._patience.within(timeout_s, partial(carry_out, plan, _NOTHING, self._deliver))
        (conclusion,) = plan.conclusions
        if error := _error_of(conclusion):
            raise error
        return conclusion

    async def send(self, parcel: Parcel, timeout_s: float) -> None:
        """Send what no record says.

        Raises:
            StreamsError: as `say`.
        """
        (verdict,) = await self._patience.within(timeout_s, partial(self._deliver, [parcel]))
        if not verdict.accepted:
            raise _refusal(verdict.reason, verdict.detail, verdict.status)

    async def _deliver(self, parcels: Sequence[Parcel]) -> list[Verdict]:
        (parcel,) = parcels
        if parcel.anonymous:
            return [await self._sender.send_anonymous(parcel)]
        return await self._sender.send_batch(parcels)

    async def close(self) -> None:
        """End what is under way, and close the connections."""
        self._patience.close()
        await self._client.close()


def _error_of(conclusion: Conclusion) -> StreamsError | None:
    if conclusion.outcome == "delivered":
        return None
    return _refusal(conclusion.reason, conclusion.detail, conclusion.status)


def _refusal(reason: str | None, detail: str | None, status: int | None) -> StreamsError:
    match reason:
        case "malformed" | "too_large":
            return InvalidInputError(detail or reason)
        case "rejected":
            return RejectedError(f"Customer.io refuses it: {detail}", status=status)
        case _:
            return UnavailableError(f"Customer.io does not take it: {detail}")


def _unanswered(what: str) -> StreamsError:
    return UnavailableError(f"{what}: it may have been taken; say it again, an event with the same id")
