""".github/workflows/ci.yml and .ci/run: one says what the other says, and the release builds the image as it should."""

import re
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


def test_it_has_the_least_rights() -> None:
    """It reads the repository; only the release writes, and only packages. No step leaves a token in the work tree."""
    checkouts = [
        step for job in JOBS.values() for step in job["steps"] if step.get("uses", "").startswith("actions/checkout@")
    ]

    assert WORKFLOW["permissions"] == {"contents": "read"}
    assert {name: job.get("permissions") for name, job in JOBS.items()} == {
        "check-and-test": None,
        "image": {"contents": "read", "packages": "write"},
    }
    assert len(checkouts) == len(JOBS)
    assert [step["with"]["persist-credentials"] for step in checkouts] == [False] * len(JOBS)


def test_its_actions_have_versions() -> None:
    """What a branch holds is another action tomorrow."""
    used = [step["uses"] for job in JOBS.values() for step in job["steps"] if "uses" in step]

    assert [each for each in used if not re.fullmatch(r"[\w-]+/[\w-]+@(v\d+(\.\d+)*|[0-9a-f]{40})", each)] == []


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
