"""The direct service: what it says to Customer.io for each verb, and which error a caller gets."""

import asyncio
import functools
from datetime import UTC, datetime
from typing import Any

import pytest
from prometheus_client import CollectorRegistry

from schemas.errors import ConfigError, InvalidInputError, RejectedError, StreamsError
from streams.messaging import (
    Account,
    BlockingQueuedMessaging,
    MessagingService,
    OperationDone,
    QueuedMessaging,
    Rates,
    Settings,
    UserMessagingRepository,
)
from tests.fake_time import fake_timed
from tests.messaging_world import ACCOUNT, RATES, ScriptedApi, service_on

AT = datetime(2026, 11, 22, 10, 0, tzinfo=UTC)
AT_S = int(AT.timestamp())


@fake_timed
async def test_identify_says_the_fields_and_when_the_user_was_seen() -> None:
    """On one level, times in unix seconds; what is left out is not said, None clears."""
    api = ScriptedApi()
    async with service_on(api) as service:
        await service.identify(
            "u-1",
            email="ada@example.com",
            plan=None,
            created_at=datetime(2025, 1, 1, tzinfo=UTC),
            marketing_opt_in=True,
            attributes={"city": "London"},
            occurred_at=AT,
        )

    assert api.operations() == [
        {
            "type": "person",
            "action": "identify",
            "identifiers": {"id": "u-1"},
            "attributes": {
                "email": "ada@example.com",
                "plan": None,
                "created_at": 1735689600,
                "marketing_opt_in": True,
                "city": "London",
                "last_seen_at": AT_S,
            },
            "timestamp": AT_S,
        }
    ]


@fake_timed
async def test_other_verbs_say_what_a_worker_would() -> None:
    """An opt-out is a suppression, a deletion suppresses first, in one request."""
    api = ScriptedApi()
    async with service_on(api) as service:
        await service.identify("u-1", marketing_opt_in=False, transactional_opt_in=False)
        await service.suppress("u-1")
        await service.unsuppress(1)
        await service.delete("u-1")

    assert api.actions() == ["suppress", "suppress", "unsuppress", "suppress", "delete"]
    assert len(api.asked) == 4
    assert api.operations()[2]["identifiers"] == {"id": "1"}


@fake_timed
async def test_an_event_said_twice_has_one_id() -> None:
    """By the application's own id; an anonymous one goes where anonymous ones go."""
    api = ScriptedApi()
    async with service_on(api) as service:
        ids = [await service.track("paid", user_id="u-1", data={"total": 42.5}, id="e-1") for _ in range(2)]
        other = await service.track("seen", anonymous_id="a-1", occurred_at=AT)

    first, _, anonymous = api.operations()
    assert ids == [first["id"]] * 2
    assert (first["name"], first["attributes"]) == ("paid", {"total": 42.5})
    assert (api.asked[-1][0], anonymous["id"], anonymous["timestamp"]) == ("/api/v1/events", other, AT_S)


INVALID: list[tuple[str, dict[str, Any], str]] = [
    ("identify", {"user_id": ""}, "user_id: must not be empty"),
    ("identify", {"user_id": "u-1", "plan": 3}, "user.plan: must be a string"),
    ("identify", {"user_id": "u-1", "colour": "red"}, "user.colour: unknown field"),
    ("identify", {"user_id": "u-1", "created_at": datetime(2026, 1, 1)}, "user.created_at: must be ISO 8601"),  # noqa: DTZ001 - it is the fault
    ("identify", {"user_id": "u-1", "attributes": {"share": float("nan")}}, "user.attributes.share: is no number"),
    ("identify", {"user_id": "u-1", "attributes": {"email": "x"}}, "user.attributes: must not hold email"),
    ("identify", {"user_id": "u" * 151}, "user.id: over 150 bytes"),
    ("unsuppress", {"user_id": "u" * 151}, "user.id: over 150 bytes"),
    ("delete", {"user_id": "\ud800"}, "value: str is not valid UTF-8"),
    ("track", {"name": "n"}, "value: needs exactly one of user_id and anonymous_id"),
    ("track", {"name": "n", "user_id": "u", "anonymous_id": "a"}, "value: needs exactly one of"),
    ("track", {"name": " ", "user_id": "u"}, "name: must not be blank"),
    ("track", {"name": "n", "user_id": "u", "data": {"when": object()}}, "value: Type is not JSON serializable"),
]


