"""Where promtool and prometheus are; they are brought here when they are missing, see `.ci/prometheus`."""

import subprocess
from functools import cache
from pathlib import Path

from tests.deploy.alert_rules import ROOT


@cache
def tools() -> Path:
    """The folder that has both."""
    done = subprocess.run([ROOT / ".ci" / "prometheus"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return Path(done.stdout.strip())


def promtool() -> str:
    """The program."""
    return str(tools() / "promtool")


def prometheus() -> str:
    """The program."""
    return str(tools() / "prometheus")
