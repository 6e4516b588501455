"""Every metric, with its meaning and what to watch: the only file that declares one; METRICS.md is made from it."""

from collections.abc import Mapping, Sequence
from typing import Final, Literal, TypeAlias

from streams.metrics import labels
from streams.metrics.metric import CounterMetric, Declared, GaugeMetric, HistogramMetric

BUILD = GaugeMetric(
    "cio_build_info",
    "1, of the version that runs.",
    labels=(labels.VERSION, labels.PYTHON),
    watch="Two versions at once for longer than a rollout takes.",
)
SECRET_AGE = GaugeMetric(
    "cio_secret_age_seconds",
    "Since the file of a secret changed; of a secret that comes from a file. Mounted anew, a file begins at 0.",
    labels=(labels.SECRET,),
    watch="Older than your rule for changing keys; after a change it must fall in every process.",
)
READY = GaugeMetric(
    "cio_ready",
    "1 when the process is ready, as `/readyz` has it: of a worker, when assignment and ledger are.",
    watch="0 for longer than a start or a rebalance takes.",
)

LAG = GaugeMetric(
    "cio_lag_records",
    "Offsets of a partition without a committed conclusion.",
    labels=(labels.TOPIC, labels.PARTITION),
    watch="Growing while `cio_records_total` does not.",
)
LAG_SECONDS = GaugeMetric(
    "cio_lag_seconds",
    "Age of the oldest record of a partition without a committed conclusion, 0 only when there is none. While"
    " it is not known, as at a start or without Kafka, the time since the partition was last known to be without"
    " lag, or since it was assigned; a chunk that is under way counts until all of it is concluded.",
    labels=(labels.TOPIC, labels.PARTITION),
    watch="Over your target for minutes; at `cio_rate_per_second` the rate is what limits.",
)
OWNED = GaugeMetric("cio_owned_partitions", "Input partitions of this worker.", watch="0: more workers than work.")
REBALANCES = CounterMetric("cio_rebalances", "Assignments taken over.", watch="More often than workers come and go.")
USEFUL_REPLICAS = GaugeMetric(
    "cio_useful_replicas",
    "How many workers are of use, at least 1: as many as the largest input topic has partitions, and at most"
    " one for every 10 requests a second of TRACK_RATE_PER_S. Absent until the partitions are known.",
    watch="The most replicas that an autoscaler should make.",
)
RATE = GaugeMetric("cio_rate_per_second", "Requests to an API that this worker may send.", labels=(labels.API,))
RATE_WAIT = GaugeMetric(
    "cio_rate_wait_seconds",
    "Time that requests to an API have waited for the rate; it only grows.",
    labels=(labels.API,),
    watch="Growing by as much as there are requests at once: the rate is what limits.",
)

RECORDS = CounterMetric(
    "cio_records",
    "Input records concluded; an outcome that needs none has an empty reason.",
    labels=(labels.TOPIC, labels.OUTCOME, labels.REASON),
    watch="None for minutes while `cio_lag_records` is not 0.",
)
END_TO_END = HistogramMetric(
    "cio_end_to_end_seconds",
    "From a record's Kafka timestamp to its committed conclusion.",
    labels=(labels.TOPIC,),
    watch="The share above your target, not the mean.",
)
CHUNK_RECORDS = HistogramMetric("cio_chunk_records", "Records of one chunk.")
DEAD_LETTERS = CounterMetric(
    "cio_dead_letters",
    "Dead letters written.",
    labels=(labels.TOPIC, labels.DEAD_REASON),
    watch="Their share of `cio_records_total`, and a reason that was not there before.",
)
FLOOD_HELD = GaugeMetric(
    "cio_flood_held",
    "Partitions that are held for a flood of dead letters, by what most of these die of.",
    labels=(labels.TOPIC, labels.FLOOD_REASON),
    watch="Any: mend what they die of, or `cio-streams dlq resume TOPIC`.",
)
FLOODS = CounterMetric(
    "cio_floods",
    "How often a partition was held for a flood of dead letters.",
    labels=(labels.TOPIC, labels.FLOOD_REASON),
)

