"""OpenTelemetry, over OTLP/HTTP: spans of requests and of background jobs, and the log.

What lives here: the SDK, set up; what a span holds. What may not: when it is used at all (`telemetry.py`).

1. Nothing of this is global: a program that has the engine inside keeps its own providers.
2. The SDK sends from threads of its own, in batches, and drops what it cannot send; no request waits for a collector.
3. Of the caller only `traceparent` and `tracestate` are taken over, no baggage: it may hold anything.
4. What the SDK itself logs stays in our log and is not sent again.
"""

import logging
import threading
import time
from collections.abc import Mapping
from importlib.metadata import version
from typing import Final

from opentelemetry import trace
from opentelemetry._logs import LogRecord, SeverityNumber
from opentelemetry.exporter.otlp.proto.http._log_exporter import OTLPLogExporter
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk._logs.export import BatchLogRecordProcessor
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from engine import limits
from engine.faults import in_short, told
from engine.web.logs import FIELDS

_NAME: Final = "mutiny-edge"
_LOGGERS: Final = ("mutiny_edge", "uvicorn")
_SEVERITIES: Final = (
    (logging.CRITICAL, SeverityNumber.FATAL),
    (logging.ERROR, SeverityNumber.ERROR),
    (logging.WARNING, SeverityNumber.WARN),
    (logging.INFO, SeverityNumber.INFO),
    (logging.NOTSET, SeverityNumber.DEBUG),
)
_FAILED: Final = 500
_METHODS: Final = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
_CALLER: Final = TraceContextTextMapPropagator()


class Otel:
    """What goes out of this process."""

    def __init__(self, environment: Mapping[str, str], signals: frozenset[str]) -> None:
        named = {} if environment.get("OTEL_SERVICE_NAME") else {"service.name": _NAME}
        resource = Resource.create(named | {"service.version": version("mutiny-edge")})
        self._traces = TracerProvider(resource=resource, shutdown_on_exit=False)
        self._logs = LoggerProvider(resource=resource, shutdown_on_exit=False)
        self._handler = _Sent(self._logs)
        self._tracer = self._traces.get_tracer(_NAME)
        self._are_traced = "traces" in signals
        if self._are_traced:
            self._traces.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
        if "logs" in signals:
            self._logs.add_log_record_processor(BatchLogRecordProcessor(OTLPLogExporter()))
            for name in _LOGGERS:
                logging.getLogger(name).addHandler(self._handler)

    def traced(self, route: str, app: ASGIApp) -> ASGIApp:
        """The same app, whose requests are spans of this route."""
        return _Traced(self._tracer, route, app) if self._are_traced else app

    def step(self, name: str, began: float, took_s: float, raised: BaseException | None) -> None:
        """A step of a background job has ended."""
        if not self._are_traced or (took_s < limits.LONG_STEP_S and not isinstance(raised, Exception)):
            return
        now_ns = time.time_ns()
        start_ns = now_ns - int((time.monotonic() - began) * 1e9)
        span = self._tracer.start_span(f"job {name}", attributes={"mutiny_edge.job": name}, start_time=start_ns)
        if raised is not None:
            span.set_status(trace.StatusCode.ERROR, in_short(raised))
        span.end(start_ns + int(took_s * 1e9))

    def end(self) -> None:
        """Send what is left; a collector that does not answer keeps nobody for long."""
        for name in _LOGGERS:
            logging.getLogger(name).removeHandler(self._handler)
        ending = [threading.Thread(target=one.shutdown, daemon=True) for one in (self._traces, self._logs)]
        for thread in ending:
            thread.start()
        for thread in ending:
            thread.join(limits.LAST_SPANS_S)


class _Traced:
    """An address whose requests are spans."""

    def __init__(self, tracer: trace.Tracer, route: str, app: ASGIApp) -> None:
        self._tracer = tracer
        self._route = route
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        method = scope["method"] if scope["method"] in _METHODS else "_OTHER"
        carried = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        caller = _CALLER.extract({name: carried[name] for name in _CALLER.fields & carried.keys()})
        with self._tracer.start_as_current_span(
            f"{method} {self._route}",
            caller,
            trace.SpanKind.SERVER,
            {"http.request.method": method, "http.route": self._route},
            record_exception=False,
            set_status_on_exception=False,
        ) as span:
            await self._app(scope, receive, _noting(span, send))


def _noting(span: trace.Span, send: Send) -> Send:
    """The same `send`; the span sees the status."""

    async def noting(message: Message) -> None:
        if message["type"] == "http.response.start":
            status = message["status"]
            span.set_attribute("http.response.status_code", status)
            if status >= _FAILED:
                span.set_status(trace.StatusCode.ERROR)
        await send(message)

    return noting


class _Sent(logging.Handler):
    """Sends what is logged: the sentence, known fields, and of an exception what may be told."""

    def __init__(self, logs: LoggerProvider) -> None:
        super().__init__()
        self._sent = logs.get_logger(_NAME)

    def emit(self, record: logging.LogRecord) -> None:
        """One entry."""
        span = trace.get_current_span().get_span_context()
        facts = {name: _plain(getattr(record, name)) for name in FIELDS if hasattr(record, name)}
        error = record.exc_info[1] if record.exc_info else None
        if error is not None:
            facts |= {"exception.type": type(error).__qualname__, "exception.stacktrace": told(error)}
        self._sent.emit(
            LogRecord(
                timestamp=int(record.created * 1e9),
                trace_id=span.trace_id,
                span_id=span.span_id,
                trace_flags=span.trace_flags,
                severity_text=record.levelname,
                severity_number=next(number for level, number in _SEVERITIES if record.levelno >= level),
                body=record.getMessage(),
                attributes={"logger": record.name, **facts},
            )
        )


def _plain(value: object) -> str | int:
    return value if isinstance(value, int) else str(value)
