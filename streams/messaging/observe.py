"""How long each operation took and what became of it: for metrics and for the application's own hooks."""

import inspect
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from weakref import WeakKeyDictionary

import structlog
from prometheus_client import CollectorRegistry, Histogram

from schemas.errors import ConfigError, StreamsError
from streams.metrics.declared import MESSAGING_ERRORS, MESSAGING_SECONDS
from streams.metrics.observers import RequestMetrics
from streams.metrics.registry import counter, histogram

_SECONDS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)
_OF_REGISTRIES: "WeakKeyDictionary[CollectorRegistry, MessagingMetrics]" = WeakKeyDictionary()

log = structlog.get_logger()


@dataclass(frozen=True, slots=True, kw_only=True)
class OperationDone:
    """An operation that is over: its verb, how long the caller waited, and the error's class name where there is one.

    It holds nothing of what was said.
    """

    operation: str
    seconds: float
    error: str | None = None


OnOperation = Callable[[OperationDone], None]
OnError = Callable[[OperationDone, StreamsError], None]


class MessagingMetrics(RequestMetrics):
    """What operations and the requests beneath them count."""

    def __init__(self, registry: CollectorRegistry) -> None:
        super().__init__(registry)
        self.seconds = histogram(MESSAGING_SECONDS, _SECONDS, registry)
        self.errors = counter(MESSAGING_ERRORS, registry)


def metrics_in(registry: CollectorRegistry) -> MessagingMetrics:
    """Give the metrics of a registry: several services of one application may share it."""
    found = _OF_REGISTRIES.get(registry)
    if found is None:
        found = _OF_REGISTRIES[registry] = MessagingMetrics(registry)
    return found


@dataclass(slots=True)
class Watch:
    """Times operations. Hooks are called where the operation ran, so they must be quick; what they raise is logged.

    Only whoever wants the process to end, by KeyboardInterrupt or SystemExit, gets through.
    """

    metrics: MessagingMetrics
    on_operation: OnOperation | None = None
    on_error: OnError | None = None
    _seconds: dict[str, Histogram] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Refuse hooks that would never be called, or never run.

        Raises:
            ConfigError: the first of them.
        """
        for name in ("on_operation", "on_error"):
            hook = getattr(self, name)
            if hook is not None and not callable(hook):
                raise ConfigError(f"{name}: is a {type(hook).__name__}, expected a function")
            called = getattr(type(hook), "__call__", None)  # noqa: B004 - it is looked at, not asked for
            if inspect.iscoroutinefunction(hook) or inspect.iscoroutinefunction(called):
                raise ConfigError(f"{name}: is an async function, which nobody would await; expected a plain one")

    @contextmanager
    def operation(self, name: str) -> Iterator[None]:
        """Time what is inside, and pass its error on."""
        began_s = time.perf_counter()
        try:
            yield
        except BaseException as error:
            self._over(name, time.perf_counter() - began_s, error)
            raise
        self._over(name, time.perf_counter() - began_s, None)

    def _over(self, name: str, seconds: float, error: BaseException | None) -> None:
        series = self._seconds.get(name)
        if series is None:
            series = self._seconds[name] = self.metrics.seconds.labels(name)
        series.observe(seconds)
        kind = type(error).__name__ if error else None
        if kind:
            self.metrics.errors.labels(name, kind).inc()
        if self.on_operation is None and self.on_error is None:
            return
        done = OperationDone(operation=name, seconds=seconds, error=kind)
        if self.on_operation:
            _call(self.on_operation, done)
        if self.on_error and isinstance(error, StreamsError):
            _call(self.on_error, done, error)


def _call(hook: Callable[..., None], *told: object) -> None:
    try:
        hook(*told)
    except (KeyboardInterrupt, SystemExit):
        raise
    except BaseException as fault:  # noqa: BLE001 - foreign code at the edge: the operation stands, whatever it raises
        name = getattr(hook, "__qualname__", "?")
        log.error("a hook has failed", hook=name, fault=type(fault).__name__)  # noqa: TRY400 - its text may hold content
