"""One way of logging for us and for the libraries: key=value events on stderr, readable or JSON; never a payload."""

import logging.config
import sys
from typing import Any, Final, TextIO

import structlog

from streams.log_errors import Errors
from streams.log_repeats import Repeats
from streams.progress import worked_for
from streams.settings import Settings
from streams.tracebacks import traceback_text

QUIET: Final = (
    "faust",
    "mode",
    "aiokafka",
    "httpx",
    "httpcore",
    "kafka",
    "asyncio",
    "uvicorn",
    "opentelemetry",
    "urllib3",
)
"""Third-party loggers: only warnings and worse, unless we are debugging."""
TELLTALES: Final = {"aiokafka": "INFO", "httpx": "WARNING", "httpcore": "WARNING"}
"""Those of them whose debug lines hold requests and answers, and so records and the password: shown from here on."""
REPEATING: Final = ("aiokafka", "opentelemetry")
"""Those that say 40 lines a second while Kafka is away, or something for each batch while a collector is."""
LANES_MAX: Final = 20


def _for_whom(_: object, __: str, event: structlog.typing.EventDict) -> structlog.typing.EventDict:
    """Add whose work it is about: the place of a chunk, or, where several share a request or a transaction, theirs."""
    lanes = worked_for()
    if len(lanes) == 1:
        return {**lanes[0].of, **event}
    if lanes:
        names = dict.fromkeys(f"{lane.of.get('topic')}/{lane.of.get('partition')}" for lane in lanes)
        return {"lanes": list(names)[:LANES_MAX], **event}
    return event


_SHARED: Final[tuple[structlog.typing.Processor, ...]] = (
    structlog.contextvars.merge_contextvars,
    _for_whom,
    structlog.stdlib.add_log_level,
    structlog.stdlib.add_logger_name,
    structlog.stdlib.ExtraAdder(),
    structlog.processors.TimeStamper(fmt="iso", utc=True),
    structlog.processors.StackInfoRenderer(),
)


def configure(settings: Settings) -> None:
    """Send everything that is logged from now on to stderr, in the settings' format and from their level on."""
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *_SHARED,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=False,  # a logger made at import follows a later `configure`
    )
    logging.config.dictConfig(_stdlib(settings))


def _stdlib(settings: Settings) -> dict[str, Any]:
    level = settings.log_level.upper()
    quiet = level if level in {"DEBUG", "ERROR", "CRITICAL"} else "WARNING"
    levels = dict.fromkeys(QUIET, quiet) | (TELLTALES if quiet == "DEBUG" else {})
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {
            "ours": {
                "()": structlog.stdlib.ProcessorFormatter,
                "processors": [structlog.stdlib.ProcessorFormatter.remove_processors_meta, *_rendering(settings)],
                "foreign_pre_chain": _SHARED,
            },
        },
        "filters": {
            "errors": {"()": Errors},
            "repeats": {"()": Repeats, "loggers": REPEATING},
        },
        "handlers": {
            "stderr": {
                "class": "logging.StreamHandler",
                "stream": "ext://sys.stderr",
                "formatter": "ours",
                "filters": ["errors", "repeats"],
            }
        },
        "root": {"handlers": ["stderr"], "level": level},
        "loggers": {name: {"level": each} for name, each in levels.items()},
    }


def _rendering(settings: Settings) -> list[structlog.typing.Processor]:
    is_terminal = sys.stderr.isatty()
    if (settings.log_format or ("console" if is_terminal else "json")) == "console":
        return [structlog.dev.ConsoleRenderer(colors=is_terminal, exception_formatter=_print_traceback)]
    return [structlog.processors.ExceptionRenderer(_traceback), structlog.processors.JSONRenderer(sort_keys=True)]


def _traceback(exc_info: structlog.typing.ExcInfo) -> str:
    return traceback_text(exc_info[1])


def _print_traceback(file: TextIO, exc_info: structlog.typing.ExcInfo) -> None:
    file.write("\n" + _traceback(exc_info))
