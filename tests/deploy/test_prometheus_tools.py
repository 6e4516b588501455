"""The script that says where promtool and prometheus are."""

import shutil
import subprocess
from pathlib import Path

from tests.deploy.alert_rules import ROOT


def ask(script: Path, path: Path) -> "subprocess.CompletedProcess[str]":
    """Run it with nothing but this folder to find programs in."""
    for name in ("bash", "dirname"):
        (path / name).symlink_to(str(shutil.which(name)))
    command = [path / "bash", script]
    return subprocess.run(command, capture_output=True, text=True, check=False, env={"PATH": str(path)})


def test_what_is_installed_is_used(tmp_path: Path) -> None:
    """Nothing is fetched when both are on the PATH."""
    for name in ("promtool", "prometheus"):
        (tmp_path / name).touch(mode=0o755)

    assert f"{tmp_path}\n" == ask(ROOT / ".ci" / "prometheus", tmp_path).stdout


def test_where_it_cannot_be_fetched_one_line_says_what_to_install(tmp_path: Path) -> None:
    """As on a system without apt."""
    (tmp_path / "project" / ".ci").mkdir(parents=True)
    (tmp_path / "bin").mkdir()
    script = shutil.copy(ROOT / ".ci" / "prometheus", tmp_path / "project" / ".ci")
    done = ask(Path(script), tmp_path / "bin")

    assert (done.returncode, done.stdout, len(done.stderr.splitlines())) == (1, "", 1)
    assert "brew install prometheus" in done.stderr
