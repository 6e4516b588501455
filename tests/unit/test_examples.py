"""Every example under schemas/examples comes out as it says: what publishers may copy, and what they will be told."""

from base64 import b64decode
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import orjson
import pytest

from agents.steps.translate_change import identify_body, simple_body, translate_change
from agents.steps.translate_event import translate_event
from agents.steps.translate_send import translate_message, translate_trigger
from schemas.record import Record
from schemas.translated import Change, Event, Send, Unsendable
from tests.unit.input_records import InputRecord

EXAMPLES = Path(__file__).parents[2] / "schemas" / "examples"
Translated = Change | Event | Send | Unsendable
TRANSLATE: Mapping[str, Callable[[Record], Translated]] = {
    "user-changes": translate_change,
    "domain-events": translate_event,
    "transactional-messages": translate_message,
    "broadcast-triggers": translate_trigger,
}
CONTRACT = (
    "user-changes/good/contract_upserted.json",
    "user-changes/good/contract_deleted.json",
    "domain-events/good/contract_event.json",
    "transactional-messages/good/contract_message.json",
    "broadcast-triggers/good/contract_trigger.json",
)


def paths(sort: str) -> list[str]:
    """List the examples of a sort, `good` or `bad`."""
    return sorted(str(path.relative_to(EXAMPLES)) for path in EXAMPLES.glob(f"*/{sort}/*.json"))


def read(path: str) -> tuple[Record, dict[str, Any]]:
    """Read an example as the record that it describes, with what is expected of it."""
    example = orjson.loads((EXAMPLES / path).read_bytes())
    key, binary_key, raw = example.get("key"), example.get("key_base64"), example.get("raw_base64")
    value = b64decode(raw) if raw is not None else orjson.dumps(example["value"])
    record = InputRecord(
        topic=example.get("topic", path.split("/", maxsplit=1)[0]),
        timestamp=example["timestamp_ms"],
        key=b64decode(binary_key) if binary_key else None if key is None else key.encode(),
        value=None if raw is None and example["value"] is None else value,
        headers=[(name, text.encode()) for name, text in example.get("headers", {}).items()],
    )
    return record, example["expect"]


def told(translated: Translated) -> dict[str, object]:
    """Say what came out in the words of the examples."""
    names: tuple[str, ...]
    match translated:
        case Change():
            names = ("user_id", "kind", "opts_in", "version", "occurred_ms", "time_s")
            extra = {"last_operation": last_operation(translated), "fingerprint": translated.fingerprint.hex()}
        case Event():
            names = ("user_id", "anonymous_id", "event_id")
            extra = {"body": orjson.loads(translated.body), "fingerprint": translated.fingerprint.hex()}
        case Send():
            names = ("kind", "send_id", "target", "person", "user_id", "operation", "even_unsubscribed")
            extra = {"body": orjson.loads(translated.body), "fingerprint": translated.fingerprint.hex()}
        case Unsendable():
            names = ("reason", "detail", "user_id")
            extra = {"operations": list(translated.operations)}
    return {name: getattr(translated, name) for name in names} | extra


def last_operation(change: Change) -> object:
    """Give the last operation that a change sends."""
    if change.kind == "identify":
        return orjson.loads(identify_body(change.user_id, change.attributes, change.time_s))
    return orjson.loads(simple_body(change.user_id, "suppress" if change.kind == "opt_out" else "delete"))


@pytest.mark.parametrize("path", [*paths("good"), *paths("bad")])
def test_an_example_comes_out_as_it_says(path: str) -> None:
    """Good ones with what is sent and the fingerprint, which must never change; bad ones with reason and detail."""
    record, expected = read(path)

    assert expected == told(TRANSLATE[path.split("/", maxsplit=1)[0]](record))


@pytest.mark.parametrize("path", paths("good"))
def test_a_good_example_is_sent(path: str) -> None:
    """Its folder tells the truth."""
    record, _ = read(path)

    assert not isinstance(TRANSLATE[path.split("/", maxsplit=1)[0]](record), Unsendable)


@pytest.mark.parametrize("path", paths("bad"))
def test_a_bad_example_is_not_sent(path: str) -> None:
    """Its folder tells the truth."""
    record, _ = read(path)

    assert isinstance(TRANSLATE[path.split("/", maxsplit=1)[0]](record), Unsendable)


def test_the_contracts_own_examples_are_among_the_good_ones() -> None:
    """What the contract shows works."""
    assert set(CONTRACT) <= set(paths("good"))


def test_every_topic_has_good_and_bad_examples() -> None:
    """A folder without examples proves nothing."""
    folders = {str(Path(path).parent) for path in (*paths("good"), *paths("bad"))}

    assert folders == {f"{topic}/{sort}" for topic in TRANSLATE for sort in ("good", "bad")}
