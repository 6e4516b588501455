"""deploy/Dockerfile without an engine: what it promises to whoever runs the image, and that what it names is there."""

import json
import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from streams.settings import Settings
from tests.deploy.dockerfile import ROOT, copied, instructions, stages
from tests.deploy.ports import PORT_SETTINGS

BUILDER, IMAGE = stages()
PLAIN_ENVIRONMENT = {"PATH", "HEALTH_URL", "PYTHONDONTWRITEBYTECODE", "PYTHONUNBUFFERED"}


def words_of(word: str) -> list[str]:
    """What these instructions of the last stage say."""
    return [each.rest for each in IMAGE if each.word == word]


def test_every_stage_begins_from_a_version() -> None:
    """A tag without a version is another image tomorrow."""
    (base,) = [each.rest.removeprefix("PYTHON=") for each in instructions() if each.rest.startswith("PYTHON=")]

    assert re.fullmatch(r"python:\d+\.\d+\.\d+-slim-[a-z]+", base)
    assert [stage[0].rest for stage in (BUILDER, IMAGE)] == ["${PYTHON} AS builder", "${PYTHON}"]


def test_the_image_runs_without_rights() -> None:
    """By number, so that Kubernetes can see that it is not root; after it nothing is done as root."""
    assert words_of("USER") == ["65532:65532"]
    assert [each.word for each in IMAGE[IMAGE.index(next(each for each in IMAGE if each.word == "USER")) :]] == [
        "USER",
        "EXPOSE",
        "HEALTHCHECK",
        "ENTRYPOINT",
        "CMD",
    ]


def test_the_image_holds_no_tools() -> None:
    """Nothing is installed into it; pip goes, its copy inside Python too; only the builder's environment comes in."""
    (run,) = words_of("RUN")

    assert "pip uninstall --yes --root-user-action=ignore setuptools wheel pip " in run
    assert "rm -rf /usr/local/lib/python3*/ensurepip" in run
    assert not re.search(r"apt-get|pip install|curl|wget", run)
    assert words_of("COPY") == ["--from=builder /opt/venv /opt/venv"]
    assert any("python -m venv --without-pip /opt/venv" in each.rest for each in BUILDER)


def test_everything_that_is_installed_is_pinned_by_its_hash() -> None:
    """From a lock, or from the wheels that came of one; nothing looks for something newer."""
    installs = [
        command
        for each in BUILDER
        if each.word == "RUN"
        for command in each.rest.split("&&")
        if re.search(r"\bpip\b.* (install|wheel) ", command)
    ]

    assert len(installs) == 4
    assert [command for command in installs if not re.search(r"--require-hashes|--no-index", command)] == []
    assert [command for command in installs if "--no-deps" not in command] == []


def test_the_lock_pins_the_source_that_arm64_is_built_from() -> None:
    """Its builder takes what is pinned for that: the compiler of Cython and what packs wheels."""
    lock = (ROOT / "requirements.lock").read_text()
    building = (ROOT / "requirements-build.lock").read_text()

    # Of faust_streaming-0.15.3.tar.gz; another version brings another one.
    # pragma: allowlist nextline secret - a hash
    assert "51d6de8d7984c1e47ce961ba4c066e82a6b69d7b02d6bc27129677c4bfb1235f" in lock
    assert set(re.findall(r"^(\S+)==", building, re.MULTILINE)) >= {"cython", "setuptools", "setuptools-scm", "wheel"}
    assert "hatchling==" in building


def test_no_secret_is_built_in() -> None:
    """Arguments and variables of a build can be read from the image."""
    named = [each.rest for each in instructions() if each.word in {"ARG", "ENV", "LABEL"}]

    assert [rest for rest in named if re.search(r"KEY|SECRET|PASSWORD|TOKEN|SITE_ID", rest)] == []


def test_what_it_copies_exists_and_is_let_through() -> None:
    """.dockerignore lets through exactly what is copied, so no other file can get into a layer."""
    ignore = (ROOT / ".dockerignore").read_text().splitlines()
    sources = [source for source, _ in copied(BUILDER)]

    assert [source for source in sources if not (ROOT / source).exists()] == []
    assert ignore[1] == "*"
    assert {line.removeprefix("!") for line in ignore if line.startswith("!")} == set(sources)


def test_its_variables_are_settings() -> None:
    """A misspelt one would stop every process, or do nothing."""
    set_here = {name: value for each in IMAGE if each.word == "ENV" for name, value in each.pairs.items()}
    own = {name.lower(): value for name, value in set_here.items() if name not in PLAIN_ENVIRONMENT}

    assert set(own) <= set(Settings.model_fields)
    assert Settings.model_validate(own).http_host == "0.0.0.0"


def test_its_ports_are_those_of_the_settings() -> None:
    """Each process's own."""
    assert set(words_of("EXPOSE")[0].split()) == {str(getattr(Settings(), name)) for name in PORT_SETTINGS.values()}


def test_without_arguments_it_is_a_worker() -> None:
    """Arguments are the command line's, whatever the command."""
    assert [json.loads(each) for each in words_of("ENTRYPOINT")] == [["cio-streams"]]
    assert [json.loads(each) for each in words_of("CMD")] == [["worker"]]


class Answers(BaseHTTPRequestHandler):
    """`/livez` is well, everything else is not."""

    def do_GET(self) -> None:
        """Answer."""
        self.send_response(200 if self.path == "/livez" else 503)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def url() -> Iterator[str]:
    """Give the address of something that answers."""
    with HTTPServer(("127.0.0.1", 0), Answers) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


@pytest.mark.parametrize(("path", "code"), [("/livez", 0), ("/readyz", 1)])
def test_the_health_check_tells(url: str, path: str, code: int) -> None:
    """It asks the address in HEALTH_URL, past any proxy, and fails on anything but a good answer."""
    command = json.loads(words_of("HEALTHCHECK")[0].partition(" CMD ")[2])
    environment = {"HEALTH_URL": url + path, "http_proxy": "http://127.0.0.1:1"}

    done = subprocess.run([sys.executable, *command[1:]], env=environment, capture_output=True, timeout=20, check=False)

    assert command[0] == "python"
    assert done.returncode == code
