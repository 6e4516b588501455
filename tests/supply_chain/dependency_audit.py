"""`python -m tests.supply_chain.dependency_audit LOCK OSV`: asks OSV, by pip-audit, what is known against releases.

A vulnerability fails. A service that cannot be reached is said in one line, for a check must run on a train as well.
"""

import json
import re
import subprocess
import sys
from collections.abc import Mapping
from typing import Any, Final

ACCEPTED: Final[Mapping[str, str]] = {}
"""Advisories that are no matter here: by id, why, and what has to happen before it becomes one."""

REQUEST_S: Final = 10
ALL_S_MAX: Final = 120
UNREACHED: Final = re.compile(r"^requests\.exceptions\.\w+|ServiceError|vulnerability feed", re.MULTILINE)
"""How pip-audit ends without the service: by a library's exception or by its own."""


def audit(lock: str, service: str) -> int:
    """Audit what `lock` pins; 1 when something is known against it, or when it cannot be read."""
    command = [sys.executable, "-m", "pip_audit", "--vulnerability-service=osv", f"--osv-url={service}"]
    command += ["--disable-pip", "--require-hashes", f"--requirement={lock}", "--format=json", "--progress-spinner=off"]
    command += [f"--timeout={REQUEST_S}", *(f"--ignore-vuln={each}" for each in ACCEPTED)]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=ALL_S_MAX)
    except subprocess.TimeoutExpired:
        return _unaudited(lock)
    if done.stdout:
        return _judge(lock, json.loads(done.stdout)["dependencies"])
    if UNREACHED.search(done.stderr):
        return _unaudited(lock)
    sys.stderr.write(done.stderr)
    return 1


def _judge(lock: str, releases: list[dict[str, Any]]) -> int:
    faults = [
        f"{each['name']} {each.get('version', '')}: "
        + each.get("skip_reason", ", ".join(found["id"] for found in each.get("vulns", [])))
        for each in releases
        if each.get("skip_reason") or each.get("vulns")
    ]
    sys.stderr.writelines(f"{fault}\n" for fault in faults)
    if not faults:
        sys.stdout.write(f"{lock}: nothing is known against any of {len(releases)} releases\n")
    return int(bool(faults))


def _unaudited(lock: str) -> int:
    sys.stdout.write(f"{lock}: not audited, for the advisory service cannot be reached\n")
    return 0


if __name__ == "__main__":
    sys.exit(audit(*sys.argv[1:]))
