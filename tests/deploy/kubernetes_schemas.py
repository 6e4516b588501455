"""`python -m tests.deploy.kubernetes_schemas`: validates every object of every environment, and refuses unknown fields.

Kubernetes' own kinds go by the schemas of kubernetes-validate, KEDA's by its custom resource definitions.
"""

import functools
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import kubernetes_validate  # type: ignore[import-untyped]  # it ships no types
import yaml
from jsonschema import Draft202012Validator

from tests.deploy.kubernetes_objects import FOLDER, OVERLAYS, MissingToolError, Object, rendered

VERSION: Final = "1.32"
KEDA: Final = Path(__file__).parents[1] / "data" / "keda"
EXAMPLE: Final = FOLDER / "secret.example.yaml"


def main() -> int:
    """Say how many objects were looked at, or what is wrong with each."""
    try:
        faults = [f"{overlay}: {fault}" for overlay in OVERLAYS for each in rendered(overlay) for fault in check(each)]
    except MissingToolError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    except subprocess.CalledProcessError as error:
        sys.stderr.write(error.stderr)
        return 1
    faults += check(yaml.safe_load(EXAMPLE.read_text()))
    sys.stderr.writelines(f"{fault}\n" for fault in faults)
    count = sum(len(rendered(overlay)) for overlay in OVERLAYS) + 1
    sys.stdout.write(f"{count} objects of {', '.join(OVERLAYS)}: {len(faults)} faults (Kubernetes {VERSION}, KEDA)\n")
    return 1 if faults else 0


def check(thing: Object) -> list[str]:
    """Give every fault of an object as a line; a kind that nobody knows is one."""
    found = _keda_faults(thing) if thing["apiVersion"].startswith("keda.sh/") else _kubernetes_faults(thing)
    return [f"{thing['kind']} {thing['metadata']['name']}: {fault}" for fault in found]


def _kubernetes_faults(thing: Object) -> Iterator[str]:
    try:
        kubernetes_validate.validate(thing, VERSION, strict=True)
    except kubernetes_validate.ValidationError as error:
        yield f"{'.'.join(map(str, error.path))}: {error.message}"
    except kubernetes_validate.SchemaNotFoundError as error:
        yield error.message


def _keda_faults(thing: Object) -> Iterator[str]:
    schema = keda_schemas().get((thing["apiVersion"], thing["kind"]))
    if schema is None:
        yield "KEDA has no such kind"
        return
    for error in Draft202012Validator(schema).iter_errors(thing):
        yield f"{'.'.join(map(str, error.path))}: {error.message}"


@functools.cache
def keda_schemas() -> dict[tuple[str, str], Any]:
    """Give the schema of each of KEDA's kinds, by apiVersion and kind."""
    definitions = [yaml.safe_load(path.read_text())["spec"] for path in sorted(KEDA.glob("*.yaml"))]
    return {
        (f"{each['group']}/{version['name']}", each["names"]["kind"]): _closed(version["schema"]["openAPIV3Schema"])
        for each in definitions
        for version in each["versions"]
    }


def _closed(schema: Any) -> Any:  # noqa: ANN401 - any JSON
    """Refuse what is not named, as a cluster does that prunes; what has no fields of its own is free (labels)."""
    if isinstance(schema, list):
        return [_closed(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    closed = {key: _closed(value) for key, value in schema.items()}
    is_free = "additionalProperties" in schema or schema.get("x-kubernetes-preserve-unknown-fields")
    return closed if "properties" not in schema or is_free else closed | {"additionalProperties": False}


if __name__ == "__main__":
    sys.exit(main())
