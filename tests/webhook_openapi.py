"""The official OpenAPI of the reporting webhooks, as one payload for each event and each kind of message behind it.

The file under `tests/data` is what Customer.io publishes for its reporting webhooks, unchanged. It gives examples of
three whole payloads; the others are put together of each field's own example, or the first value that it may have.
"""

import functools
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

FILE: Final = Path(__file__).parent / "data" / "customerio-reporting-webhooks.openapi.json"
PARENTS: Final = ("API triggered broadcast", "Campaign", "Newsletter", "Transactional message")
_PLAIN: Final[Mapping[str, object]] = {"string": "text", "integer": 7, "number": 7, "boolean": True, "null": None}

Tree = dict[str, Any]


@functools.cache
def official_payloads() -> Mapping[str, Tree]:
    """Every payload by its name: the three whole examples, and `EVENT/PARENT` for each event of each object type."""
    whole = _published()["webhooks"]["reportingWebhook"]["post"]["requestBody"]["content"]["application/json"]
    found = {name: example["value"] for name, example in whole["examples"].items()}
    for reference in whole["schema"]["oneOf"]:
        for event in _resolved(reference)["oneOf"]:
            for parent in PARENTS:
                found[f"{event['$ref'].rsplit('/', 1)[1]}/{parent}"] = _built(event, parent)
    return found


@functools.cache
def _published() -> Tree:
    return dict(json.loads(FILE.read_text()))


def _resolved(schema: Tree) -> Tree:
    while "$ref" in schema:
        schema = _published()["components"]["schemas"][schema["$ref"].rsplit("/", 1)[1]]
    return schema


def _built(schema: Tree, parent: str) -> Any:  # noqa: ANN401 - any JSON
    schema = _resolved(schema)
    if "allOf" in schema or "properties" in schema:
        return {name: _built(part, parent) for name, part in _properties(schema, parent)}
    if "oneOf" in schema:
        return _built(_chosen(schema, parent), parent)
    if "example" in schema:
        return schema["example"]
    if "enum" in schema:
        return schema["enum"][0]
    kind = schema.get("type", "string")
    if kind == "array":
        return [_built(schema.get("items", {}), parent)]
    return {} if kind == "object" else _PLAIN[kind if isinstance(kind, str) else kind[0]]


def _properties(schema: Tree, parent: str) -> Iterator[tuple[str, Tree]]:
    """Of an object, and of all that it is put together from; of two descriptions of a field that are objects, both."""
    merged: dict[str, Tree] = {}
    for part in _parts(schema, parent):
        for name, each in part.get("properties", {}).items():
            known = merged.get(name)
            merged[name] = {"allOf": [known, each]} if known and _is_object(known) and _is_object(each) else each
    yield from merged.items()


def _parts(schema: Tree, parent: str) -> Iterator[Tree]:
    schema = _resolved(schema)
    yield schema
    for part in schema.get("allOf", ()):
        yield from _parts(part, parent)
    if "oneOf" in schema:
        yield from _parts(_chosen(schema, parent), parent)


def _is_object(schema: Tree) -> bool:
    return any(key in _resolved(schema) for key in ("properties", "allOf"))


def _chosen(schema: Tree, parent: str) -> Tree:
    options: list[Tree] = schema["oneOf"]
    return next((each for each in options if _resolved(each).get("title") == parent), options[0])
