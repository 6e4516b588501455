"""Terraform's own names: variables are declared, used, documented and judged; modules get what they need."""

import re
from pathlib import Path
from typing import Final

import pytest

from tests.deploy.hcl import (
    ENVIRONMENTS,
    FOLDERS,
    MODULE,
    attributes,
    blocks,
    nested,
    of_kind,
    parse,
    references,
    texts,
)

GIVEN_BY_THE_FOLDER: Final = {"environment", "app_id", "topic_prefix"}


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_every_variable_is_declared_and_used(folder: Path) -> None:
    """A name that nobody reads misleads whoever sets it."""
    assert set(of_kind(folder, "variable")) == references(folder, r"var\.(\w+)")


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_every_variable_and_output_is_documented(folder: Path) -> None:
    """In a sentence, with a type where it is a variable."""
    variables, outputs = of_kind(folder, "variable"), of_kind(folder, "output")
    undocumented = [
        name for name, body in (variables | outputs).items() if not body.get("description", "").endswith(".")
    ]

    assert [] == undocumented
    assert [] == [name for name, body in variables.items() if not body.get("type")]


def test_every_variable_of_the_module_is_judged() -> None:
    """All but those that are true or false; the message names the variable and is a sentence."""
    unjudged = []
    for name, body in of_kind(MODULE, "variable").items():
        messages = [each["error_message"] for kind, each in nested(body) if kind == "validation"]
        if body["type"] != "bool" and not messages:
            unjudged.append(name)
        unjudged += [message for message in messages if name not in message or not message.endswith(".")]

    assert [] == unjudged


@pytest.mark.parametrize("folder", ENVIRONMENTS, ids=lambda folder: folder.name)
def test_a_module_is_called_with_what_it_needs(folder: Path) -> None:
    """Each variable without a default is given, and none that it does not have."""
    variables = of_kind(MODULE, "variable")
    given = set(attributes(of_kind(folder, "module")["customerio_streams"])) - {"source"}

    assert set() == given - set(variables)
    assert set() == {name for name, body in variables.items() if "default" not in body} - given


@pytest.mark.parametrize("folder", ENVIRONMENTS, ids=lambda folder: folder.name)
def test_an_environment_is_told_what_the_module_gives(folder: Path) -> None:
    """Its outputs are the module's."""
    assert references(folder, r"module\.customerio_streams\.(\w+)") <= set(of_kind(MODULE, "output"))


@pytest.mark.parametrize("folder", ENVIRONMENTS, ids=lambda folder: folder.name)
def test_an_environment_has_names_of_its_own(folder: Path) -> None:
    """Prefix, app id and so the secrets are of the folder's name."""
    call = of_kind(folder, "module")["customerio_streams"]

    assert {name: call[name] for name in GIVEN_BY_THE_FOLDER} == {
        "environment": folder.name,
        "app_id": f"customerio-streams-{folder.name}",
        "topic_prefix": f"{folder.name}.",
    }


@pytest.mark.parametrize("name", ["variables.tf", "outputs.tf"])
def test_environments_differ_only_in_their_main_file(name: str) -> None:
    """What is learnt of one is true of the others."""
    assert len({(folder / name).read_text() for folder in ENVIRONMENTS}) == 1


@pytest.mark.parametrize("folder", ENVIRONMENTS, ids=lambda folder: folder.name)
def test_the_example_gives_what_must_be_given(folder: Path) -> None:
    """Whoever copies it has nothing to look up but their own values."""
    variables = of_kind(folder, "variable")
    example = set(parse(folder / "terraform.tfvars.example"))

    assert {name for name, body in variables.items() if "default" not in body} <= example <= set(variables)


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_every_local_value_is_used(folder: Path) -> None:
    """And each that is used is there."""
    declared = {name for block in blocks(folder) if block.kind == "locals" for name in attributes(block.body)}
    declared |= {name for block in blocks(folder) if block.kind == "locals" for name, _ in nested(block.body)}

    assert declared == references(folder, r"local\.(\w+)")


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_versions_are_bounded_alike(folder: Path) -> None:
    """Terraform from one version on, the provider below its next major one."""
    terraform = next(block.body for block in blocks(folder) if block.kind == "terraform")
    providers = dict(nested(terraform))["required_providers"]

    assert (terraform["required_version"], providers["google"]["version"]) == (">= 1.11", ">= 7.45, < 8.0")


def test_the_modules_tests_set_variables_that_it_has() -> None:
    """`terraform test` needs the provider, so this is looked at here as well."""
    tests = parse(MODULE / "tests" / "module.tftest.hcl")
    runs = [run for labelled in tests["run"] for run in labelled.values()]
    given = [*tests["variables"], *(each for run in runs for each in run.get("variables", []))]
    named = {name for each in given for name in attributes(each)}
    expected = {
        match[1]
        for run in runs
        for text in texts(run.get("expect_failures", []))
        if (match := re.match(r"\$\{var\.(\w+)", text))
    }

    assert named | expected <= set(of_kind(MODULE, "variable"))
    assert expected