HELD_LANES = GaugeMetric(
    "cio_held_lanes",
    "Partitions whose work is held now, by why: `flood`, a reason of the API's breaker, `retry` (a request"
    " failed and is tried again), `rate` (its share lets hardly a request go), `kafka` (not reached, or it"
    " takes no transaction).",
    labels=(labels.TOPIC, labels.LANE_REASON),
    watch="Any for minutes: it says why there is lag.",
)
STUCK_LANES = CounterMetric(
    "cio_stuck_lanes",
    "Lanes without progress that nothing held, for which the process ended.",
    watch="Any: the log has the stacks; it is a fault of ours.",
)
TRACE_SPANS_DROPPED = CounterMetric(
    "cio_trace_spans_dropped",
    "Spans that were not exported: the collector is away, or too slow.",
    watch="Growing: traces have gaps, and nothing else suffers.",
)
BREAKER = GaugeMetric(
    "cio_breaker",
    "1 for the state that requests to an API are in, and why.",
    labels=(labels.API, labels.STATE, labels.BREAKER_REASON),
    watch="Not `closed` for minutes; `credentials`, `address` and `no_key` are for you to mend.",
)
HELD = CounterMetric(
    "cio_held", "How often requests to an API were held, by reason.", labels=(labels.API, labels.HELD_REASON)
)
REQUESTS = CounterMetric(
    "cio_requests",
    "Requests to Customer.io; status is that of HTTP, or why there was no answer.",
    labels=(labels.API, labels.STATUS),
    watch="401 and 403: credentials; 429: others use the rate too; 5xx and names: Customer.io, or the way to it.",
)
RETRIES = CounterMetric(
    "cio_retries",
    "Requests that are repeated, by cause.",
    labels=(labels.API, labels.RETRY_CAUSE),
    watch="Their share of `cio_requests_total`.",
)
REQUEST_SECONDS = HistogramMetric(
    "cio_request_seconds", "One request to Customer.io.", labels=(labels.API,), watch="Near REQUEST_TIMEOUT_S."
)
BATCH_ITEMS = HistogramMetric("cio_batch_items", "Operations in one request.")
BATCH_BYTES = HistogramMetric("cio_batch_bytes", "Bytes of one request's body.")

TRANSACTION_SECONDS = HistogramMetric(
    "cio_transaction_seconds",
    "One Kafka transaction, its retries included.",
    watch="Over a second: brokers are slow, or away.",
)
TRANSACTION_CHUNKS = CounterMetric("cio_transaction_chunks", "Chunks committed.")
TRANSACTION_ABORTS = CounterMetric(
    "cio_transaction_aborts",
    "Tries to commit a transaction that failed, by cause. `fenced`: the group has moved on, and the new owner"
    " delivers the work again. All others are tried again, `producer` with a new one: the old one has expired.",
    labels=(labels.ABORT_CAUSE,),
    watch="Other than `fenced`; `fenced` comes with rebalances.",
)

LEDGER_ENTRIES = GaugeMetric("cio_ledger_entries", "Entries in memory: people, events, sends.", labels=(labels.KIND,))
LEDGER_BYTES = GaugeMetric(
    "cio_ledger_bytes",
    "Memory of these entries, estimated from what one of each kind takes on an average.",
    watch="Near the container's limit: more workers share it out.",
)
LEDGER_EVICTIONS = GaugeMetric(
    "cio_ledger_evictions",
    "Fingerprints forgotten for want of room; it only grows.",
    watch="Growing: raise DEDUPE_MAX_ENTRIES, or repeats are delivered.",
)
SEND_EVICTIONS = GaugeMetric(
    "cio_ledger_send_evictions",
    "Ids of sends forgotten for want of room: repeats go out again; it only grows.",
    watch="Growing: raise SEND_MAX_ENTRIES.",
)
RESTORE = GaugeMetric(
    "cio_ledger_restore_seconds",
    "The last read-back of the ledger.",
    watch="So long does every rebalance stop the partitions that move.",
)

MESSAGING_SECONDS = HistogramMetric(
    "cio_messaging_seconds", "One operation of an application, with all that it waited for.", labels=(labels.OPERATION,)
)
MESSAGING_ERRORS = CounterMetric(
    "cio_messaging_errors",
    "Operations of an application that failed, by class of error.",
    labels=(labels.OPERATION, labels.ERROR),
)

WEBHOOK_REQUESTS = CounterMetric(
    "cio_webhook_requests",
    "Requests to the webhook receiver, by the answer.",
    labels=(labels.WEBHOOK_STATUS,),
    watch="503: Customer.io sends again, but not for ever.",
)
WEBHOOK_SIGNATURES = CounterMetric(
    "cio_webhook_signature_failures",
    "Webhooks whose signature fits no signing key.",
    watch="Any that last: forged, or the key was changed in Customer.io and not here.",
)
WEBHOOK_STALE = CounterMetric(
    "cio_webhook_stale",
    "Webhooks that are signed, but at another time than now; stored.",
    watch="Many: a clock is wrong, or somebody replays them.",
)
WEBHOOK_FAULTS = CounterMetric(
    "cio_webhook_faults", "Webhooks that are stored with a fault, by fault.", labels=(labels.FAULT,)
)
WEBHOOK_REFUSED = CounterMetric(
    "cio_webhook_refused",
    "Webhooks that were answered 503, by cause.",
    labels=(labels.REFUSAL,),
    watch="`no_room`: more receivers; `kafka`: see to it.",
)
WEBHOOK_CUT = CounterMetric(
    "cio_webhook_connections_cut", "Connections to the receiver that it ended, by cause.", labels=(labels.CUT,)
)
WEBHOOK_CONFIRM_SECONDS = HistogramMetric(
    "cio_webhook_confirm_seconds",
    "From a webhook's arrival to Kafka's confirmation.",
    watch="Near 3 s: what is later is answered 503.",
)
WEBHOOK_IN_FLIGHT = GaugeMetric(
    "cio_webhook_in_flight", "Webhooks under way, and the bytes of their bodies.", labels=(labels.WHAT,)
)
WEBHOOK_ROUTED = CounterMetric(
    "cio_webhook_routed", "Records written to further topics, by route.", labels=(labels.ROUTE,)
)
WEBHOOK_UNROUTED = CounterMetric(
    "cio_webhook_unrouted", "Webhooks that a route is for, but that name nothing to key it by.", labels=(labels.ROUTE,)
)

