"""A real Prometheus with the rules of deploy/prometheus in quick motion: what fires now, and what a question gives."""

import contextlib
import json
import re
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final, cast

import httpx
import yaml

from streams.local_kafka.broker import free_ports
from tests.deploy.alert_rules import PROMETHEUS, RULES
from tests.deploy.prometheus_tools import prometheus

TIMES_FASTER: Final = 45
WINDOW_S_MIN: Final = 3
FOR_S_MAX: Final = 4
START_S: Final = 20.0
UNITS_S: Final = {"s": 1, "m": 60, "h": 3600, "d": 86_400}
_DURATION: Final = re.compile(r"(?<=[\[:])(\d+)([smhd])(?=[]:])|(?<=offset )(\d+)([smhd])")

Alert = Mapping[str, Any]


def hurried(rules: str) -> str:
    """The same rules with nothing but other durations: a forty-fifth of each window, offset and wait.

    A window keeps three seconds, so that three scrapes are in it; a wait (`for`) is four seconds at most.
    """
    tree = yaml.safe_load(rules)
    for rule in (rule for group in tree["groups"] for rule in group["rules"]):
        rule["expr"] = _DURATION.sub(_shorter, str(rule["expr"]))
        if "for" in rule:
            rule["for"] = f"{min(FOR_S_MAX, _seconds(rule['for'][:-1], rule['for'][-1]))}s"
    return yaml.safe_dump(tree)


def _shorter(found: re.Match[str]) -> str:
    number, unit = (each for each in found.groups() if each)
    return f"{max(WINDOW_S_MIN, _seconds(number, unit))}s"


def _seconds(number: str, unit: str) -> int:
    return int(number) * UNITS_S[unit] // TIMES_FASTER


def _config(folder: Path) -> str:
    """The configuration as it stands, but for how targets are found, and how often everything is done."""
    tree = yaml.safe_load((PROMETHEUS / "prometheus.yml").read_text())
    tree["global"] = {"scrape_interval": "1s", "scrape_timeout": "1s", "evaluation_interval": "1s"}
    for job in tree["scrape_configs"]:
        del job["dns_sd_configs"]
        job["file_sd_configs"] = [{"files": [str(_targets(folder, job["job_name"]))], "refresh_interval": "1s"}]
    return yaml.safe_dump(tree)


def _targets(folder: Path, job: str) -> Path:
    return folder / f"{job}.json"


class RunningPrometheus:
    """Scrapes and evaluates once a second."""

    def __init__(self, folder: Path, port: int) -> None:
        self._folder = folder
        self._http = httpx.Client(base_url=f"http://127.0.0.1:{port}", trust_env=False, timeout=30)
        self.began_s = time.time()

    def scrape(self, job: str, addresses: Sequence[str]) -> None:
        """From now on these are the targets of a job."""
        file = _targets(self._folder, job)
        beside = file.with_suffix(".new")
        beside.write_text(json.dumps([{"targets": list(addresses)}]))
        beside.replace(file)

    def targets(self, job: str) -> list[str]:
        """Those that it has now."""
        return list(json.loads(_targets(self._folder, job).read_text())[0]["targets"])

    def firing(self) -> dict[str, Alert]:
        """The alerts that fire now, by name; of several with one name, one."""
        alerts = cast("list[Alert]", self._get("/api/v1/alerts")["alerts"])
        return {str(alert["labels"]["alertname"]): alert for alert in alerts if alert["state"] == "firing"}

    def now(self, expression: str) -> float:
        """The sum of what an expression gives at this moment."""
        return sum(float(each["value"][1]) for each in self._get("/api/v1/query", query=expression)["result"])

    def ever(self, expression: str) -> list[float]:
        """All numbers that an expression has given since the beginning, second by second."""
        span = {"start": self.began_s, "end": time.time(), "step": 1}
        result = self._get("/api/v1/query_range", query=expression, **span)["result"]
        numbers = [float(value) for each in result for _, value in each["values"]]
        return [number for number in numbers if number == number]  # noqa: PLR0124 - NaN is no number

    def is_up(self) -> bool:
        """Whether it answers."""
        with contextlib.suppress(httpx.TransportError):
            return self._http.get("/-/ready").status_code == httpx.codes.OK
        return False

    def close(self) -> None:
        """Ask no more."""
        self._http.close()

    def _get(self, path: str, **parameters: Any) -> Any:  # noqa: ANN401 - what Prometheus answers
        answer = self._http.get(path, params=parameters)
        answer.raise_for_status()
        return answer.json()["data"]


@contextlib.contextmanager
def running_prometheus(folder: Path) -> Iterator[RunningPrometheus]:
    """Start one without targets, and end it."""
    (folder / "rules.yml").write_text(hurried(RULES.read_text()))
    (folder / "prometheus.yml").write_text(_config(folder))
    port, _ = free_ports()
    command = [prometheus(), f"--config.file={folder / 'prometheus.yml'}", f"--storage.tsdb.path={folder / 'data'}"]
    with (folder / "prometheus.log").open("wb") as log:
        process = subprocess.Popen([*command, f"--web.listen-address=127.0.0.1:{port}"], stdout=log, stderr=log)
        server = RunningPrometheus(folder, port)
        try:
            deadline = time.monotonic() + START_S
            while not server.is_up():
                assert process.poll() is None, (folder / "prometheus.log").read_text()
                assert time.monotonic() < deadline, "Prometheus does not come up"
                time.sleep(0.1)
            yield server
        finally:
            server.close()
            process.kill()
            process.wait()
