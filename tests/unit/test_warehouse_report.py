"""What a report shows of a warehouse whose numbers are known, and whom it does not show."""

import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final
from xml.etree import ElementTree as ET

import pytest
from typer.testing import CliRunner

from streams.cli import app
from streams.report import page, tell
from streams.report.charts import Bar, bars, columns
from streams.report.gather import ROWS_MAX, gather, remarks
from streams.report.sections import SECTIONS, Shown
from streams.warehouse.duckdb_warehouse import DuckDbReader, DuckDbWarehouse
from streams.warehouse.port import Found
from tests.warehouse_world import NOW_S, result_batch, result_value, webhook_batch, webhook_body

PERSON: Final = "ada@example.com"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Give a warehouse: an event that led to two messages, one known by its id; and a dead letter."""
    made = DuckDbWarehouse(tmp_path / "w.duckdb")
    made.prepare()
    told = (
        ("sent", {"trigger_event_id": "ULID1"}, 1),
        ("delivered", {"trigger_event_id": "ULID1"}, 5),
        ("clicked", {"trigger_event_id": "ULID1"}, 60),
        ("sent", {"delivery_id": "d-2"}, 2),
    )
    bodies = [
        webhook_body(
            f"e{number}", metric, at_s=NOW_S + s, campaign_id="<b>7</b>", **{"identifiers": {"id": PERSON}, **data}
        )
        for number, (metric, data, s) in enumerate(told)
    ]
    results = [
        result_value(0, event_id="ULID1", user_id=PERSON),
        result_value(1, outcome="dead", reason="rejected", user_id=PERSON),
    ]
    made.append([webhook_batch(bodies), result_batch(results)])
    made.close()
    return tmp_path / "w.duckdb"


def run(path: Path, *options: str) -> tuple[int, str]:
    """Exit code and output of `report`."""
    done = CliRunner().invoke(app, ["report", *options], env={"WAREHOUSE": f"duckdb:{path}"})
    return done.exit_code, done.stdout


def test_the_numbers_are_right(path: Path) -> None:
    """As JSON, by the names of the sections and of the views' columns."""
    code, output = run(path, "--json")
    data = json.loads(output)

    assert (0, [section.name for section in SECTIONS]) == (code, list(data))
    (funnel,) = data["funnel"]["rows"]
    assert (2, 2, 1, 1, 1) == tuple(funnel[name] for name in ("messages", "sent", "delivered", "opened", "clicked"))
    assert {("event id", 5.0), ("person and time", None)} == {
        (row["joined_by"], row["delivered_half_s"]) for row in data["event_times"]["rows"]
    }
    (outcome,) = data["outcomes"]["rows"]
    assert (1, 1, 0.5) == (outcome["delivered"], outcome["dead"], outcome["dead_share"])


def test_persons_are_masked(path: Path, tmp_path: Path) -> None:
    """In each form; `--reveal` shows them."""
    html = tmp_path / "report.html"
    outputs = [run(path)[1], run(path, "--json")[1], run(path, "--html", str(html))[1], html.read_text()]

    assert not any(PERSON in output for output in outputs)
    assert "a***m (15)" in outputs[0]
    assert PERSON in run(path, "--reveal")[1]


def test_a_guess_is_called_one(path: Path) -> None:
    """Below the table, and on the page."""
    assert "known by person and time: a guess" in run(path)[1]
    assert "nowhere promised" not in run(path)[1]


def test_it_says_when_no_webhook_names_an_event_of_ours(path: Path) -> None:
    """Then all joins are guesses, and it is not known whether Customer.io names them at all."""
    told = {each.section.name: each for each in gather(DuckDbReader(path))}["event_times"]
    guesses = [row for row in told.rows if row["joined_by"] == "person and time"]
    said = list(remarks(type(told)(section=told.section, rows=guesses, is_cut=False)))

    assert 2 == len(said)
    assert "likely, but nowhere promised" in said[1]


