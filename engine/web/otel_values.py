"""Which of OpenTelemetry's variables could not be used, told before the SDK reads them. Pure.

What lives here: values that the SDK takes badly. What may not: the SDK.

Of a queue that is too small it says which argument is wrong, and not which variable; of a word in place of a number it
prints a traceback; another protocol, and an address that is none, it takes without a word. The rest it tells by itself.
"""

from collections.abc import Collection, Iterator, Mapping
from typing import Final
from urllib.parse import urlsplit

_BATCHES: Final = {"traces": "OTEL_BSP", "logs": "OTEL_BLRP"}
_QUEUE, _BATCH = "MAX_QUEUE_SIZE", "MAX_EXPORT_BATCH_SIZE"
_DEFAULTS: Final = {_QUEUE: "2048", _BATCH: "512"}  # of OpenTelemetry's specification
_LEAST: Final = {_QUEUE: 1, _BATCH: 1, "SCHEDULE_DELAY": 1, "EXPORT_TIMEOUT": 0}
_UNITS: Final = {"SCHEDULE_DELAY": "milliseconds", "EXPORT_TIMEOUT": "milliseconds"}
_PROTOCOL: Final = "http/protobuf"


def unusable(environment: Mapping[str, str], signals: Collection[str]) -> list[str]:
    """Of each that cannot be used its name and what would be right; of one that is for both signals once."""
    return list(dict.fromkeys(line for signal in sorted(signals) for line in _of(environment, signal)))


def _of(environment: Mapping[str, str], signal: str) -> Iterator[str]:
    name, text = _in_force(environment, signal, "ENDPOINT")
    if not _is_url(text):
        yield f"{name}: expected http://HOST:PORT or https://HOST:PORT"  # what it holds may be a password
    name, text = _in_force(environment, signal, "PROTOCOL")
    if text not in {"", _PROTOCOL}:
        yield f"{name}: expected {_PROTOCOL}, which is all that is spoken here, got {text!r}"
    yield from _of_batches(environment, _BATCHES[signal])


def _of_batches(environment: Mapping[str, str], prefix: str) -> Iterator[str]:
    texts = {what: environment.get(f"{prefix}_{what}", "").strip() or _DEFAULTS.get(what, "") for what in _LEAST}
    wrong = [what for what, text in texts.items() if text and not _is_number(text, _LEAST[what])]
    for what in wrong:
        words = f"a whole number of {_UNITS[what]}" if what in _UNITS else "a whole number"
        yield f"{prefix}_{what}: expected {words}, at least {_LEAST[what]}, got {texts[what]!r}"
    if not {_QUEUE, _BATCH} & set(wrong) and int(texts[_QUEUE]) < int(texts[_BATCH]):
        yield (
            f"{prefix}_{_QUEUE}: expected at least {texts[_BATCH]}, which is {prefix}_{_BATCH}, got {texts[_QUEUE]}; "
            f"unset they are {_DEFAULTS[_QUEUE]} and {_DEFAULTS[_BATCH]}"
        )


def _in_force(environment: Mapping[str, str], signal: str, what: str) -> tuple[str, str]:
    """Name and value of what counts for this signal."""
    own, shared = f"OTEL_EXPORTER_OTLP_{signal.upper()}_{what}", f"OTEL_EXPORTER_OTLP_{what}"
    name = own if environment.get(own) else shared
    return name, environment.get(name, "").strip()


def _is_number(text: str, least: int) -> bool:
    return text.isascii() and text.isdigit() and int(text) >= least


def _is_url(text: str) -> bool:
    try:
        parts = urlsplit(text)
        return parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:  # a port that is none
        return False
