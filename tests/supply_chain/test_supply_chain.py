"""The lines of `make check` about what we depend on and what we commit: each passes what is well, and can fail."""

import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PINNED = "certifi==2026.1.1 --hash=sha256:" + "0" * 64 + "\nidna==3.10 --hash=sha256:" + "1" * 64 + "\n"
#: Written in two halves, so that this file does not hold what is looked for.
PLANTED = "CUSTOMERIO_APP_API_KEY" + ' = "9f86d081884c7d659a2f"\n'  # pragma: allowlist secret - made up
ADVISORY = {
    "id": "PYSEC-2026-1",
    "summary": "made up",
    "affected": [{"package": {"name": "idna", "ecosystem": "PyPI"}}],
}


def make(target: str, **variables: object) -> subprocess.CompletedProcess[str]:
    """Run a target as `make check` does, on something else."""
    given = [f"{name}={value}" for name, value in variables.items()]
    command = ["make", "--no-print-directory", f"BIN={Path(sys.executable).parent}", target, *given]
    # An install that is new enough is not the matter here.
    command += ["--assume-old=.venv/installed", "--assume-old=install"]
    return subprocess.run(
        command, cwd=ROOT, env={**os.environ, "MAKEFLAGS": ""}, capture_output=True, text=True, timeout=100, check=False
    )


class Advisories(BaseHTTPRequestHandler):
    """Answers as OSV does; against idna something is known."""

    def do_POST(self) -> None:
        """Answer one question about one release."""
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        answer = json.dumps({"vulns": [ADVISORY]} if asked["package"]["name"] == "idna" else {}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def advisories() -> Iterator[str]:
    """Give the address of a service like OSV."""
    with HTTPServer(("127.0.0.1", 0), Advisories) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/v1/query"
        server.shutdown()
        thread.join()


@pytest.fixture
def lock(tmp_path: Path) -> Path:
    """Give a lock file with two releases."""
    path = tmp_path / "some.lock"
    path.write_text(PINNED)
    return path


def test_a_known_vulnerability_fails(advisories: str, lock: Path) -> None:
    """With the release and the advisory's id."""
    audited = make("audit", LOCK=lock, OSV=advisories)

    assert audited.returncode != 0
    assert "idna 3.10: PYSEC-2026-1" in audited.stderr


def test_releases_against_which_nothing_is_known_pass(advisories: str, lock: Path) -> None:
    """And it is said of how many."""
    lock.write_text(PINNED.splitlines()[0] + "\n")
    audited = make("audit", LOCK=lock, OSV=advisories)

    assert audited.returncode == 0
    assert f"{lock}: nothing is known against any of 1 releases" in audited.stdout


def test_without_the_service_nothing_fails(lock: Path) -> None:
    """One line says that nothing was audited."""
    audited = make("audit", LOCK=lock, OSV="http://127.0.0.1:1/v1/query")

    assert audited.returncode == 0
    assert audited.stdout.splitlines()[1:] == [f"{lock}: not audited, for the advisory service cannot be reached"]


def test_a_lock_that_cannot_be_read_fails(advisories: str, lock: Path) -> None:
    """It is no matter of the service: a release without a hash is none that was audited."""
    lock.write_text("certifi\n")

    assert make("audit", LOCK=lock, OSV=advisories).returncode != 0


@pytest.mark.parametrize(
    ("text", "is_found"),
    [
        (PLANTED, True),
        ("-----BEGIN " + "PRIVATE KEY-----\n", True),
        ('CUSTOMERIO_APP_API_KEY = "sandbox"\n', False),
    ],
    ids=["key", "certificate's key", "stand-in's"],
)
def test_a_committed_secret_fails(tmp_path: Path, text: str, *, is_found: bool) -> None:
    """A random key, and that of a certificate; a few words are a stand-in's."""
    (tmp_path / "planted.py").write_text(text)
    scanned = make("leaks", LIST=f"echo {tmp_path / 'planted.py'}")

    assert is_found == (scanned.returncode != 0)
    assert is_found == ("planted.py:1" in scanned.stdout)


def test_a_licence_that_is_not_allowed_fails(lock: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a runtime dependency; the message names both."""
    info = lock.parent / "copied_left-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(
        "Metadata-Version: 2.4\nName: copied-left\nVersion: 1.0\nLicense-Expression: GPL-3.0\n"
    )
    lock.write_text("copied-left==1.0\n")
    monkeypatch.setenv("PYTHONPATH", str(lock.parent))
    found = make("licences", LOCK=lock)

    assert found.returncode != 0
    assert "license GPL-3.0 not in allow-only licenses was found for package copied-left:1.0" in found.stderr


def test_our_licences_are_allowed() -> None:
    """All that is pinned for run time."""
    assert make("licences").returncode == 0
