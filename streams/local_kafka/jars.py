"""Keeps the local broker's jars in a cache folder, so that only the first start on a machine downloads them."""

import fcntl
import hashlib
import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from schemas.errors import UnavailableError

POM: Final = Path(__file__).parents[2] / "deploy" / "kafka" / "pom.xml"
DOWNLOAD_S_MAX: Final = 900


def kafka_jars(*, cache: Path, progress: Callable[[str], None], pom: Path = POM) -> Path:
    """Give the folder with the jars that `pom` asks for, downloading them first if need be.

    An interrupted download leaves nothing that counts, and of two at once the second waits for the first.

    Raises:
        UnavailableError: Maven is missing or fails.
    """
    folder = cache / f"kafka-{hashlib.blake2b(pom.read_bytes(), digest_size=8).hexdigest()}"
    if folder.is_dir():
        return folder
    maven = shutil.which("mvn")
    if maven is None:
        raise UnavailableError("Maven (mvn) is not installed")
    cache.mkdir(parents=True, exist_ok=True)
    with _locked(cache / "download.lock"):
        if not folder.is_dir():
            progress("Downloading Kafka with Maven, the first time only …")
            _download(maven, pom=pom, folder=folder)
    return folder


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)  # the system frees it when we die
        yield


def _download(maven: str, *, pom: Path, folder: Path) -> None:
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix=".download-") as temporary:
        jars = Path(temporary) / "jars"
        options = ["-DincludeScope=runtime", f"-DoutputDirectory={jars}", "-Dstyle.color=never"]
        command = [maven, "-B", "-q", "-f", str(pom), "dependency:copy-dependencies", *options]
        try:
            done = subprocess.run(  # noqa: S603 - our own command, no shell
                command, capture_output=True, text=True, check=False, timeout=DOWNLOAD_S_MAX
            )
        except subprocess.TimeoutExpired as error:
            raise UnavailableError(f"Maven took over {DOWNLOAD_S_MAX} s to download Kafka") from error
        if done.returncode != 0:
            errors = [line for line in done.stdout.splitlines() if line.startswith("[ERROR]")]
            raise UnavailableError(
                f"Maven cannot download Kafka: {errors[0] if errors else done.stderr.strip()[-300:]}"
            )
        os.replace(jars, folder)  # noqa: PTH105 - the whole folder appears at once or not at all
