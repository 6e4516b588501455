"""What we override or touch of Faust, mode and aiokafka that is not theirs to promise: an upgrade fails here.

When it does, read streams/kafka/transport.py and those beside it against the new sources before the pins are moved.
"""

import inspect
import tomllib
from importlib.metadata import version
from pathlib import Path
from typing import Any

import aiokafka
import faust
import mode
import pytest
from aiokafka.client import AIOKafkaClient
from aiokafka.cluster import ClusterMetadata
from aiokafka.consumer.fetcher import Fetcher, FetchResult, PartitionRecords
from aiokafka.consumer.group_coordinator import BaseCoordinator, GroupCoordinator, OffsetCommitRequest
from aiokafka.consumer.subscription_state import SubscriptionState, TopicPartitionState
from aiokafka.record.default_records import _DefaultRecordBatchPy
from faust.tables.recovery import Recovery
from faust.transport import consumer as faust_consumer
from faust.transport.drivers import aiokafka as driver

PINS = {"faust-streaming": "0.15.3", "mode-streaming": "0.7.1", "aiokafka": "0.14.0", "confluent-kafka": "2.16.1"}


def parameters(function: Any) -> list[str]:  # noqa: ANN401 - any callable
    """Names of the parameters, `self` left out."""
    return [name for name in inspect.signature(function).parameters if name != "self"]


def source(function: Any) -> str:  # noqa: ANN401 - any callable
    """Its text."""
    return inspect.getsource(function)


@pytest.mark.parametrize(("name", "pinned"), PINS.items())
def test_what_is_installed_is_what_was_read(name: str, pinned: str) -> None:
    """Ours was written against these very versions, and pyproject.toml asks for no others."""
    project = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text())["project"]
    (asked,) = [each for each in project["dependencies"] if each.startswith(name)]

    assert (version(name), asked.split("==")[1:]) == (pinned, [pinned])


@pytest.mark.parametrize(
    ("owner", "name", "expected"),
    [
        (driver.AIOKafkaConsumerThread, "_create_worker_consumer", ["transport"]),
        (
            driver.AIOKafkaConsumerThread,
            "_fetch_records",
            ["consumer", "active_partitions", "timeout", "max_records"],
        ),
        (driver.AIOKafkaConsumerThread, "_ensure_consumer", []),
        (driver.ConsumerRebalanceListener, "on_partitions_assigned", ["assigned"]),
        (driver.Consumer, "_new_consumer_thread", []),
        (driver.Consumer, "stop_flow", []),
        (driver.Consumer, "ack", ["message"]),
        (driver.Consumer, "wait_empty", []),
        (driver.Consumer, "perform_seek", []),
        (driver.Consumer, "getmany", ["timeout"]),
        (driver.Consumer, "seek_wait", ["partitions"]),
        (driver.Consumer, "_getmany", ["active_partitions", "timeout"]),
        (driver.Consumer, "_get_active_partitions", []),
        (driver.Consumer, "_commit", ["offsets"]),
        (driver.Consumer, "_add_gap", ["tp", "offset_from", "offset_to"]),
        (Fetcher, "fetched_records", ["partitions", "timeout", "max_records"]),
        (
            PartitionRecords,
            "__init__",
            [
                "tp",
                "records",
                "aborted_transactions",
                "fetch_offset",
                "key_deserializer",
                "value_deserializer",
                "check_crcs",
                "isolation_level",
            ],
        ),
        (_DefaultRecordBatchPy, "_maybe_uncompress", []),
        (_DefaultRecordBatchPy, "_read_msg", ["decode_varint"]),
        (SubscriptionState, "fetch_context", []),
        (GroupCoordinator, "_do_heartbeat", []),
        (GroupCoordinator, "check_errors", []),
        (GroupCoordinator, "request_rejoin", []),
        (AIOKafkaClient, "force_metadata_update", []),
        (AIOKafkaClient, "send", ["node_id", "request", "group"]),
        (SubscriptionState, "assigned_partitions", []),
        (ClusterMetadata, "partitions_for_topic", ["topic"]),
        (ClusterMetadata, "leader_for_partition", ["partition"]),
        (aiokafka.AIOKafkaConsumer, "pause", ["partitions"]),
        (aiokafka.AIOKafkaConsumer, "resume", ["partitions"]),
    ],
)
def test_a_method_is_there_with_its_parameters(owner: type, name: str, expected: list[str]) -> None:
    """Overridden ones must be called as we expect, used ones take what we give."""
    assert expected == parameters(getattr(owner, name))


