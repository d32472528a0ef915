"""Whether traces and logs go to a collector (OpenTelemetry), and what of the service takes part.

What lives here: when it is wanted, what the service sees of it. What may not: OpenTelemetry itself, which is imported
only where it is wanted (`otel.py`).

1. It is wanted where OpenTelemetry's own variables name a collector: `OTEL_EXPORTER_OTLP_ENDPOINT`, or one for traces
   or logs alone. All other `OTEL_…` are the SDK's own, and mean here what they mean everywhere. Where one that
   says how or what to send cannot be used, nothing begins, and it is named (`otel_values.py`): nobody would miss what
   is not sent.
2. Every request on the ordinary road is a span, child of the caller's where it sends `traceparent`; so is a step of a
   background job that took long, or failed. A page view in the fast lane is none: it takes less time than a span would
   cost. One that brings a sampled `traceparent` takes the ordinary road, and is seen.
3. A span names method, address as it stands in the table (one for all that there are not), and status: no id, no
   trait, no query. What is logged goes out as it is printed (`logs.py`).
"""

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Final, Protocol

from starlette.types import ASGIApp

from engine.web.otel_values import unusable

_COLLECTORS: Final = {
    "traces": ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_TRACES_EXPORTER"),
    "logs": ("OTEL_EXPORTER_OTLP_LOGS_ENDPOINT", "OTEL_LOGS_EXPORTER"),
}
_COLLECTOR: Final = "OTEL_EXPORTER_OTLP_ENDPOINT"
_OFF: Final = "OTEL_SDK_DISABLED"


class TelemetryUnusable(Exception):  # noqa: N818 - it says what is wrong
    """OpenTelemetry is wanted, and is not installed or cannot be set up."""


class Telemetry(Protocol):
    """What goes out."""

    def traced(self, route: str, app: ASGIApp) -> ASGIApp:
        """The same app, whose requests are spans of this route."""

    def step(self, name: str, began: float, took_s: float, raised: BaseException | None) -> None:
        """A step of a background job has ended (`engine.jobs.Listener`)."""

    def end(self) -> None:
        """Send what is left, for a moment."""


def wanted(environment: Mapping[str, str]) -> frozenset[str]:
    """Which of traces and logs have a collector."""
    if environment.get(_OFF, "").strip().lower() == "true":
        return frozenset()
    return frozenset(
        signal
        for signal, (endpoint, exporter) in _COLLECTORS.items()
        if (environment.get(endpoint) or environment.get(_COLLECTOR))
        and environment.get(exporter, "").strip() != "none"
    )


@contextmanager
def telemetry(environment: Mapping[str, str]) -> Iterator[Telemetry | None]:
    """What goes out of this process from now on; None where nothing does. Raises `TelemetryUnusable`."""
    signals = wanted(environment)
    if not signals:
        yield None
        return
    if wrong := unusable(environment, signals, lambda path: os.access(path, os.R_OK)):
        raise TelemetryUnusable("\n".join(wrong))
    try:
        from engine.web.otel import Otel  # noqa: PLC0415 - most have no collector, and need not have the packages

        sending = Otel(environment, signals)
    except ImportError as error:
        install = "pip install 'mutiny-edge[otel]', or unset them"
        raise TelemetryUnusable(
            f"OTEL_… variables name a collector, and {error.name} is not installed: {install}"
        ) from None
    except (ValueError, RuntimeError) as error:  # the SDK's own words, with the variable's name
        raise TelemetryUnusable(f"OpenTelemetry refuses its variables: {error}") from None
    try:
        yield sending
    finally:
        sending.end()
