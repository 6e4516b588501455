"""Which arguments the provider knows, of the resources that we use: facts taken from its own schema, none of its code.

Where the provider can be installed, from the folder of an environment:
`terraform init -backend=false && terraform providers schema -json > schema.json`, and from here
`python -m tests.deploy.terraform_schema 7.45.0 < schema.json > tests/data/terraform-google.json`.
"""

import json
import sys
from collections.abc import Mapping
from typing import Any, Final

from tests.deploy.hcl import MODULE, blocks

PROVIDER: Final = "registry.terraform.io/hashicorp/google"
SECTIONS: Final = {"resource": "resource_schemas", "data": "data_source_schemas"}


def facts(schema: Mapping[str, Any], version: str) -> dict[str, Any]:
    """By kind and type: each argument's role, and the blocks within with how many there may be."""
    known = schema["provider_schemas"][PROVIDER]
    used = {kind: sorted({each.labels[0] for each in blocks(MODULE) if each.kind == kind}) for kind in SECTIONS}
    return {
        "source": f"the schema of terraform-provider-google {version}, github.com/hashicorp/terraform-provider-google",
        "licence of the source": "MPL-2.0",
    } | {
        kind: {name: _block(known[section][name]["block"]) for name in used[kind]} for kind, section in SECTIONS.items()
    }


def _block(told: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "arguments": {name: _role(each) for name, each in told.get("attributes", {}).items()},
        "blocks": {
            name: {"min": each.get("min_items", 0), "max": each.get("max_items"), **_block(each["block"])}
            for name, each in told.get("block_types", {}).items()
        },
    }


def _role(told: Mapping[str, Any]) -> str:
    if told.get("deprecated"):
        return "deprecated"
    return next((role for role in ("required", "optional") if told.get(role)), "computed")


if __name__ == "__main__":
    json.dump(facts(json.load(sys.stdin), sys.argv[1]), sys.stdout, indent=1)
    sys.stdout.write("\n")
