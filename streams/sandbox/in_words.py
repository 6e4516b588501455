"""Says in words how a sandbox misbehaves just now, for its page. No secret is among them."""

from collections.abc import Iterator

from streams.sandbox.account import Account
from streams.sandbox.faults import Faults
from streams.sandbox.gate import Gate


def describe(gate: Gate) -> list[str]:
    """Return one sentence for each thing that is not as it is by default; none when all is well."""
    faults, account = gate.faults.value, gate.account.value
    sentences = [*_drawn(faults, left=gate.plan.left), *_limits(faults), *_credentials(account)]
    if gate.is_wrong_region:
        status = account.wrong_region_status
        sentences.append(f"the account is in {account.region}, this host in {gate.region}: {status}")
    return sentences


def _drawn(faults: Faults, *, left: int | None) -> Iterator[str]:
    if faults.rate and left != 0:
        paths = f" to {', '.join(faults.paths)}" if faults.paths else ""
        body = f" that contain {faults.containing}" if faults.containing is not None else ""
        still = f", {left} more times" if left is not None else ""
        yield f"{faults.rate:.0%} of the requests{paths}{body} meet {', '.join(faults.kinds)}{still}"


def _limits(faults: Faults) -> Iterator[str]:
    if faults.latency_ms:
        yield f"every answer takes {faults.latency_ms:g} ms"
    if faults.rate_limit_per_s is not None:
        yield f"more than {faults.rate_limit_per_s} requests/s are refused"
    if faults.soft_limit_per_s is not None:
        yield f"more than {faults.soft_limit_per_s} requests/s are dropped silently"
    if faults.send_limit_per_s is not None:
        yield f"more than {faults.send_limit_per_s} sends/s are refused"
    if faults.daily_quota is not None:
        yield f"more than {faults.daily_quota} requests a day are refused"


def _credentials(account: Account) -> Iterator[str]:
    if account.site_id is not None:
        yield f"only site id {account.site_id} is accepted"
    if account.track_api_key is not None:
        yield "only one Track API key is accepted"
    if account.app_api_key is not None:
        yield "only one App API key is accepted"
    if account.features_off:
        yield f"sends over {', '.join(account.features_off)} are not enabled"
