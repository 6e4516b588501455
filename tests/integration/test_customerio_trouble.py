"""Customer.io's faults on a real Kafka: an outage, a storm of 429, a poison item, a limit that is cut to a tenth."""

import math
import time
from pathlib import Path

from tests.conftest import SettingsFactory
from tests.integration.troubled_stage import troubled_stage

OUTAGE_S = 60.0
PROBE_S = 35.0  # the longest pause between two probes, and a request
MB = 1_000_000


def test_an_outage_of_a_minute_is_waited_out(settings_factory: SettingsFactory, tmp_path: Path) -> None:
    """No dead letter, few requests, flat memory, no rebalance, lag to be seen; then everything is delivered once."""
    with troubled_stage(settings_factory(), tmp_path, REQUEST_TIMEOUT_S="2") as stage:
        with stage.traffic(100):
            stage.worker.wait_for(lambda: stage.metric("cio_records_total") > 200, 20)
            memory = stage.metric("cio_process_resident_memory_bytes")
            began = time.time()
            stage.fault(rate=1.0, kinds=["503", "500", "reset_before", "hang"], hang_s=3)
            stage.worker.wait_for(lambda: stage.breaker() == ("open", "outage"), 30)
            time.sleep(OUTAGE_S - (time.time() - began))
            requests, lag = len(stage.arrivals(began)), stage.metric("cio_lag_records")
            late_s = stage.metric("cio_lag_seconds")
            grown = stage.metric("cio_process_resident_memory_bytes") - memory
            stage.worker.wait_for(lambda: stage.metric("cio_held_lanes") == 2, PROBE_S)  # but for one, while it probes
            stage.fault()
            stage.worker.wait_for(lambda: stage.breaker()[0] == "closed", PROBE_S)
        stage.wait_until_concluded(20)

        assert stage.outcomes() == {"delivered": stage.published}
        assert stage.metric("cio_rebalances_total") == 1
    assert requests < OUTAGE_S
    assert grown < 50 * MB
    assert late_s > 2 * OUTAGE_S - 20  # of both partitions
    assert lag > 3000  # of the 6000 that were published meanwhile, for which nothing was fetched


def test_a_storm_of_429_uses_up_nothing(settings_factory: SettingsFactory, tmp_path: Path) -> None:
    """Nine of ten requests are refused for a while, with a wish and without: everything is delivered all the same."""
    with troubled_stage(settings_factory(), tmp_path, RETRY_BACKOFF_S="0.2") as stage:
        with stage.traffic(100):
            stage.fault(rate=0.9, kinds=["429"])
            time.sleep(8)
            stage.fault(rate=0.9, kinds=["429"], retry_after_s=1)
            time.sleep(8)
            stage.fault()
        stage.wait_until_concluded(PROBE_S)

        assert stage.outcomes() == {"delivered": stage.published}
        assert stage.metric("cio_retries_total") > 2


def test_a_poison_item_among_500_is_given_up_alone(settings_factory: SettingsFactory, tmp_path: Path) -> None:
    """Every request that carries it fails, whoever else is in it: 499 are delivered, with few requests."""
    settings = settings_factory(topic_partitions=1)
    with troubled_stage(settings, tmp_path, RETRY_BACKOFF_S="0.2") as stage:
        stage.fault(rate=1.0, kinds=["500"], containing='"poison"')
        began = time.time()
        stage.publish(249)
        stage.publish(1, user_id="poison")
        stage.publish(250)
        stage.wait_until_concluded(60)

        assert stage.outcomes() == {"delivered": 499, "retries_exhausted": 1}
        assert len(stage.arrivals(began)) <= 3 + 2 * math.log2(500) + 2 + 3  # the chunk may come in three parts


def test_a_limit_that_is_cut_to_a_tenth_costs_time_only(settings_factory: SettingsFactory, tmp_path: Path) -> None:
    """We go on sending as fast as before, and are told to wait: nothing is lost, and batches grow."""
    with troubled_stage(settings_factory(), tmp_path, TRACK_RATE_PER_S="20", RETRY_BACKOFF_S="0.2") as stage:
        stage.fault(rate_limit_per_s=20)
        with stage.traffic(300):
            time.sleep(4)
            stage.fault(rate_limit_per_s=2)
            time.sleep(12)
        stage.wait_until_concluded(40)

        assert stage.outcomes() == {"delivered": stage.published}
