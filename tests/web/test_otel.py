"""Traces and logs at a real collector: who is seen in a trace, what a span holds, and nothing of a visitor there."""

import logging
from collections.abc import Callable
from contextlib import closing
from http.client import HTTPConnection
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from engine import limits
from engine.web.otel import Otel

SAMPLED = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
UNSAMPLED = "00-4bf92f3577b34da6a3ce929d0e0e4737-00f067aa0ba902b7-00"
SECRET = "s3cr3t-of-a-visitor"
BODY = (
    f'{{"visitorId": "{SECRET}", "page": {{"url": "https://www.example.com/?{SECRET}"}}, '
    f'"traits": {{"email": "{SECRET}"}}}}'
).encode()
BOTH = frozenset({"traces", "logs"})


@pytest.mark.parametrize("workers", ["1", pytest.param("2", marks=pytest.mark.long)])
def test_what_a_service_sends(
    serve: Callable[..., Any],
    rules: Path,
    collecting: ModuleType,
    wire: ModuleType,
    monkeypatch: pytest.MonkeyPatch,
    until: Callable[..., None],
    workers: str,
) -> None:
    """Requests with their callers, page views where somebody traces them, the log; and nothing of a visitor."""
    with collecting.Collector() as collector:
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", collector.url)
        monkeypatch.setenv("OTEL_BSP_SCHEDULE_DELAY", "100")
        service = serve(rules, "--drain", "0", "--workers", workers).up()

        def ask(path: str, body: bytes, **headers: str) -> int:
            with closing(HTTPConnection(*wire.at(service.url), timeout=60)) as connection:
                connection.request("POST", path, body, {"content-type": "application/json"} | headers)
                return connection.getresponse().status

        assert ask("/v1/decide", BODY, traceparent=SAMPLED) == 200
        assert ask("/v1/decide", BODY, traceparent=UNSAMPLED, baggage=SECRET) == 200
        assert ask("/v1/decide", BODY) == 200
        assert ask(f"/{SECRET}", b"") == 404
        assert ask(f"/ofrep/v1/evaluate/flags/{SECRET}", b"{}") == 400
        assert ask("/v1/identify", b'{"userId": "%b", "writeKey": "%b"}' % (SECRET.encode(), SECRET.encode())) == 401
        until(lambda: len([span for span in asked(collector) if "healthz" not in span.name]) == 4)
        assert service.end() == 0
    spans = {span.name: span for span in asked(collector)}
    flag, nowhere = "POST /ofrep/v1/evaluate/flags/{key}", "POST /{nothing}"
    assert set(spans) == {"GET /healthz", "POST /v1/decide", "POST /v1/identify", flag, nowhere}
    view = spans["POST /v1/decide"]
    assert (view.trace_id.hex(), view.parent_span_id.hex()) == (SAMPLED[3:35], SAMPLED[36:52])
    assert collecting.plain(view.attributes) == {
        "http.request.method": "POST",
        "http.route": "/v1/decide",
        "http.response.status_code": 200,
    }
    assert collecting.plain(spans["POST /v1/identify"].attributes)["http.response.status_code"] == 401
    said = [entry.body.string_value for entry in collector.entries]
    assert any(line.startswith("serving http://") for line in said)
    assert {one["service.name"] for one in collector.resources} == {"mutiny-edge"}
    assert not any(SECRET.encode() in body for body in collector.bodies)


def asked(collector: Any) -> list[Any]:
    """The spans of requests; a background job has some too, where the machine is slow."""
    return [span for span in collector.spans if " /" in span.name]


def sent(collecting: ModuleType, monkeypatch: pytest.MonkeyPatch, do: Callable[[Otel], None]) -> Any:
    """What a collector has after that."""
    with collecting.Collector() as collector:
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", collector.url)
        otel = Otel({}, BOTH)
        do(otel)
        otel.end()
    return collector


def test_steps_that_took_long_or_failed_are_seen(collecting: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    """With the time they took; of the failure what may be told."""

    def do(otel: Otel) -> None:
        otel.step("rules-watch", 0.0, limits.LONG_STEP_S / 2, None)
        otel.step("log-compact", 0.0, 3.0, None)
        otel.step("log-watch", 0.0, 0.0, ValueError(SECRET))

    long, failed = sent(collecting, monkeypatch, do).spans
    assert (long.name, long.end_time_unix_nano - long.start_time_unix_nano) == ("job log-compact", 3_000_000_000)
    assert (failed.name, failed.status.message) == ("job log-watch", "ValueError")


def test_the_log_goes_out_as_it_is_printed(collecting: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    """The sentence, how bad it is, known fields; of a strange exception no message."""

    def do(_: Otel) -> None:
        log = logging.getLogger("mutiny_edge.jobs")
        try:
            int(SECRET)
        except ValueError:
            log.exception("background job %s failed", "x", extra={"job": "x", "unknown": SECRET})

    [entry] = sent(collecting, monkeypatch, do).entries
    facts = collecting.plain(entry.attributes)
    assert (entry.body.string_value, entry.severity_text) == ("background job x failed", "ERROR")
    assert (facts["logger"], facts["job"], facts["exception.type"]) == ("mutiny_edge.jobs", "x", "ValueError")
    assert SECRET not in str(facts)


def test_a_collector_that_is_not_there_keeps_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    """The end of the process comes all the same."""
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:9")
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_TIMEOUT", "1")
    otel = Otel({}, BOTH)
    otel.step("log-compact", 0.0, 3.0, None)
    otel.end()
