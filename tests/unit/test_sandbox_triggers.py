"""The sandbox's broadcasts over HTTP, without a network: whose audience is valid, and what can be asked about them."""

from typing import Any

import pytest

from streams.sandbox.app_broadcast import FILTER_DEPTH_MAX
from tests.unit.app_sandbox import NOW, Sandbox

SEGMENT = {"segment": {"id": 7}}
PRO = {"attribute": {"field": "plan", "operator": "eq", "value": "pro"}}
CYD = {"attribute": {"field": "id", "operator": "eq", "value": "u-3"}}


async def make_people(**options: Any) -> Sandbox:  # noqa: ANN401 - options' own
    """A sandbox with three people, of whom the first two are in segment 7."""
    sandbox = Sandbox(**options)
    await sandbox.identify("u-1", email="ada@example.com", first_name="Ada", plan="pro")
    await sandbox.identify("u-2", email="bob@example.com", first_name="Bob", active=True)
    await sandbox.identify("u-3", first_name="Cyd", plan="pro", tags=["vip"])
    path = "/api/v1/segments/7/add_customers"
    await sandbox.client.post(path, json={"ids": ["u-1", "u-2"]}, auth=("site", "key"))
    return sandbox


async def reached(sandbox: Sandbox) -> list[str]:
    """Who is in the outbox, whatever became of it."""
    return [each["identifiers"]["id"] for each in await sandbox.outbox()]


@pytest.mark.parametrize(
    ("audience", "expected"),
    [
        ({}, ["u-1", "u-2", "u-3"]),
        ({"ids": ["u-2", "u-1"]}, ["u-2", "u-1"]),
        ({"emails": ["ADA@example.com"]}, ["u-1"]),
        ({"per_user_data": [{"id": "u-3"}, {"email": "bob@example.com", "data": {"code": "B"}}]}, ["u-3", "u-2"]),
        ({"ids": ["u-1", "u-9"], "id_ignore_missing": True}, ["u-1"]),
        ({"emails": ["x@example.com"], "email_ignore_missing": True, "email_add_duplicates": True}, []),
        ({"recipients": SEGMENT}, ["u-1", "u-2"]),
        ({"recipients": {"not": SEGMENT}}, ["u-3"]),
        ({"recipients": {"attribute": {"field": "plan", "operator": "exists"}}}, ["u-1", "u-3"]),
        ({"recipients": {"attribute": {"field": "active", "operator": "eq", "value": "true"}}}, ["u-2"]),
        ({"recipients": {"attribute": {"field": "tags", "operator": "eq", "value": "vip"}}}, ["u-3"]),
        ({"recipients": {"and": [SEGMENT, PRO]}}, ["u-1"]),
        ({"recipients": {"or": [SEGMENT, CYD]}}, ["u-1", "u-2", "u-3"]),
    ],
)
async def test_a_broadcast_has_an_entry_for_each_of_its_audience(audience: dict[str, Any], expected: list[str]) -> None:
    """In whichever form the audience is given; the answer is the number of the trigger."""
    sandbox = await make_people()
    answer = await sandbox.trigger(audience)

    assert (answer.status_code, answer.json()) == (200, {"id": 1})
    assert await reached(sandbox) == expected


def nested(depth: int) -> dict[str, Any]:
    """A filter within filters."""
    return SEGMENT if depth == 1 else {"not": nested(depth - 1)}


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ([], None),
        ({"recipients": {}}, None),
        ({"recipients": {"some": []}}, "recipients"),
        ({"recipients": {"and": [], "or": []}}, "recipients"),
        ({"recipients": {"and": []}}, "recipients/and"),
        ({"recipients": {"or": [SEGMENT, {"segment": {"id": "7"}}]}}, "recipients/or/1/segment.id"),
        ({"recipients": {"attribute": {"field": "plan", "operator": "like"}}}, "recipients/attribute.operator"),
        ({"recipients": {"attribute": {"field": "plan", "operator": "eq"}}}, "recipients/attribute/value"),
        ({"recipients": nested(FILTER_DEPTH_MAX + 1)}, "recipients" + "/not" * FILTER_DEPTH_MAX),
        ({"ids": ["u-1"], "emails": ["ada@example.com"]}, "ids"),
        ({"ids": []}, "ids"),
        ({"ids": [1]}, "ids"),
        ({"ids": ["u-1"] * 10_001}, "ids"),
        ({"per_user_data": {}}, "per_user_data"),
        ({"per_user_data": [{"id": "u-1"}] * 10_001}, "per_user_data"),
        ({"per_user_data": [{"id": "u-1"}, {"id": "u-1", "email": "b"}]}, "per_user_data/1"),
        ({"per_user_data": [{"id": "u-1", "data": 5}]}, "per_user_data/0.data"),
        ({"data_file_url": "file"}, "data_file_url"),
        ({"data": []}, "data"),
        ({"ids": ["u-1"], "id_ignore_missing": "yes"}, "id_ignore_missing"),
        ({"ids": ["u-1"], "email_ignore_missing": True}, "email_ignore_missing"),
        ({"id_ignore_missing": False}, "id_ignore_missing"),
    ],
)
async def test_a_broken_rule_is_a_422_that_names_its_place(body: object, pointer: str | None) -> None:
    """In the general envelope of the App API, and nobody gets anything."""
    sandbox = await make_people()
    answer = await sandbox.trigger(body)
    (error,) = answer.json()["errors"]

    assert (answer.status_code, error["status"]) == (422, "422")
    assert error.get("source") == (None if pointer is None else {"pointer": f"/data/attributes/{pointer}"})
    assert await sandbox.outbox() == []