WAREHOUSE_ROWS = CounterMetric(
    "cio_warehouse_rows", "Rows loaded into a table of the warehouse.", labels=(labels.TABLE,)
)
WAREHOUSE_FAULTS = CounterMetric(
    "cio_warehouse_faults", "Rows among them whose record could not be read.", labels=(labels.TABLE,)
)
WAREHOUSE_DELAY = HistogramMetric(
    "cio_warehouse_delay_seconds",
    "From a record's Kafka timestamp to its row.",
    labels=(labels.TABLE,),
    watch="The share above a few minutes; no rows at all while there are results.",
)
WAREHOUSE_BATCH_SECONDS = HistogramMetric(
    "cio_warehouse_batch_seconds", "One batch being loaded, failed ones included."
)
WAREHOUSE_FAILURES = CounterMetric(
    "cio_warehouse_failures",
    "Batches that the warehouse did not take; they are repeated.",
    watch="Growing: `/readyz` says what it waits for.",
)
WAREHOUSE_MISSED = CounterMetric(
    "cio_warehouse_missed_records",
    "Offsets that Kafka deleted before they were loaded.",
    watch="Any: the loader was away for longer than Kafka keeps records.",
)

DLQ_OPEN = GaugeMetric(
    "cio_dlq_open",
    "Dead letters that nobody has decided on, as `cio-streams dlq stats` counts them.",
    labels=(labels.LETTER_TOPIC, labels.DEAD_REASON),
    watch="Not 0: look at them with `cio-streams dlq list`.",
)
DLQ_OLDEST = GaugeMetric(
    "cio_dlq_oldest_seconds",
    "Age of the oldest of these, since its record died; 0 when there is none.",
    labels=(labels.LETTER_TOPIC, labels.DEAD_REASON),
    watch="Days: Kafka deletes letters after 30.",
)
DLQ_LAG = GaugeMetric(
    "cio_dlq_lag_records",
    "Offsets that the watch has not read yet, as the ends were when it looked last.",
    labels=(labels.WATCHED_TOPIC,),
)
DLQ_LAG_SECONDS = GaugeMetric(
    "cio_dlq_lag_seconds",
    "Since the watch last knew that it had read all; a few seconds as a rule, and it grows while Kafka is away.",
    watch="A minute: `cio_dlq_open` and `cio_dlq_oldest_seconds` are as old.",
)

Process: TypeAlias = Literal["worker", "webhooks", "warehouse", "dlq watch", "application"]

_EVERY: Final = (BUILD, SECRET_AGE, READY)
_REQUESTS: Final = (REQUESTS, RETRIES, HELD)

OF_PROCESS: Final[Mapping[Process, Sequence[Declared]]] = {
    "worker": (
        *(*_EVERY, LAG, LAG_SECONDS, OWNED, REBALANCES, USEFUL_REPLICAS, RATE, RATE_WAIT),
        *(RECORDS, END_TO_END, CHUNK_RECORDS, DEAD_LETTERS, FLOOD_HELD, FLOODS, HELD_LANES, STUCK_LANES),
        *(TRACE_SPANS_DROPPED, BREAKER, *_REQUESTS, REQUEST_SECONDS, BATCH_ITEMS, BATCH_BYTES),
        *(TRANSACTION_SECONDS, TRANSACTION_CHUNKS, TRANSACTION_ABORTS),
        *(LEDGER_ENTRIES, LEDGER_BYTES, LEDGER_EVICTIONS, SEND_EVICTIONS, RESTORE),
    ),
    "webhooks": (
        *(*_EVERY, WEBHOOK_REQUESTS, WEBHOOK_SIGNATURES, WEBHOOK_STALE, WEBHOOK_FAULTS, WEBHOOK_REFUSED, WEBHOOK_CUT),
        *(WEBHOOK_CONFIRM_SECONDS, WEBHOOK_IN_FLIGHT, WEBHOOK_ROUTED, WEBHOOK_UNROUTED),
    ),
    "warehouse": (
        *(*_EVERY, WAREHOUSE_ROWS, WAREHOUSE_FAULTS, WAREHOUSE_DELAY, WAREHOUSE_BATCH_SECONDS, WAREHOUSE_FAILURES),
        WAREHOUSE_MISSED,
    ),
    "dlq watch": (*_EVERY, DLQ_OPEN, DLQ_OLDEST, DLQ_LAG, DLQ_LAG_SECONDS),
    "application": (MESSAGING_SECONDS, MESSAGING_ERRORS, *_REQUESTS),
}
"""Which process has which; an application, those that it asks for by `metrics=`."""
