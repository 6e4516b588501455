"""A page of metrics as Prometheus reads it, held against what is declared of its process."""

from collections.abc import Iterator, Mapping

from prometheus_client import Metric
from prometheus_client.parser import text_string_to_metric_families

from streams.metrics.declared import OF_PROCESS, Process
from streams.metrics.metric import Declared

OF_ITS_OWN = "cio_process_"  # CPU, memory and so on, which prometheus_client declares
SINCE = "_created"  # when a counter or a histogram began to count
MADE_BY_BUCKETS = "le"


def is_as_declared(page: str, process: Process) -> bool:
    """Whether it has exactly these metrics, each of its kind, with its labels and none but their values."""
    declared = {each.name: each for each in OF_PROCESS[process]}
    kinds = {family.name: family.type for family in _families(page)}
    strange = [found for found in _labels(page) if not _is_declared(declared[found[0]], found[1])]

    assert kinds == {name: each.kind for name, each in declared.items()}
    assert strange == []
    return True


def _families(page: str) -> Iterator[Metric]:
    for family in text_string_to_metric_families(page):
        if not family.name.startswith(OF_ITS_OWN) and not family.name.endswith(SINCE):
            yield family


def _labels(page: str) -> Iterator[tuple[str, Mapping[str, str]]]:
    for family in _families(page):
        for sample in family.samples:
            yield family.name, {name: value for name, value in sample.labels.items() if name != MADE_BY_BUCKETS}


def _is_declared(metric: Declared, labels: Mapping[str, str]) -> bool:
    values = {label.name: label.values for label in metric.labels}
    return labels.keys() == values.keys() and all(
        (allowed := values[name]) is None or value in allowed for name, value in labels.items()
    )