@pytest.mark.parametrize(
    ("function", "words"),
    [
        (Fetcher.__init__, ["self._fetch_max_wait_ms =", "self._subscriptions =", "self._closed ="]),
        (Fetcher._proc_fetch_request, ["= MemoryRecords(part_data[-1])", "= PartitionRecords("]),
        (PartitionRecords._unpack_records, [".has_next()", ".next_batch()", "for record in next_batch:"]),
        (_DefaultRecordBatchPy.__init__, ["self._buffer =", "self._num_records ="]),
        (_DefaultRecordBatchPy._read_msg, ["buffer = self._buffer", 'buffer[pos : pos + h_key_len].decode("utf-8")']),
        (GroupCoordinator._heartbeat_routine, ["await self._do_heartbeat()"]),
        (GroupCoordinator._push_error_to_user, ["self._pending_exception = exc", "self._error_consumed_fut"]),
        (
            GroupCoordinator.check_errors,
            ["self._coordination_task.result()", "self._error_consumed_fut.set_result(None)", "raise exc"],
        ),
        (BaseCoordinator.__init__, ["self._client =", "self._subscription ="]),
        (ClusterMetadata.__init__, ["self.unauthorized_topics ="]),
        (AIOKafkaClient.__init__, ["self._conns =", "self.cluster ="]),
        (Fetcher._get_actions_per_node, ["invalid_metadata = True"]),
        (Fetcher._proc_fetch_request, ["OffsetOutOfRangeError({tp: fetch_offset})", "await_reset("]),
        (Fetcher._update_fetch_positions, ["NoOffsetForPartitionError(tp)"]),
        (TopicPartitionState.__init__, ["self._position =", "self.lso ="]),
        (FetchResult.getall, ["self._update_position()"]),
        (aiokafka.AIOKafkaConsumer.highwater, ["self._subscription.subscription.assignment", ".state_value("]),
        (driver.AIOKafkaConsumerThread.__post_init__, ["self.tp_last_committed_at"]),
        (GroupCoordinator.reset_generation, ["self.generation = OffsetCommitRequest.DEFAULT_GENERATION_ID"]),
        (GroupCoordinator.__init__, ["self.generation =", "self.member_id ="]),
        (aiokafka.AIOKafkaConsumer.__init__, ["self._closed =", "self._coordinator =", "self._fetcher ="]),
        (faust_consumer.Consumer.__init__, ["self._unacked_messages", "self.can_resume_flow"]),
        (driver.ConsumerRebalanceListener.__init__, ["self._thread"]),
        (driver.AIOKafkaConsumerThread.on_start, ["self._create_consumer("]),
        (driver.AIOKafkaConsumerThread.__post_init__, ["consumer.RebalanceListener(self)"]),
        (driver.AIOKafkaConsumerThread._create_consumer, ["self._create_worker_consumer("]),
        (driver.AIOKafkaConsumerThread.getmany, ["self._fetch_records"]),
        (faust_consumer.Consumer.stop_flow, ["self.flow_active = False", "can_resume_flow.clear()"]),
        (
            faust.App._on_partitions_revoked,
            ["T(self.flow_control.suspend)()", "T(consumer.stop_flow)()", "T(self._consumer_wait_empty)"],
        ),
        (faust.App._consumer_wait_empty, ["self.conf.stream_wait_empty", "consumer.wait_empty()"]),
        (Recovery, ["consumer.perform_seek()"]),
        (mode.CrashingSupervisor.restart_service, ["crash"]),
    ],
)
def test_an_attribute_is_set_and_a_hook_is_called(function: Any, words: list[str]) -> None:  # noqa: ANN401
    """Where we rely on it: else our override would silently never run."""
    text = source(function)

    assert [word for word in words if word not in text] == []


def test_no_generation_is_negative() -> None:
    """By that we know that the group has forgotten us."""
    assert OffsetCommitRequest.DEFAULT_GENERATION_ID < 0


def test_a_fetch_asks_for_the_wait_that_we_set() -> None:
    """The fetcher reads it for every request, not once at its start."""
    requests = [
        text for _, made in inspect.getmembers(Fetcher, inspect.isfunction) if "FetchRequest" in (text := source(made))
    ]

    assert any("self._fetch_max_wait_ms" in text for text in requests)