def test_the_page_stands_alone(path: Path, tmp_path: Path) -> None:
    """No script, nothing from elsewhere, everything escaped; its charts are XML."""
    html = tmp_path / "report.html"
    assert 0 == run(path, "--html", str(html))[0]
    text = html.read_text()

    assert re.search(r"<script|src=|@import|<link|url\(", text) is None
    assert ["http://www.w3.org/2000/svg"] == sorted(set(re.findall(r"https?://[^\"'<> ]+", text)))
    assert "<b>7</b>" not in text
    assert "&lt;b&gt;7&lt;/b&gt;" in text
    charts = re.findall(r"<svg.*?</svg>", text, re.DOTALL)
    assert 4 == len(charts)
    for chart in charts:
        ET.fromstring(chart)  # noqa: S314 - our own text


@pytest.mark.parametrize("options", [(), ("--json",), ("--html", "page.html")])
def test_an_empty_warehouse_can_be_reported(
    options: Sequence[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It says so."""
    monkeypatch.chdir(tmp_path)
    made = DuckDbWarehouse(tmp_path / "w.duckdb")
    made.prepare()
    code, output = run(tmp_path / "w.duckdb", *options)

    assert 0 == code
    assert options or "0" in output


def test_wrong_usage_and_a_file_that_cannot_be_written(path: Path) -> None:
    """2, and 1."""
    assert 2 == run(path, "--json", "--html", "x.html")[0]
    assert 1 == run(path, "--html", "/nowhere/at/all.html")[0]


class ManyRows:
    """A warehouse that has more rows than anybody wants."""

    def __init__(self, row: Found) -> None:
        self._row = row
        self.limits: list[int] = []

    def read(
        self, view: str, *, where: Mapping[str, Any] | None = None, newest_by: str | None = None, limit: int
    ) -> list[Found]:
        """As many as it may give."""
        assert (view, where, bool(newest_by)) != ("", None, False)
        self.limits.append(limit)
        return [self._row] * limit

    def close(self) -> None:
        """Nothing to do."""


def test_a_section_is_bounded() -> None:
    """And says that there are more."""
    row = {column.name: 0 for section in SECTIONS for column in section.columns}
    reader = ManyRows(row)
    report = gather(reader)

    assert max(reader.limits) == ROWS_MAX + 1
    assert all(len(told.rows) == (told.section.newest or ROWS_MAX) for told in report)
    assert f"only the first {ROWS_MAX}" in next(remarks(report[0]))


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0.04, "0.0 s"), (59, "59.0 s"), (90, "1.5 min"), (5_400, "1.5 h"), (172_800, "2.0 d"), (-2, "-2.0 s")],
)
def test_spans_are_told_in_a_unit_that_fits(seconds: float, text: str) -> None:
    """Also one that seems to go backwards."""
    assert text == tell.span_text(seconds)


def test_nothing_steers_the_terminal() -> None:
    """Whatever Customer.io calls a channel."""
    assert "\x1b" not in tell.written("em\x1b[2Jail", Shown("channel", "channel", "text"), reveal=True)


def test_charts_bear_any_number() -> None:
    """None at all, zeros, and very many; their labels do not lie on each other."""
    assert "<rect" not in bars([], title="t")
    assert 'width="0.0"' in bars([Bar("none", 0, "0")], title="t")
    many = columns([(f"{number}", [Bar("a", number, "")]) for number in range(100)], title="t")
    assert 7 == many.count("<text")
    assert 'height="150.0"' in many


def test_an_empty_page_says_so() -> None:
    """Instead of nothing."""

    class Nothing(ManyRows):
        def read(self, view: str, **_: Any) -> list[Found]:  # noqa: ANN401 - as the port's
            assert view
            return []

    assert "Nothing has been loaded yet" in page.render(gather(Nothing({})), made_at="now", reveal=False)
