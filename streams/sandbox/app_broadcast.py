"""Decides which triggers of a broadcast are valid, and reads them; it changes nothing and sees no request.

A broken rule is a 422, as Customer.io answers it, and names its place in the body.
"""

from collections.abc import Mapping
from typing import Any, Final, get_args

from streams.sandbox import limits
from streams.sandbox.fields import (
    BOOLEAN,
    INTEGER,
    OBJECT,
    TEXT,
    TEXTS,
    one_of,
    read_identifier,
    read_object,
    refuse_misfits,
)
from streams.sandbox.message import Form, Named, Trigger
from streams.sandbox.operation import Identifier, RefusedError
from streams.sandbox.options import SandboxOptions

NAMED_MAX: Final = 10_000
"""So many ids, or people with data; of e-mail addresses no limit is documented."""

FILTER_DEPTH_MAX: Final = 10
FILTERS: Final = frozenset({"and", "or", "not", "segment", "attribute"})
UNPROCESSABLE: Final = 422

FORMS: Final[tuple[Form, ...]] = get_args(Form)
_ALL_FLAGS: Final = frozenset({"id_ignore_missing", "email_ignore_missing", "email_add_duplicates"})
FLAGS: Final[Mapping[Form | None, frozenset[str]]] = {
    "ids": frozenset({"id_ignore_missing"}),
    "emails": frozenset({"email_ignore_missing", "email_add_duplicates"}),
    "per_user_data": _ALL_FLAGS,
    "data_file_url": _ALL_FLAGS,
}
"""Which fit which form, as Customer.io's own libraries have it."""

_IGNORED: Final = {"id_ignore_missing": "id", "email_ignore_missing": "email"}
_OPERATORS: Final = one_of("eq", "exists")


def read_trigger(body: object, *, options: SandboxOptions) -> Trigger:
    """Read `POST /v1/campaigns/{broadcast_id}/triggers`.

    Raises:
        RefusedError: Names the first rule that it breaks.
    """
    try:
        return _read(read_object(body, field=""), options=options)
    except RefusedError as refused:
        raise RefusedError(refused.refusal.field, refused.refusal.message, status=UNPROCESSABLE) from None


def _read(trigger: Mapping[str, Any], *, options: SandboxOptions) -> Trigger:
    if limits.json_bytes(trigger) is None:
        raise RefusedError("", "request body is nested too deeply")
    forms = [form for form in FORMS if form in trigger]
    if len(forms) > 1:
        raise RefusedError(forms[1], f"cannot be given together with {forms[0]}")
    form = forms[0] if forms else None
    refuse_misfits(trigger, dict.fromkeys(_ALL_FLAGS, BOOLEAN) | {"data": OBJECT}, field="")
    unfit = sorted((_ALL_FLAGS & trigger.keys()) - FLAGS.get(form, frozenset()))
    if unfit and options.refuses_unfit_flags:
        raise RefusedError(unfit[0], f"does not fit an audience of {form or 'the broadcast itself'}")
    return Trigger(
        form=form,
        named=_read_named(form, trigger),
        recipients=_read_recipients(trigger["recipients"]) if form == "recipients" else None,
        data=trigger.get("data", {}),
        ignores=frozenset(kind for flag, kind in _IGNORED.items() if trigger.get(flag)),
    )


def _read_named(form: Form | None, trigger: Mapping[str, Any]) -> tuple[Named, ...]:
    match form:
        case "ids" | "emails":
            refuse_misfits(trigger, {form: TEXTS}, field="")
            people: list[Any] = trigger[form]
            _refuse_many(people, form=form)
            kind = form.removesuffix("s")
            return tuple(Named(line=line, identifier=Identifier(kind, each)) for line, each in enumerate(people, 1))
        case "per_user_data":
            people = trigger[form]
            if not isinstance(people, list):
                raise RefusedError(form, "must be an array")
            _refuse_many(people, form=form)
            return tuple(_read_person(each, line=line) for line, each in enumerate(people, 1))
        case "data_file_url":
            refuse_misfits(trigger, {form: TEXT}, field="")
            if not trigger[form].startswith(("https://", "http://")):
                raise RefusedError(form, "must be a URL")
            return ()
        case _:
            return ()


def _refuse_many(people: list[Any], *, form: Form) -> None:
    if not people:
        raise RefusedError(form, "cannot be empty")
    if form != "emails" and len(people) > NAMED_MAX:
        raise RefusedError(form, f"cannot have more than {NAMED_MAX} entries")


def _read_person(entry: object, *, line: int) -> Named:
    field = f"per_user_data/{line - 1}"
    person = read_object(entry, field=field)
    identifier = read_identifier(person, field=field, kinds=("id", "email"))
    refuse_misfits(person, {"data": OBJECT}, field=field)
    return Named(line=line, identifier=identifier, data=person.get("data", {}))


def _read_recipients(value: object) -> Mapping[str, Any]:
    recipients = read_object(value, field="recipients")
    if not recipients:
        raise RefusedError("", "empty recipients filter is not valid")
    _check_filter(recipients, field="recipients", depth=1)
    return recipients


def _check_filter(value: object, *, field: str, depth: int) -> None:
    node = read_object(value, field=field)
    if len(node) != 1 or not node.keys() <= FILTERS or depth > FILTER_DEPTH_MAX:
        raise RefusedError(field, f"must have exactly one of {', '.join(sorted(FILTERS))}")
    ((name, inner),) = node.items()
    place = f"{field}/{name}"
    match name:
        case "and" | "or":
            if not isinstance(inner, list) or not inner:
                raise RefusedError(place, "must be an array of filters")
            for index, each in enumerate(inner):
                _check_filter(each, field=f"{place}/{index}", depth=depth + 1)
        case "not":
            _check_filter(inner, field=place, depth=depth + 1)
        case _:
            _check_condition(read_object(inner, field=place), is_segment=name == "segment", field=place)


def _check_condition(condition: Mapping[str, Any], *, is_segment: bool, field: str) -> None:
    types = {"id": INTEGER} if is_segment else {"field": TEXT, "operator": _OPERATORS}
    refuse_misfits(condition, types, field=field, is_required=True)
    if condition.get("operator") == "eq" and "value" not in condition:
        raise RefusedError(f"{field}/value", "must be given with the operator eq")
