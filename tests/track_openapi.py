"""The official OpenAPI of the Track API, as calls whose bodies can be judged; the sandbox is held to it.

The file under `tests/data` is what Customer.io publishes at https://docs.customer.io/files/journeys-track.json, read in
August 2026 and cut to what its paths refer to. Where it contradicts itself, its own prose, or what was seen of the real
API, it is corrected here, each time with the reason; nothing else may differ.
"""

import copy
import functools
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator

Schema = dict[str, Any]

FILE = Path(__file__).parent / "data" / "customerio-track.openapi.json"
NOT_SIMULATED = {
    "POST /api/v1/forms/{form_id}/submit",
    "POST /api/v1/metrics",
    "POST /api/v1/push/events",
    "POST /unsubscribe/{delivery_id}",
}
"""What reports on messages and forms; no tool that delivers people and events calls it."""

ULID_PATTERN = "^[0-9A-HJKMNP-TV-Z]{26}$"
TEXT_OR_NUMBER = {"type": ["string", "number"], "minLength": 1, "maxLength": 150}
NAME = {"type": "string", "pattern": r"\S", "maxLength": 100}
SECONDS = {"type": "integer", "maximum": 99_999_999_999}
ANYTHING: Schema = {}


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One thing that the Track API can be asked to do: an endpoint, or one action of v2's."""

    name: str
    method: str
    path: str
    schema: Schema | None = field(repr=False)

    def allows(self, body: object) -> bool:
        """Whether the description allows this body."""
        assert self.schema is not None
        return bool(Draft202012Validator(self.schema).is_valid(body))

    def __str__(self) -> str:
        return self.name


def endpoints() -> set[str]:
    """Every method and path of the file."""
    return {f"{method.upper()} {path}" for path, methods in _published()["paths"].items() for method in _verbs(methods)}


@functools.cache
def calls() -> tuple[Call, ...]:
    """Every call of the file that the sandbox has to know; for v2, each type and action is one."""
    return tuple(_calls(_corrected()))


def _calls(document: Schema) -> Iterator[Call]:
    for path, methods in document["paths"].items():
        for method in _verbs(methods):
            name = f"{method.upper()} {path}"
            body = methods[method].get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema")
            if name in NOT_SIMULATED or path.startswith("/api/v2/"):
                continue
            schema = None if body is None else inlined(body, document)
            yield Call(name=name, method=method.upper(), path=path, schema=schema)
    entity = document["paths"]["/api/v2/entity"]["post"]["requestBody"]["content"]["application/json"]["schema"]
    for action in _alternatives(inlined(entity, document)):
        words = (action["properties"]["type"]["enum"][0], action["properties"]["action"]["enum"][0])
        yield Call(name=" ".join(words), method="POST", path="/api/v2/entity", schema=action)


def inlined(schema: Any, document: Schema) -> Any:  # noqa: ANN401 - any JSON
    """Write a schema out: without references, and with the parts of an object in one place."""
    if isinstance(schema, list):
        return [inlined(each, document) for each in schema]
    if not isinstance(schema, dict):
        return schema
    if "$ref" in schema:
        _, first, second, name = schema["$ref"].split("/")
        return inlined(document[first][second][name], document)
    written = {key: inlined(value, document) for key, value in schema.items() if key != "allOf"}
    for part in inlined(schema.get("allOf", []), document):
        for key, value in part.items():
            known = written.get(key)
            if isinstance(known, dict) and isinstance(value, dict):
                written[key] = known | value
            elif isinstance(known, list) and isinstance(value, list):
                written[key] = [*known, *value]
            else:
                written.setdefault(key, value)
    return written


def _alternatives(schema: Schema) -> Iterator[Schema]:
    if "oneOf" not in schema:
        yield schema
    for each in schema.get("oneOf", []):
        yield from _alternatives(each)


def _verbs(methods: Schema) -> list[str]:
    return [method for method in methods if method in {"get", "put", "post", "delete"}]


@functools.cache
def _published() -> Schema:
    document: Schema = json.loads(FILE.read_text())
    return document


def _corrected() -> Schema:
    document = copy.deepcopy(_published())
    schemas = document["components"]["schemas"]
    _correct_identifiers(document)
    _correct_v1_identify(document)
    _correct_v1_events(schemas)
    _add_limits(schemas)
    return document