@pytest.mark.parametrize(("verb", "arguments", "message"), INVALID)
def test_what_breaks_a_rule_is_told_and_not_sent(verb: str, arguments: dict[str, Any], message: str) -> None:
    """The message names the field."""
    api = ScriptedApi()

    @fake_timed
    async def run() -> None:
        async with service_on(api) as service:
            with pytest.raises(InvalidInputError) as caught:
                await getattr(service, verb)(**arguments)
            assert str(caught.value).startswith(message)

    run()
    assert api.asked == []


@fake_timed
async def test_what_customerio_refuses_is_rejected() -> None:
    """With the status, and what Customer.io names."""
    api = ScriptedApi([(400, {"errors": [{"reason": "invalid", "field": "attributes.plan", "message": "no"}]})])
    async with service_on(api) as service:
        with pytest.raises(RejectedError, match=r"invalid attributes\.plan: no") as caught:
            await service.identify("u-1", plan="pro")
        await service.identify("u-1", plan="pro")

    assert caught.value.status == 400


@fake_timed
async def test_metrics_and_hooks_hear_of_every_operation() -> None:
    """Failed ones too; a hook that raises breaks nothing."""
    heard: list[OperationDone] = []
    errors: list[StreamsError] = []
    registry = CollectorRegistry()

    def fail(done: OperationDone, error: StreamsError) -> None:
        errors.append(error)
        raise ZeroDivisionError(done)

    api = ScriptedApi(latency_s=0.5)
    async with service_on(api, registry=registry, on_operation=heard.append, on_error=fail) as service:
        await service.suppress("u-1")
        with pytest.raises(InvalidInputError):
            await service.track("", user_id="u-1")

    assert [(each.operation, each.error) for each in heard] == [("suppress", None), ("track", "InvalidInputError")]
    assert [type(each) for each in errors] == [InvalidInputError]
    sample = registry.get_sample_value
    assert sample("cio_messaging_seconds_count", {"operation": "suppress"}) == 1
    assert sample("cio_messaging_errors_total", {"operation": "track", "error": "InvalidInputError"}) == 1


def test_services_may_share_a_registry() -> None:
    """Of one application; none has the worker's."""
    registry = CollectorRegistry()
    services = [MessagingService(ACCOUNT, RATES, registry=registry) for _ in range(2)]

    assert {each.registry for each in services} == {registry}


@pytest.mark.parametrize(
    ("account", "rates", "message"),
    [
        (Account(site_id="s"), Rates(track_per_s=1), "track_api_key: is missing"),
        (Account(site_id="s"), Rates(send_per_s=1), "app_api_key: is missing"),
        (Account(), Rates(), "track_per_s: is missing"),
    ],
)
def test_what_was_not_given_is_named(account: Account, rates: Rates, message: str) -> None:
    """Before anything is sent."""

    @fake_timed
    async def run() -> None:
        with pytest.raises(ConfigError, match=message):
            async with MessagingService(account, rates, transport=ScriptedApi()) as service:
                await service.suppress("u-1")

    run()


def test_wrong_arguments_are_refused_and_keys_never_shown() -> None:
    """Each fault has its line; a key is neither in errors nor in what an account prints."""
    account = Account(region="mars", site_id="a b", track_api_key="secret-1", app_api_key="secret-2")  # type: ignore[arg-type]  # the fault
    with pytest.raises(ConfigError) as caught:
        MessagingService(account, Rates(track_per_s=-1))

    faults = str(caught.value)
    assert [line.split(":")[0] for line in sorted(faults.splitlines())] == [
        "CUSTOMERIO_REGION",
        "CUSTOMERIO_SITE_ID",
        "TRACK_RATE_PER_S",
    ]
    assert "secret" not in f"{faults}{account!r}"


