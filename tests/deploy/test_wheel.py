"""The image's start without an engine: the wheel, built from what the builder gets, in an environment of its own.

The commands are the Dockerfile's. Our code comes from the wheel alone, what it needs from this test's
environment: so our wheel and its start are proven, not that the lock can be installed.
"""

import os
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Sequence
from pathlib import Path
from zipfile import ZipFile

import pytest

from tests.deploy.dockerfile import ROOT, copied, stages

S_MAX = 60


def call(command: Sequence[str | Path], folder: Path) -> subprocess.CompletedProcess[str]:
    """Run a command in a folder, without what this machine has set."""
    environment = {"PATH": os.environ["PATH"], "HOME": str(folder), "KAFKA_BOOTSTRAP_SERVERS": "127.0.0.1:1"}
    return subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, timeout=S_MAX, check=False
    )


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give the wheel, built in a folder that has nothing but what the Dockerfile copies."""
    folder = tmp_path_factory.mktemp("build")
    for source, target in copied(stages()[0]):
        place = folder / target / (Path(source).name if target.endswith("/") else "")
        place.parent.mkdir(parents=True, exist_ok=True)
        if (ROOT / source).is_dir():
            shutil.copytree(ROOT / source, place, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(ROOT / source, place)
    pip = [sys.executable, "-m", "pip", "wheel", "--no-index", "--no-deps", "--no-build-isolation"]
    built = call([*pip, "--wheel-dir", "wheels", "."], folder)
    assert built.returncode == 0, built.stderr
    (found,) = (folder / "wheels").glob("*.whl")
    return found


@pytest.fixture(scope="module")
def command(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give `cio-streams` of an environment that has no pip and the wheel."""
    venv = tmp_path_factory.mktemp("image") / "venv"
    folder = venv.parent
    made = call([sys.executable, "-m", "venv", "--without-pip", venv], folder)
    assert made.returncode == 0, made.stderr
    python = venv / "bin" / "python"
    pip: list[str | Path] = [sys.executable, "-m", "pip", "--python", python, "install", "--no-index", "--no-deps"]
    installed = call([*pip, wheel], folder)
    assert installed.returncode == 0, installed.stderr
    # The folder is searched for modules, but its own .pth files, that of our editable install too, are not read.
    (own,) = (venv / "lib").glob("python3*/site-packages")
    (own / "dependencies.pth").write_text(sysconfig.get_path("purelib") + "\n")
    return venv / "bin" / "cio-streams"


@pytest.fixture
def elsewhere(tmp_path: Path) -> Path:
    """Give an empty folder to run in, far from the repository."""
    folder = tmp_path / "elsewhere"
    folder.mkdir()
    return folder


def test_the_wheel_holds_every_file_of_the_packages(wheel: Path) -> None:
    """Views, templates, examples and markers of types too; and the files that are looked for beside the code."""
    expected = {
        path.relative_to(ROOT).as_posix()
        for package in ("schemas", "agents", "streams")
        for path in (ROOT / package).rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    } | {"deploy/kafka/pom.xml", "deploy/routes/webhooks.yaml"}
    with ZipFile(wheel) as archive:
        actual = {name for name in archive.namelist() if ".dist-info/" not in name}

    assert expected == actual
    assert {
        "streams/warehouse/views/messages.sql",
        "streams/py.typed",
        "streams/publishing/sample_templates.json",
    } < actual


def test_the_code_that_runs_is_the_wheels(command: Path, elsewhere: Path) -> None:
    """Otherwise the other tests would prove nothing."""
    python = command.with_name("python")
    shown = call([python, "-c", "import streams, agents, schemas; print(streams.__file__)"], elsewhere)

    assert Path(shown.stdout.strip()).is_relative_to(command.parents[1])


def test_help_is_there(command: Path, elsewhere: Path) -> None:
    """The entry point works."""
    shown = call([command, "--help"], elsewhere)

    assert (shown.returncode, "Usage: cio-streams" in shown.stdout) == (0, True)


def test_a_worker_without_credentials_refuses(command: Path, elsewhere: Path) -> None:
    """With 2 and the names of what is missing, and leaves nothing behind where it was started."""
    refused = call([command, "worker"], elsewhere)

    assert refused.returncode == 2
    assert "CUSTOMERIO_SITE_ID: is missing" in refused.stderr
    assert list(elsewhere.iterdir()) == []


def test_check_finds_its_files(command: Path, elsewhere: Path) -> None:
    """It reads the packaged routes, so that of its faults none is theirs."""
    checked = call([command, "check"], elsewhere)

    assert checked.returncode == 1
    assert "127.0.0.1:1" in checked.stderr
    assert "WEBHOOK_ROUTES" not in checked.stderr
    assert list(elsewhere.iterdir()) == []
