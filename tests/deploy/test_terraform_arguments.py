"""Every resource and data block of the Terraform files, held against the provider's own list of arguments."""

import json
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import pytest

from tests.deploy.hcl import FOLDERS, MODULE, Block, Body, attributes, blocks, nested, references

FACTS: Final = json.loads((Path(__file__).parents[1] / "data" / "terraform-google.json").read_text())
META: Final = {"for_each", "count", "depends_on", "lifecycle", "provider"}
"""Terraform's own arguments, which every resource has."""

USED: Final = [block for folder in FOLDERS for block in blocks(folder) if block.kind in ("resource", "data")]


def faults(body: Body, known: Mapping[str, Any], where: str) -> Iterator[str]:
    """What is wrong at this depth and below."""
    given = attributes(body)
    for name in given:
        role = known["arguments"].get(name)
        if role not in ("required", "optional"):
            yield f"{where}: {name} is {role or 'no argument'}"
    required = [name for name, role in known["arguments"].items() if role == "required"]
    yield from (f"{where}: {name} is missing" for name in required if name not in given)
    inner = list(nested(body))
    for name, each in inner:
        if name in known["blocks"]:
            yield from faults(each, known["blocks"][name], f"{where}.{name}")
        else:
            yield f"{where}: {name} is no block"
    counts = Counter(name for name, _ in inner)
    for name, block in known["blocks"].items():
        if counts[name] < (block["min"] or 0):
            yield f"{where}: the block {name} is missing"
        if block["max"] and counts[name] > block["max"]:
            yield f"{where}: more than {block['max']} of the block {name}"


def own(block: Block) -> dict[str, Any]:
    """What the provider sees of a block."""
    return {name: value for name, value in block.body.items() if name not in META}


@pytest.mark.parametrize("block", USED, ids=str)
def test_a_resource_has_arguments_that_the_provider_knows(block: Block) -> None:
    """At every depth: none unknown, none deprecated, none that only the provider may set, every required one there."""
    found = list(faults(own(block), FACTS[block.kind][block.labels[0]], str(block)))

    assert [] == found


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        ({"memory": "512Mi"}, "memory is no argument"),
        ({"uid": "7"}, "uid is computed"),
        ({"custom_audiences": ["x"]}, "custom_audiences is deprecated"),
        ({"location": None}, "location is missing"),
        ({"template": None}, "the block template is missing"),
        ({"ports": [{"__is_block__": True}]}, "ports is no block"),
        ({"scaling": [{"__is_block__": True}] * 2}, "more than 1 of the block scaling"),
    ],
)
def test_a_wrong_argument_is_found(change: dict[str, object], fault: str) -> None:
    """Each kind of fault that the check is for."""
    pool = next(block for block in USED if block.labels == ("google_cloud_run_v2_worker_pool", "this"))
    changed = {name: value for name, value in (own(pool) | change).items() if value is not None}

    assert [f"pool: {fault}"] == list(faults(changed, FACTS["resource"][pool.labels[0]], "pool"))


def test_the_list_has_what_is_used_and_no_more() -> None:
    """It is taken anew when a resource is added: tests/deploy/terraform_schema.py says how."""
    used = {(block.kind, block.labels[0]) for block in USED}

    assert used == {(kind, name) for kind in ("resource", "data") for name in FACTS[kind]}


def test_what_is_referred_to_exists() -> None:
    """Resources by type and name, and of each an argument, a block or what the provider tells."""
    there = {(block.kind, *block.labels) for block in blocks(MODULE)}
    referred = references(MODULE, r"((?:data\.)?google_\w+\.\w+(?:\[[^\]]*\])*(?:\.\w+)?)")
    missing = []
    for text in referred:
        kind = "data" if text.startswith("data.") else "resource"
        type_, name, *attribute = re.sub(r"\[[^\]]*\]", "", text).removeprefix("data.").split(".")
        told = FACTS[kind].get(type_, {"arguments": {}, "blocks": {}})
        if (kind, type_, name) not in there or not set(attribute) <= {*told["arguments"], *told["blocks"]}:
            missing.append(text)

    assert referred
    assert [] == missing
