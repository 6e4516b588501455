"""The workflow, .ci/run and the Makefile: one says what the other says; the release builds the image as it should."""

import os
import re
import subprocess
from pathlib import Path
from typing import Any

import yaml

from tests.deploy.dockerfile import ROOT, instructions

WORKFLOW: dict[str, Any] = yaml.safe_load((ROOT / ".github" / "workflows" / "ci.yml").read_text())
JOBS = WORKFLOW["jobs"]


def test_it_runs_the_commands_of_ci_run() -> None:
    """In the same order, and no others."""
    script = (ROOT / ".ci" / "run").read_text().splitlines()
    expected = [line for line in script if line and not re.match(r"#|set |cd ", line)]
    actual = [step["run"] for step in JOBS["check-and-test"]["steps"] if "run" in step]

    assert "make check" in expected
    assert expected == actual


def test_make_lists_each_target_once() -> None:
    """Two lines for one target are what a merge leaves behind."""
    targets = re.findall(r"^([a-z]+):(?!=)", (ROOT / "Makefile").read_text(), re.MULTILINE)

    assert "check" in targets
    assert sorted(set(targets)) == sorted(targets)


def test_a_release_is_tested_first_and_says_what_it_is_made_of() -> None:
    """For both platforms, with provenance and SBOM, by arguments that the Dockerfile has."""
    job = JOBS["image"]
    (build,) = [step["with"] for step in job["steps"] if step.get("uses", "").startswith("docker/build-push-action@")]
    known = {each.rest.partition("=")[0] for each in instructions() if each.word == "ARG"}

    assert (job["needs"], job["if"]) == ("check-and-test", "startsWith(github.ref, 'refs/tags/v')")
    assert build["platforms"].split(",") == ["linux/amd64", "linux/arm64"]
    assert (build["provenance"], build["sbom"]) == ("mode=max", True)
    assert (ROOT / build["file"]).is_file()
    assert {line.partition("=")[0] for line in build["build-args"].splitlines()} <= known


def test_a_release_is_called_as_deploy_asks_for_it(tmp_path: Path) -> None:
    """The overlays name `0.1.0`; an image `v0.1.0` would be pulled by nobody."""
    steps = JOBS["image"]["steps"]
    (build,) = [step["with"] for step in steps if step.get("uses", "").startswith("docker/build-push-action@")]
    (script,) = [step["run"] for step in steps if step.get("id") == "release"]
    overlay = yaml.safe_load((ROOT / "deploy" / "k8s" / "overlays" / "prod" / "kustomization.yaml").read_text())
    (image,) = overlay["images"]
    output = tmp_path / "output"
    environment = {**os.environ, "GITHUB_REF_NAME": f"v{image['newTag']}", "GITHUB_OUTPUT": str(output)}
    subprocess.run(["bash", "-c", script], env=environment, check=True)
    tag = build["tags"].replace("${{ steps.release.outputs.version }}", output.read_text().strip().partition("=")[2])

    assert tag.replace("${{ github.repository }}", "customerio-streams/customerio-streams") == (
        f"{image['newName']}:{image['newTag']}"
    )
