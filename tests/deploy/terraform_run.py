"""What the module decides, as Terraform itself evaluates it: its variables and processes, without any provider."""

import json
import os
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from tests.deploy.hcl import MODULE

FILES: Final = ("variables.tf", "variables_systems.tf", "processes.tf")
"""These name no resource, so that they can be evaluated alone."""

OUTPUTS: Final = ("env_of", "programs", "secrets", "secrets_of", "useful_replicas", "taken_settings", "secrets_folder")

LEAST: Final[dict[str, object]] = {
    "project_id": "shop-dev",
    "region": "europe-west1",
    "environment": "dev",
    "app_id": "customerio-streams-dev",
    "topic_prefix": "dev.",
    "image": "europe-west1-docker.pkg.dev/shop-dev/images/customerio-streams:0.1.0",
    "customerio_region": "eu",
    "dataset_location": "EU",
    "kafka": {"bootstrap_servers": "kafka-1:9093,kafka-2:9093", "sasl_username": "streams"},
}
"""What must be given."""

MOST: Final[dict[str, object]] = LEAST | {
    "settings": {"LOG_LEVEL": "debug"},
    "autoscaler": {"is_on": True},
    "kafka": {
        "bootstrap_servers": "kafka-1:9093",
        "sasl_username": "streams",
        "has_ca": True,
        "has_client_certificate": True,
        "has_key_password": True,
    },
}
"""With every secret there can be."""


class Evaluation:
    """A folder in which the module's decisions are evaluated."""

    def __init__(self, folder: Path) -> None:
        assert shutil.which("terraform"), "terraform 1.11 or newer is needed: developer.hashicorp.com/terraform/install"
        self._folder = folder
        for name in FILES:
            shutil.copy(MODULE / name, folder / name)
        outputs = "".join(f'output "{name}" {{\n  value = local.{name}\n}}\n' for name in OUTPUTS)
        (folder / "outputs.tf").write_text(outputs)
        self._terraform("init", "-backend=false")

    def faults(self, **changed: object) -> str:
        """What Terraform says of these variables; nothing where they are right."""
        return self._terraform("plan", self._given(LEAST | changed)).stderr

    def outputs(self, variables: Mapping[str, object]) -> dict[str, Any]:
        """What the module decides."""
        applied = self._terraform("apply", "-auto-approve", self._given(variables))
        assert applied.returncode == 0, applied.stderr
        told = json.loads(self._terraform("output", "-json").stdout)
        return {name: each["value"] for name, each in told.items()}

    def _given(self, variables: Mapping[str, object]) -> str:
        path = self._folder / "given.tfvars.json"
        path.write_text(json.dumps(variables))
        return f"-var-file={path}"

    def _terraform(self, command: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        environ = {"PATH": os.environ["PATH"], "HOME": str(self._folder), "CHECKPOINT_DISABLE": "1"}
        plain = [] if command == "output" else ["-no-color", "-input=false"]
        return subprocess.run(
            ["terraform", command, *plain, *arguments],
            cwd=self._folder,
            env=environ,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
