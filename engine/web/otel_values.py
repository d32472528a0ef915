"""Which of OpenTelemetry's variables could not be used, told before the SDK reads them. Pure.

What lives here: values that the SDK takes badly. What may not: the SDK, a look at files, which is an argument.

1. Of a queue that is too small the SDK says which argument is wrong, and not which variable; of a word in place of a
   number it prints a traceback; with a time-out, compression or sampler that it does not know it goes on as if there
   were none; another protocol or exporter, and an address that is none, it takes without a word.
2. A header that is none it prints as it stands, and one that no request can carry whenever it sends. A key of the
   collector's stands there: so each that comes through here it takes, and can send.
3. What may hold a secret is not shown. A value of spaces is one; an empty one is none, as everywhere in OpenTelemetry.
"""

from collections.abc import Callable, Collection, Iterator, Mapping
from typing import Final, NamedTuple
from urllib.parse import unquote, urlsplit

import re2

_BATCHES: Final = {"traces": "OTEL_BSP", "logs": "OTEL_BLRP"}
_QUEUE, _BATCH = "MAX_QUEUE_SIZE", "MAX_EXPORT_BATCH_SIZE"
_DEFAULTS: Final = {_QUEUE: "2048", _BATCH: "512"}  # of OpenTelemetry's specification
_LEAST: Final = {_QUEUE: 1, _BATCH: 1, "SCHEDULE_DELAY": 1, "EXPORT_TIMEOUT": 0}
_UNITS: Final = {"SCHEDULE_DELAY": "milliseconds", "EXPORT_TIMEOUT": "milliseconds"}
_PROTOCOL: Final = "http/protobuf"
_FILES: Final = ("CERTIFICATE", "CLIENT_CERTIFICATE", "CLIENT_KEY")
_SAMPLER: Final = "OTEL_TRACES_SAMPLER"
_SAMPLERS: Final = frozenset(
    f"{parent}{name}" for parent in ("", "parentbased_") for name in ("always_on", "always_off", "traceidratio")
)
_COMMA: Final = re2.compile(r"[ \t]*,[ \t]*")
# What the SDK takes, also of a value that is not URL-encoded: what can be printed, without `"`, `,`, `;` and `\`.
_HEADER: Final = re2.compile(r"[!#$&'*+\-.^_`|~0-9A-Za-z]+[ \t]*=[ \t]*([ !#-+\--:<-\[\]-~]*)")


def unusable(environment: Mapping[str, str], signals: Collection[str], can_be_read: Callable[[str], bool]) -> list[str]:
    """Of each that cannot be used its name and what would be right; of one that is for both signals once."""
    lines = (line for signal in sorted(signals) for line in _of(environment, signal, can_be_read))
    return list(dict.fromkeys(lines))


def _of(environment: Mapping[str, str], signal: str, can_be_read: Callable[[str], bool]) -> Iterator[str]:
    for name, right in _looked_at(environment, signal, can_be_read).items():
        text = environment.get(name)
        if text and not right.fits(text):
            yield f"{name}: expected {right.words}" + (f", got {text!r}" if right.is_shown else "")
    yield from _of_batches(environment, _BATCHES[signal])


def _looked_at(environment: Mapping[str, str], signal: str, can_be_read: Callable[[str], bool]) -> dict[str, "_Right"]:
    files = dict.fromkeys(_FILES, _Right(can_be_read, "a file that can be read", is_shown=False))
    looked_at = {_in_force(environment, signal, what): right for what, right in (_OF_COLLECTOR | files).items()}
    looked_at |= {"OTEL_SDK_DISABLED": _OFF, f"OTEL_{signal.upper()}_EXPORTER": _EXPORTER}
    if signal == "traces":
        looked_at[_SAMPLER] = _SAMPLING
        if environment.get(_SAMPLER, "").lower().endswith("traceidratio"):
            looked_at[f"{_SAMPLER}_ARG"] = _RATIO
    return looked_at


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


def _in_force(environment: Mapping[str, str], signal: str, what: str) -> str:
    """The name of what counts for this signal."""
    own = f"OTEL_EXPORTER_OTLP_{signal.upper()}_{what}"
    return own if environment.get(own) else f"OTEL_EXPORTER_OTLP_{what}"


def _is_number(text: str, least: int) -> bool:
    return text.isascii() and text.isdigit() and int(text) >= least


def _is_url(text: str) -> bool:
    try:
        parts = urlsplit(text.strip())
        return parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:  # a port that is none
        return False


def _is_within(text: str, least: float, most: float) -> bool:
    try:
        return least <= float(text) <= most
    except ValueError:
        return False


def _are_headers(text: str) -> bool:
    return text.isascii() and all(not one or _is_header(one.strip()) for one in _COMMA.split(text))


def _is_header(text: str) -> bool:
    """Can a request carry it? The SDK decodes a value, but for one with a space in it."""
    found = _HEADER.fullmatch(text)
    if found is None:
        return False
    value = found[1].strip()
    sent = value if " " in value else unquote(value).strip()
    return all(character <= "\xff" and character not in "\r\n" for character in sent)


class _Right(NamedTuple):
    """What a variable may hold."""

    fits: Callable[[str], bool]
    words: str
    is_shown: bool = True


_OFF: Final = _Right(lambda text: text.strip().lower() in {"true", "false"}, "true or false")
_EXPORTER: Final = _Right(lambda text: text.strip() in {"otlp", "otlp_proto_http", "none"}, "otlp or none")
_SAMPLING: Final = _Right(lambda text: text.lower() in _SAMPLERS, f"one of {', '.join(sorted(_SAMPLERS))}")
_RATIO: Final = _Right(lambda text: _is_within(text, 0, 1), "a share from 0 to 1")
_OF_COLLECTOR: Final = {
    "ENDPOINT": _Right(_is_url, "http://HOST:PORT or https://HOST:PORT", is_shown=False),
    "PROTOCOL": _Right(lambda text: text.strip() == _PROTOCOL, f"{_PROTOCOL}, which is all that is spoken here"),
    "TIMEOUT": _Right(lambda text: _is_within(text, 0.001, 86400), "seconds, from 0.001 to 86400 (a day)"),
    "COMPRESSION": _Right(lambda text: text.strip().lower() in {"none", "gzip", "deflate"}, "none, gzip or deflate"),
    "HEADERS": _Right(_are_headers, "NAME=VALUE,NAME=VALUE, with %XX for what is special in a value", is_shown=False),
}
