"""The official OpenAPI of reporting webhooks, as a judge of bodies; what the sandbox sends is held to it.

The file under `tests/data` is what Customer.io publishes, read in August 2026. Where it contradicts itself or another
of Customer.io's files, it is corrected here, each time with the reason; nothing else may differ.
"""

import copy
import functools
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator

Schema = dict[str, Any]

FILE = Path(__file__).parent / "data" / "customerio-reporting-webhooks.openapi.json"


def faults(body: object) -> list[str]:
    """What the description has against a body, one line each; names that it does not know are a fault too."""
    if not isinstance(body, dict):
        return ["is no object"]
    if body.get("object_type") == "customer":
        names = {"subscribed": "person_subscribed", "unsubscribed": "person_unsubscribed"}
        name = names.get(str(body.get("metric")), f"person_{body.get('metric')}")
    else:
        name = f"{body.get('object_type')}_{body.get('metric')}"
    if name not in _document()["components"]["schemas"]:
        return [f"{name}: there is no such webhook"]
    found = [error.message for error in _validator(name).iter_errors(body)]
    return found + [f"{each}: there is no such field" for each in sorted(_names(body) - _known(name))]


def _names(body: object) -> set[str]:
    if isinstance(body, dict):
        return set(body).union(*map(_names, body.values()))
    return set().union(*map(_names, body)) if isinstance(body, list) else set()


@functools.cache
def _validator(name: str) -> Draft202012Validator:
    return Draft202012Validator({**_document(), "$ref": f"#/components/schemas/{name}"})


@functools.cache
def _known(name: str) -> set[str]:
    return set(_properties({"$ref": f"#/components/schemas/{name}"}))


def _properties(schema: object) -> Iterator[str]:
    if isinstance(schema, list):
        for each in schema:
            yield from _properties(each)
    if not isinstance(schema, dict):
        return
    if "$ref" in schema:
        yield from _properties(_document()["components"]["schemas"][schema["$ref"].rpartition("/")[2]])
    yield from schema.get("properties", {})
    for each in schema.values():
        yield from _properties(each)


@functools.cache
def _document() -> Schema:
    document = copy.deepcopy(json.loads(FILE.read_text()))
    schemas: Schema = document["components"]["schemas"]
    # A push that was drafted is said to be one that was attempted, which is described beside it.
    schemas["push_drafted"]["allOf"][1]["properties"]["metric"]["enum"] = ["drafted"]
    # The name of this one field is misspelt; every other webhook, and the prose, have it right.
    changed = schemas["person_cio_subscription_preferences_changed"]["properties"]
    changed["object_type"] = changed.pop("object_type_type")
    # The App API sends transactional SMS and in-app messages too, and has for their template the field that it has for
    # e-mail and push; the description of those two channels knows campaigns, broadcasts and newsletters only.
    transactional = next(
        each for each in schemas["event_common_data"]["oneOf"] if "transactional_message_id" in each["properties"]
    )
    schemas["other_event_common_data"]["oneOf"].append(transactional)
    return {"components": document["components"]}
