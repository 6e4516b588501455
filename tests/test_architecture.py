"""The hard limits of our style, kept by a test: size, what may read the environment, what must not be left behind."""

import ast
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from streams.metrics import declared
from streams.metrics.metric import Declared

ROOT = Path(__file__).parents[1]
CODE = ("schemas", "agents", "streams")
DECLARED = "streams/metrics/declared.py"
FILE_LINES_MAX = 300
FUNCTION_LINES_MAX = 40
PARAMETERS_MAX = 5

Function = ast.FunctionDef | ast.AsyncFunctionDef
SOURCES = sorted(path for folder in (*CODE, "tests") for path in (ROOT / folder).rglob("*.py"))
OURS = [path for path in SOURCES if path.relative_to(ROOT).parts[0] in CODE]
TEXTS = sorted(
    {
        *SOURCES,
        *(
            path
            for path in ROOT.glob("*")
            if path.suffix in {".md", ".toml", ".yml", ".yaml"} or path.name == "Makefile"
        ),
        *(
            path
            for path in (ROOT / "deploy").rglob("*")
            if path.suffix in {".md", ".yml", ".yaml", ".xml", ".json", ".tf"}
        ),
        ROOT / ".ci" / "run",
    }
)
#: Written in two halves, so that this file does not hold what it looks for.
UNFINISHED = re.compile("TO" + "DO|FIX" + "ME|XX" + "X\\b|NotImplemented" + "Error|pytest\\.(sk" + "ip|xf" + "ail)")
INTERNAL = re.compile(
    "CONTR" + "ACT\\.md|DES" + "IGN\\.md|ST" + "YLE\\.md|/wo" + "rk/|/ro" + "ot/|/ho" + "me/|/tm" + "p/x"
)


def named(path: Path) -> str:
    """The path as a person would write it."""
    return path.relative_to(ROOT).as_posix()


def functions(path: Path) -> Iterator[Function]:
    """Every function of a file, nested ones too."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, Function):
            yield node


def own_lines(function: Function) -> int:
    """From its `def` to its end, without the docstring."""
    lines = (function.end_lineno or 0) - function.lineno + 1
    first = function.body[0]
    is_docstring = isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant)
    return lines - ((first.end_lineno or 0) - first.lineno + 1 if is_docstring else 0)


def test_something_is_looked_at() -> None:
    """An empty list would pass everything."""
    assert len(OURS) > 50
    assert len(SOURCES) > len(OURS)
    assert ROOT / "README.md" in TEXTS


@pytest.mark.parametrize("path", SOURCES, ids=named)
def test_a_file_is_short(path: Path) -> None:
    """At most 300 lines: a longer one has two reasons to change."""
    assert len(path.read_text().splitlines()) <= FILE_LINES_MAX


@pytest.mark.parametrize("path", SOURCES, ids=named)
def test_a_function_is_short(path: Path) -> None:
    """At most 40 lines without its docstring."""
    long = {each.name: own_lines(each) for each in functions(path) if own_lines(each) > FUNCTION_LINES_MAX}

    assert long == {}


@pytest.mark.parametrize("path", SOURCES, ids=named)
def test_a_function_takes_few_positional_arguments(path: Path) -> None:
    """At most five: at the call nobody knows which is which."""
    many = [
        each.name
        for each in functions(path)
        if len([a for a in (*each.args.posonlyargs, *each.args.args) if a.arg not in {"self", "cls"}]) > PARAMETERS_MAX
    ]

    assert [name for name in many if not name.startswith("test_")] == []


@pytest.mark.parametrize("path", [path for path in SOURCES if not path.name.startswith("test_")], ids=named)
def test_a_file_says_what_it_is_for(path: Path) -> None:
    """A docstring stands at its top; a file of tests has a name that says it."""
    assert ast.get_docstring(ast.parse(path.read_text()))


@pytest.mark.parametrize("path", OURS, ids=named)
def test_only_the_settings_read_the_environment(path: Path) -> None:
    """So that every setting is named, checked and documented in one place."""
    reads = re.search(r"\bos\.(environb?|getenvb?)\b|import environ", path.read_text())

    assert not reads or named(path) == "streams/settings.py"


@pytest.mark.parametrize("path", TEXTS, ids=named)
def test_nothing_is_left_open(path: Path) -> None:
    """What is not done is an issue, not a remark; a test that does not run proves nothing."""
    assert UNFINISHED.findall(path.read_text()) == []


@pytest.mark.parametrize("path", TEXTS, ids=named)
def test_nothing_speaks_of_the_machine_it_was_written_on(path: Path) -> None:
    """Neither its paths nor papers that a reader of this repository does not have."""
    assert INTERNAL.findall(path.read_text()) == []


def test_files_of_tests_have_names_of_their_own() -> None:
    """A name in a report says which file, and pytest may collect them all as top-level modules."""
    names = Counter(path.name for path in SOURCES if path.name.startswith("test_"))

    assert {name for name, count in names.items() if count > 1} == set()


@pytest.mark.parametrize("path", OURS, ids=named)
def test_no_file_is_named_after_nothing(path: Path) -> None:
    """`utils` and its like collect what nobody finds again."""
    assert path.stem not in {"utils", "util", "helpers", "common", "base", "manager", "misc"}


def test_every_metric_is_declared_and_used() -> None:
    """Names stand in streams/metrics/declared.py alone, and none of them stands there for nothing."""
    names = {name for name, each in vars(declared).items() if isinstance(each, Declared)}
    code = {path: path.read_text() for path in OURS if named(path) != DECLARED}
    used = {name for name in names if any(re.search(rf"\b{name}\b", text) for text in code.values())}
    makers = r"\b(Count|Counter|Gauge|Histogram|Summary|\w+Metric|\w+MetricFamily)\(\s*\"cio_"

    assert names == used
    assert [named(path) for path, text in code.items() if re.search(makers, text)] == []


def test_metric_names_that_are_read_exist() -> None:
    """Whoever reads the page, our own summary included, reads names that are on it."""
    families = {each.name for each in vars(declared).values() if isinstance(each, Declared)}
    customerios = {"cio_subscription_preferences_changed"}  # what a webhook tells is called a metric there too
    suffixes = "_(total|count|sum|bucket|created)$"
    read = {
        name
        for path in OURS
        if named(path) != DECLARED
        for name in re.findall(r"[\"'](cio_(?!subscription_)[a-z]+_[a-z_]+)[\"']", path.read_text())
        if "sandbox" not in path.parts
    }

    assert {name for name in read if re.sub(suffixes, "", name) not in families | customerios} == set()
