"""What OpenTelemetry's variables cannot hold is told with the variable and what would be right."""

import logging
from collections.abc import Collection

import pytest
import requests
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from opentelemetry.util.re import parse_env_headers

from engine.web import otel_values

BOTH = frozenset({"traces", "logs"})
ALL, TRACES = "OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"
GOOD = {ALL: "http://127.0.0.1:4318"}
HEADERS = "OTEL_EXPORTER_OTLP_HEADERS"
RATIO = {"OTEL_TRACES_SAMPLER": "traceidratio"}
SECRET = "s3cr3t"


def unusable(variables: dict[str, str], signals: Collection[str]) -> list[str]:
    """Where of all files one can be read."""
    return otel_values.unusable(variables, signals, {"/ca.pem"}.__contains__)


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
        {"OTEL_EXPORTER_OTLP_TIMEOUT": " 2.5 ", "OTEL_EXPORTER_OTLP_COMPRESSION": " GZIP "},
        {HEADERS: "Authorization=Basic a2V5OnNlY3JldA==, x-tenant = a%20b ,,"},
        {HEADERS: "Authorization=Basic as it stands: 50%0Ax"},
        {HEADERS: "nonsense", "OTEL_EXPORTER_OTLP_TRACES_HEADERS": "a=b", "OTEL_EXPORTER_OTLP_LOGS_HEADERS": "a=b"},
        {"OTEL_TRACES_EXPORTER": "otlp", "OTEL_LOGS_EXPORTER": "otlp_proto_http", "OTEL_METRICS_EXPORTER": "console"},
        {"OTEL_SDK_DISABLED": "False", "OTEL_EXPORTER_OTLP_CERTIFICATE": "/ca.pem"},
        {"OTEL_TRACES_SAMPLER": "always_off", "OTEL_TRACES_SAMPLER_ARG": "7"},
        {"OTEL_TRACES_SAMPLER": "ParentBased_TraceIdRatio", "OTEL_TRACES_SAMPLER_ARG": "0.25"},
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
        ("OTEL_EXPORTER_OTLP_TIMEOUT", "abc", "seconds, from 0.001 to 86400 (a day), got 'abc'"),
        ("OTEL_EXPORTER_OTLP_TIMEOUT", " ", "seconds"),
        ("OTEL_EXPORTER_OTLP_LOGS_TIMEOUT", "0", "seconds"),
        ("OTEL_EXPORTER_OTLP_TIMEOUT", "nan", "seconds"),
        ("OTEL_EXPORTER_OTLP_COMPRESSION", "zstd", "none, gzip or deflate, got 'zstd'"),
        (HEADERS, "nonsense", "NAME=VALUE"),
        ("OTEL_EXPORTER_OTLP_TRACES_HEADERS", "a=b,=c", "NAME=VALUE"),
        ("OTEL_TRACES_EXPORTER", "console", "otlp or none, got 'console'"),
        ("OTEL_LOGS_EXPORTER", "otlp,console", "otlp or none"),
        ("OTEL_SDK_DISABLED", "maybe", "true or false, got 'maybe'"),
        ("OTEL_TRACES_SAMPLER", "foo", "parentbased_traceidratio, traceidratio, got 'foo'"),
        ("OTEL_EXPORTER_OTLP_CERTIFICATE", "/nope", "a file that can be read"),
        ("OTEL_EXPORTER_OTLP_TRACES_CLIENT_CERTIFICATE", "/nope", "a file that can be read"),
        ("OTEL_EXPORTER_OTLP_CLIENT_KEY", "/nope", "a file that can be read"),
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


@pytest.mark.parametrize("share", ["7", "-0.1", "nan", "half"])
def test_a_share_that_is_none(share: str) -> None:
    """Of a sampler that wants one."""
    [line] = unusable(GOOD | RATIO | {"OTEL_TRACES_SAMPLER_ARG": share}, BOTH)
    assert line == f"OTEL_TRACES_SAMPLER_ARG: expected a share from 0 to 1, got {share!r}"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        (ALL, f"user:{SECRET}@collector"),
        (HEADERS, SECRET),
        (HEADERS, f"Authorization={SECRET},{SECRET}"),
        (HEADERS, f'Authorization="{SECRET}"'),
        (HEADERS, f"Authorization={SECRET}%0Ax"),
        ("OTEL_EXPORTER_OTLP_CLIENT_KEY", f"-----BEGIN PRIVATE KEY----- {SECRET}"),
    ],
)
def test_what_may_hold_a_secret_is_not_shown(name: str, value: str) -> None:
    """Also where it is none: a password or a key may stand there."""
    [line] = unusable(GOOD | {name: value}, BOTH)
    assert SECRET not in line


PIECES = st.sampled_from(
    [
        "a",
        "key",
        "=",
        "=",
        ",",
        " ",
        "\t",
        "\n",
        "%0A",
        "%0D",
        "%3D",
        "%20",
        "%FF",
        "%C3%A9",
        '"',
        ";",
        "\\",
        ":",
        "é",
        "\udcff",
    ]
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(text=st.lists(PIECES, max_size=6).map("".join))
@example(text="a=b%0Ac")
@example(text="a=b%E2%82%AC")
@example(text="a=b c%0Ad,e%0A=f")
@example(text=" ")
def test_of_headers_that_are_taken_the_sdk_has_nothing_to_say(text: str, caplog: pytest.LogCaptureFixture) -> None:
    """It shows what it does not take, and so does who sends, in the log: nothing of that kind may get there."""
    if unusable(GOOD | {HEADERS: text}, BOTH):
        return
    caplog.clear()
    with caplog.at_level(logging.DEBUG):
        headers = parse_env_headers(text, liberal=True)
    assert not caplog.records
    prepared = requests.Request("POST", GOOD[ALL], headers=dict(headers)).prepare()
    for name, value in prepared.headers.items():
        assert name.encode("ascii")
        assert value.encode("latin-1") is not None


def test_what_nobody_uses_is_not_looked_at() -> None:
    """Where only logs have a collector, what spans would need is nobody's business."""
    assert unusable(GOOD | {"OTEL_BSP_MAX_QUEUE_SIZE": "abc"}, {"logs"}) == []
