"""How the service's log is printed: a JSON object a line for programs, a line with colours for people on a terminal.

What lives here: the renderers, which loggers are heard, what of an exception may be told. What may not: what is told.

1. Everybody logs with Python's `logging`; structlog only renders, uvicorn's lines like ours. All of it goes to stderr.
2. An entry of JSON has `timestamp`, `level`, `logger`, `process`, `event` (the sentence that people read), and of
   `FIELDS` those that are known there. The sentence always says it all; fields only spare programs the reading.
3. No trait, email or id of a visitor stands in the log. Whoever logs sees to that; what nobody has in hand is the
   message of an exception from elsewhere (`invalid literal for int(): '…'`). So of a traceback the message stands only
   where the exception is ours or the machine's (`OSError`); of others the type and the lines of code do.
"""

import logging
import sys
import traceback
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any, Final

import structlog
from structlog.typing import EventDict, WrappedLogger

from engine.jobs import may_be_told

FIELDS: Final = (
    "address",
    "code",
    "file",
    "job",
    "line",
    "refused",
    "restarts",
    "ruleset",
    "trouble",
    "url",
    "worker",
    "workers",
)
_WITHHELD: Final = "its message is left out, for it may hold what belongs to a visitor"


def log_config(form: str, level: str, *, several: bool, access: bool) -> dict[str, Any]:
    """What `logging.config.dictConfig` takes. `form`: auto, json or text; `several`: do several processes print?"""
    people = form == "text" or (form == "auto" and sys.stderr.isatty())
    heard = level.upper()
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {
            "entry": {
                "()": structlog.stdlib.ProcessorFormatter,
                "processors": _for_people(several=several) if people else _for_programs(),
            }
        },
        "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "entry"}},
        "root": {"handlers": ["stderr"], "level": "WARNING"},
        "loggers": {
            "mutiny_edge": {"handlers": ["stderr"], "level": heard, "propagate": False},
            "uvicorn": {
                "handlers": ["stderr"],
                "level": "ERROR" if heard == "ERROR" else "WARNING",  # it tells of every start and client otherwise
                "propagate": False,
            },
            "uvicorn.access": {"level": "INFO" if access else "CRITICAL"},
        },
    }


def _for_programs() -> list[Any]:
    return [_begun, _facts, _fault, structlog.processors.JSONRenderer(ensure_ascii=False)]


def _for_people(*, several: bool) -> list[Any]:
    printed = structlog.dev.ConsoleRenderer(
        colors=sys.stderr.isatty(), pad_event_to=0, pad_level=False, exception_formatter=structlog.dev.plain_traceback
    )
    return [_begun, *([_numbered] if several else []), _fault, printed]


def _record(event: EventDict) -> logging.LogRecord:
    record: logging.LogRecord = event["_record"]
    return record


def _begun(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """When, how bad, and the sentence; nothing else of the record."""
    record = _record(event)
    at = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    begun = {"timestamp": at, "level": record.levelname.lower(), "event": event["event"], "_record": record}
    return begun | ({"exc_info": event["exc_info"]} if event.get("exc_info") else {})


def _numbered(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    return {**event, "event": f"[{_record(event).process}] {event['event']}"}


def _facts(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    record = _record(event)
    known = {name: getattr(record, name) for name in FIELDS if hasattr(record, name)}
    return {**event, "logger": record.name, "process": record.process, **known}


def _fault(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """The traceback, where there is one; then the record is not needed any more."""
    event.pop("_record")
    _, error, _ = event.pop("exc_info", (None, None, None))
    return event if error is None else {**event, "exception": told(error)}


def told(error: BaseException) -> str:
    """The traceback of an exception and of those behind it, the first one first, without what is not ours to tell."""
    return "\n".join(_told(error))


def _told(error: BaseException) -> Iterator[str]:
    behind = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    if behind is not None:
        yield from _told(behind)
        yield "\nand then:\n"
    yield "Traceback (most recent call last):"
    yield "".join(traceback.format_tb(error.__traceback__)).rstrip()
    yield f"{type(error).__qualname__}: {_message(error)}"
    for inner in error.exceptions if isinstance(error, BaseExceptionGroup) else ():
        yield "\none of them:\n"
        yield from _told(inner)


def _message(error: BaseException) -> str:
    return str(error) if may_be_told(error) else _WITHHELD