def _correct_identifiers(document: Schema) -> None:
    schemas = document["components"]["schemas"]
    # Customer.io's own refusal is "must be a string or a number"; the limits in bytes are prose.
    schemas["not_nullable_customer_id"] = TEXT_OR_NUMBER
    for name in ("not_nullable_email_address", "cio_id", "object_type_id"):
        schemas[name] = {"type": "string", "minLength": 1, "maxLength": 150}
    schemas["anonymous_id"] = {"type": "string", "maxLength": 150}
    # Each of three alternatives fits whatever has none of their keys, so that nothing fits exactly one: they are
    # meant to demand their key, as the same ones do elsewhere in the file.
    merge = document["paths"]["/api/v1/merge_customers"]["post"]["requestBody"]["content"]["application/json"]["schema"]
    relationship = schemas["v2_cio_relationships"]["items"]
    for identified in (
        merge["properties"]["primary"],
        merge["properties"]["secondary"],
        relationship["properties"]["identifiers"],
    ):
        for alternative in identified["oneOf"]:
            alternative["required"] = list(alternative["properties"])
    anonymous = schemas["object_identify_anonymous"]["allOf"][1]["properties"]["cio_relationships"]["items"]
    anonymous["properties"]["identifiers"] = {
        "type": "object",
        "required": ["anonymous_id"],
        "properties": {"anonymous_id": {"type": "string", "minLength": 1, "maxLength": 150}},
    }
    # Nothing can be done to an object, or with a delivery, that is not named.
    schemas["object_common"]["allOf"][1]["required"] = ["type", "identifiers"]
    schemas["delivery_operations"]["properties"]["identifiers"]["required"] = ["id"]
    for identifiers in (schemas["object_common_identify"], schemas["object_identifiers"]):
        for alternative in identifiers["properties"]["identifiers"]["oneOf"]:
            for key in {"object_id", "cio_object_id"} & alternative["properties"].keys():
                alternative["properties"][key] |= {"minLength": 1, "maxLength": 150}
    phone = schemas["person_common"]["properties"]["identifiers"]["oneOf"][2]["properties"]["phone"]
    phone |= {"minLength": 1, "maxLength": 150}


def _correct_v1_identify(document: Schema) -> None:
    call = document["paths"]["/api/v1/customers/{identifier}"]["put"]
    schema = call["requestBody"]["content"]["application/json"]["schema"]
    # Nested attributes, fractions and nulls are in use; null and "" clear an attribute.
    schema["additionalProperties"] = ANYTHING
    schema["properties"]["email"] = {"type": ["string", "null"]}
    schema["properties"]["id"] = {"type": "string", "minLength": 1, "maxLength": 150}
    # Its prose: 1, "1" and "TRUE" count as true, all else as false.
    schema["properties"]["unsubscribed"] = ANYTHING
    schema["properties"]["_timestamp"] = SECONDS
    preferences = document["components"]["schemas"]["cio_subscription_preferences"]
    # Its prose: "empty or missing values use the topic default".
    preferences["properties"]["topics"]["additionalProperties"] = {"enum": [True, False, None, ""]}
    cleared = {"oneOf": [preferences, {"enum": [None, ""]}]}
    document["components"]["schemas"]["cio_subscription_preferences"] = cleared
    schema["properties"]["cio_subscription_preferences"] = cleared


def _correct_v1_events(schemas: Schema) -> None:
    for name in ("eventsRequest", "anonymousEventsRequest"):
        standard, page, screen = schemas[name]["oneOf"]
        # Its prose: any other type is set to "event".
        standard["properties"]["type"] = {"type": "string", "not": {"enum": ["page", "screen"]}}
        # A screen view of a person who is named in the path has no anonymous id, as a page view has none.
        screen["required"] = page["required"]
        screen["properties"] = {key: screen["properties"][key] for key in page["properties"]}
        for event in (standard, page, screen):
            event["properties"] |= {"name": NAME, "timestamp": SECONDS}
    anonymous = schemas["anonymousEventsRequest"]["oneOf"][0]
    # Prose and libraries: an event of nobody may have a recipient.
    anonymous["properties"]["data"]["properties"]["recipient"] = {"type": "string"}


def _add_limits(schemas: Schema) -> None:
    schemas["dedupe_id"] = {"type": "string", "pattern": ULID_PATTERN}
    for name in ("person_event", "person_page", "person_screen"):
        properties = schemas[name]["allOf"][1]["properties"]
        properties |= {"name": NAME, "timestamp": SECONDS, "id": schemas["dedupe_id"]}
    identify = schemas["identify_person"]["allOf"][1]["properties"]
    identify["timestamp"] = SECONDS