def test_an_empty_key_is_no_missing_key() -> None:
    """It is told by its name, rather than by refusals at Customer.io."""
    account = Account(site_id="", track_api_key=" ", app_api_key="")
    with pytest.raises(ConfigError) as caught:
        MessagingService(account, RATES)

    assert [line.split(":")[0] for line in str(caught.value).splitlines()] == [
        "site_id",
        "track_api_key",
        "app_api_key",
    ]


BAD_TIMES = [0, -1, "5", float("nan"), float("inf"), 1e12, True]


@pytest.mark.parametrize("timeout_s", [*BAD_TIMES, None])
def test_a_deadline_that_is_none_is_refused_by_constructors(timeout_s: Any) -> None:  # noqa: ANN401 - whatever is given
    """Of all three."""
    for make in (
        lambda: MessagingService(ACCOUNT, RATES, timeout_s=timeout_s),
        lambda: QueuedMessaging(Settings(), timeout_s=timeout_s),
        lambda: BlockingQueuedMessaging(Settings(), timeout_s=timeout_s),
    ):
        with pytest.raises(ConfigError, match="timeout_s: must be a number of seconds"):
            make()


@fake_timed
async def test_a_deadline_that_is_none_is_refused_by_calls() -> None:
    """Where None is the service's own."""
    api = ScriptedApi(answers=lambda _: (200, {"id": 1}))
    async with service_on(api) as service:
        for timeout_s in BAD_TIMES:
            for call in (
                service.suppress("u", timeout_s=timeout_s),  # type: ignore[arg-type]  # the fault
                service.trigger_broadcast(1, timeout_s=timeout_s),  # type: ignore[arg-type]  # the fault
            ):
                with pytest.raises(InvalidInputError, match="timeout_s: must be"):
                    await call
        assert await service.trigger_broadcast(1, timeout_s=None) == "1"


async def test_who_does_not_enter_is_told() -> None:
    """In words."""
    with pytest.raises(ConfigError, match="not entered: use it within `async with`"):
        await MessagingService(ACCOUNT, RATES).suppress("u-1")


async def _later(_: object) -> None:
    """Nobody would await it."""


class _CalledLater:
    async def __call__(self, _: object) -> None:
        """Nobody would await it."""


@pytest.mark.parametrize("hook", [_later, functools.partial(_later), _CalledLater(), "slow"])
def test_a_hook_that_would_not_run_is_refused(hook: Any) -> None:  # noqa: ANN401 - whatever is given
    """In all places."""
    for hooks in ({"on_operation": hook}, {"on_error": hook}):
        with pytest.raises(ConfigError, match="expected a"):
            MessagingService(ACCOUNT, RATES, **hooks)
        with pytest.raises(ConfigError, match="expected a"):
            QueuedMessaging(Settings(), **hooks)


@fake_timed
async def test_what_a_hook_raises_changes_nothing() -> None:
    """Unless somebody wants the process to end."""
    faults: list[BaseException] = [asyncio.CancelledError(), GeneratorExit(), ZeroDivisionError()]

    def fail(_: OperationDone) -> None:
        raise faults.pop(0) if faults else SystemExit(3)

    async with service_on(ScriptedApi(), on_operation=fail) as service:
        for _ in range(3):
            await service.suppress("u-1")
        with pytest.raises(SystemExit):
            await service.suppress("u-1")


async def test_a_queue_may_be_given_to_the_repository_itself() -> None:
    """As a service may."""
    users = UserMessagingRepository(BlockingQueuedMessaging(Settings()))
    with pytest.raises(ConfigError, match="not entered"):
        users.on_user_deleted("u-1")
