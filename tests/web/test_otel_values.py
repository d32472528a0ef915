"""What OpenTelemetry's variables cannot hold is told with the variable and what would be right."""

import pytest

from engine.web.otel_values import unusable

BOTH = frozenset({"traces", "logs"})
ALL, TRACES = "OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"
GOOD = {ALL: "http://127.0.0.1:4318"}


@pytest.mark.parametrize(
    "more",
    [
        {},
        {ALL: "https://user:secret@collector.example"},
        {
            "OTEL_EXPORTER_OTLP_PROTOCOL": "http/protobuf",
            "OTEL_BSP_EXPORT_TIMEOUT": "0",
            "OTEL_BSP_SCHEDULE_DELAY": " 1 ",
        },
        {"OTEL_BSP_MAX_QUEUE_SIZE": "256", "OTEL_BSP_MAX_EXPORT_BATCH_SIZE": "256"},
        {"OTEL_BSP_MAX_QUEUE_SIZE": "", "OTEL_EXPORTER_OTLP_PROTOCOL": ""},
        {ALL: "rubbish", TRACES: "http://[::1]:4318", "OTEL_EXPORTER_OTLP_LOGS_ENDPOINT": "http://collector/x"},
    ],
)
def test_what_the_sdk_takes_is_taken(more: dict[str, str]) -> None:
    """Also what is empty, which is as good as unset, and what another variable stands before."""
    assert unusable(GOOD | more, BOTH) == []


@pytest.mark.parametrize(
    ("name", "value", "right"),
    [
        (ALL, "rubbish", "http://HOST:PORT"),
        (ALL, "collector:4317", "http://HOST:PORT"),
        (TRACES, "http://collector:port", "http://HOST:PORT"),
        ("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc", "expected http/protobuf"),
        ("OTEL_EXPORTER_OTLP_LOGS_PROTOCOL", "grpc", "expected http/protobuf"),
        ("OTEL_BSP_MAX_QUEUE_SIZE", "abc", "a whole number, at least 1, got 'abc'"),
        ("OTEL_BSP_MAX_QUEUE_SIZE", "256", "at least 512, which is OTEL_BSP_MAX_EXPORT_BATCH_SIZE, got 256"),
        ("OTEL_BSP_MAX_EXPORT_BATCH_SIZE", "0", "at least 1, got '0'"),
        ("OTEL_BSP_SCHEDULE_DELAY", "-1", "a whole number of milliseconds, at least 1, got '-1'"),
        ("OTEL_BSP_EXPORT_TIMEOUT", "1.5", "milliseconds, at least 0"),
        ("OTEL_BLRP_SCHEDULE_DELAY", "0", "milliseconds, at least 1"),
        ("OTEL_BLRP_MAX_QUEUE_SIZE", "-1", "at least 1"),
    ],
)
def test_what_it_does_not_take_is_told_once(name: str, value: str, right: str) -> None:
    """By its name, with what would be right."""
    [line] = unusable(GOOD | {name: value}, BOTH)
    assert line.startswith(f"{name}: expected ")
    assert right in line


def test_a_batch_that_no_queue_holds() -> None:
    """Both are named."""
    [line] = unusable(GOOD | {"OTEL_BLRP_MAX_EXPORT_BATCH_SIZE": "99999999"}, BOTH)
    assert line.startswith(
        "OTEL_BLRP_MAX_QUEUE_SIZE: expected at least 99999999, which is OTEL_BLRP_MAX_EXPORT_BATCH_SIZE"
    )


def test_an_address_is_not_shown() -> None:
    """It may hold a password, and so may what is none."""
    assert "secret" not in str(unusable({ALL: "user:secret@collector"}, BOTH))


def test_what_nobody_uses_is_not_looked_at() -> None:
    """Where only logs have a collector, what spans would need is nobody's business."""
    assert unusable(GOOD | {"OTEL_BSP_MAX_QUEUE_SIZE": "abc"}, {"logs"}) == []
