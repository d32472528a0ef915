"""Whether anything goes to a collector hangs on OpenTelemetry's own variables, and nothing is imported otherwise."""

import subprocess
import sys

import pytest

from engine.web.telemetry import wanted

ALL = "OTEL_EXPORTER_OTLP_ENDPOINT"
URL = "http://127.0.0.1:4318"


@pytest.mark.parametrize(
    ("variables", "signals"),
    [
        ({}, set()),
        ({"OTEL_SERVICE_NAME": "x"}, set()),
        ({ALL: ""}, set()),
        ({ALL: URL}, {"traces", "logs"}),
        ({ALL: URL, "OTEL_SDK_DISABLED": "true"}, set()),
        ({ALL: URL, "OTEL_LOGS_EXPORTER": "none"}, {"traces"}),
        ({ALL: URL, "OTEL_LOGS_EXPORTER": " none "}, {"traces"}),
        ({"OTEL_EXPORTER_OTLP_LOGS_ENDPOINT": URL}, {"logs"}),
    ],
)
def test_a_collector_is_named_by_opentelemetrys_own_variables(variables: dict[str, str], signals: set[str]) -> None:
    """For both, for one, or switched off."""
    assert wanted(variables) == signals


LOOK = """
import sys
{before}
from engine.web.telemetry import telemetry, TelemetryUnusable
try:
    with telemetry({variables!r}):
        print(any(name.partition(".")[0] == "opentelemetry" for name in sys.modules))
except TelemetryUnusable as unusable:
    print(unusable)
"""


def said(variables: dict[str, str], before: str = "") -> str:
    """What a process of its own says."""
    look = LOOK.format(variables=variables, before=before)
    return subprocess.run([sys.executable, "-c", look], check=True, capture_output=True, text=True).stdout.strip()


def test_nothing_is_imported_that_nobody_wants() -> None:
    """Not even where it is installed."""
    assert said({}) == "False"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("OTEL_BSP_MAX_QUEUE_SIZE", "256"),
        ("OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT", "-3"),
        ("OTEL_BLRP_SCHEDULE_DELAY", "abc"),
        ("OTEL_EXPORTER_OTLP_CERTIFICATE", "/nowhere/ca.pem"),
    ],
)
def test_what_cannot_be_used_is_told(name: str, value: str) -> None:
    """In one line that names the variable, whoever finds it: we or the SDK."""
    line = said({ALL: URL, name: value}, before=f"import os; os.environ[{name!r}] = {value!r}")
    assert name in line
    assert len(line.splitlines()) == 1


def test_what_is_missing_is_told() -> None:
    """With what to do about it."""
    line = said({ALL: URL}, before="sys.modules['opentelemetry'] = None")
    assert "opentelemetry is not installed: pip install 'mutiny-edge[otel]'" in line
