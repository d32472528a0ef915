"""How the service's log is printed: a JSON object a line for programs, a line with colours for people on a terminal.

What lives here: the renderers, which loggers are heard. What may not: what is told; of an exception `faults` says it.

1. Everybody logs with Python's `logging`; structlog only renders, uvicorn's lines like ours. All of it goes to stderr.
2. An entry of JSON has `timestamp`, `level`, `logger`, `process`, `event` (the sentence that people read), and of
   `FIELDS` those that are known there. The sentence always says it all; fields only spare programs the reading.
3. Colours are for a terminal that knows them (not `TERM=dumb`), and only where nobody said `NO_COLOR`
   (https://no-color.org), as the command line does.
"""

import logging
import os
import sys
from datetime import UTC, datetime
from typing import Any, Final

import structlog
from structlog.typing import EventDict, WrappedLogger

from engine.faults import told

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
    plain = os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb"
    colours = sys.stderr.isatty() and not plain
    printed = structlog.dev.ConsoleRenderer(
        colors=colours, pad_event_to=0, pad_level=False, exception_formatter=structlog.dev.plain_traceback
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