async def test_an_empty_filter_is_refused_in_the_words_that_were_seen() -> None:
    """They are all that a caller has to go by."""
    answer = await Sandbox().trigger({"recipients": {}})

    assert answer.json()["errors"][0]["detail"] == "empty recipients filter is not valid"


async def test_flags_that_do_not_fit_may_be_tolerated() -> None:
    """The documentation has them in every form, the server was seen to refuse them."""
    sandbox = await make_people(refuses_unfit_flags=False)

    assert (await sandbox.trigger({"ids": ["u-1"], "email_ignore_missing": True})).status_code == 200


async def test_somebody_missing_fails_the_whole_broadcast() -> None:
    """Nobody gets it, and the trigger's errors say on which lines; somebody suppressed is missing too."""
    sandbox = await make_people()
    await sandbox.suppress("u-2")
    answer = await sandbox.trigger({"ids": ["u-1", "u-2", "u-9"]})
    (error,) = answer.json()["errors"]
    pages = [
        (await sandbox.client.get(f"/v1/{name}/12/triggers/1/errors{query}")).json()
        for name, query in (("campaigns", ""), ("broadcasts", "?limit=1"), ("broadcasts", "?start=1&limit=1"))
    ]

    assert (answer.status_code, error["source"]) == (422, {"pointer": "/data/attributes/ids"})
    assert error["detail"].endswith("More detail available from the errors endpoint for trigger 1")
    assert pages == [
        {"errors": ["line 2: no person has this id", "line 3: no person has this id"]},
        {"errors": ["line 2: no person has this id"], "next": 1},
        {"errors": ["line 3: no person has this id"]},
    ]
    assert await sandbox.outbox() == []


async def test_somebody_suppressed_is_passed_over_where_the_missing_are() -> None:
    """The outbox says so; somebody who has unsubscribed, or has no address, gets nothing either."""
    sandbox = await make_people()
    await sandbox.suppress("u-2")
    await sandbox.identify("u-1", unsubscribed="TRUE")
    await sandbox.trigger({"ids": ["u-1", "u-2", "u-3", "u-9"], "id_ignore_missing": True})
    ends = {each["identifiers"]["id"]: each["status"] for each in await sandbox.outbox()}

    assert ends == {"u-1": "unsubscribed", "u-2": "suppressed", "u-3": "no_address"}


async def test_a_data_file_is_not_fetched() -> None:
    """The trigger is accepted, and the outbox says why nobody got it."""
    sandbox = await make_people()
    answer = await sandbox.trigger({"data_file_url": "https://example.com/a", "id_ignore_missing": True})

    assert answer.status_code == 200
    assert [each["status"] for each in await sandbox.outbox()] == ["not_fetched"]


async def test_triggers_can_be_asked_about() -> None:
    """By broadcast and by number, under either name; what is not there is a 404, what is no number a 400."""
    sandbox = await make_people()
    await sandbox.trigger({"ids": ["u-1"]})
    await sandbox.trigger({"ids": ["u-2"]})
    shown = {"id": 2, "broadcast_id": 12, "created_at": int(NOW) + 20, "processed_at": int(NOW) + 20}
    listed = (await sandbox.client.get("/v1/campaigns/12/triggers")).json()["triggers"]
    paths = ("broadcasts/12/triggers/3", "broadcasts/13/triggers/2", "campaigns/x/triggers", "campaigns/12/triggers/x")

    assert listed[1] == shown == (await sandbox.client.get("/v1/broadcasts/12/triggers/2")).json()
    assert [(await sandbox.client.get(f"/v1/{path}")).status_code for path in paths] == [404, 404, 400, 400]
    assert (await sandbox.client.get("/v1/campaigns/12/triggers/2/errors?start=x")).status_code == 400


async def test_an_unknown_broadcast_is_a_404_once_broadcasts_are_told() -> None:
    """With none told of, each exists."""
    sandbox = await make_people()
    before = await sandbox.trigger({"ids": ["u-1"]}, broadcast=99)
    await sandbox.tell_templates()
    after = [await sandbox.trigger({"ids": ["u-1"]}, broadcast=each) for each in (99, "x", 12)]
    listed = (await sandbox.client.get("/v1/broadcasts")).json()["broadcasts"]

    assert [each.status_code for each in (before, *after)] == [200, 404, 400, 200]
    assert [each["id"] for each in listed] == [12]
