"""What a plain (unquoted) scalar is in YAML 1.2: the core schema, and nothing of YAML 1.1.

`no`, `yes`, `on`, `off` are text here, `1_000` and `12:30` and `2026-11-01` too; `0o17` is a number and `017` is 17.
"""

from typing import TypeAlias

import re2

Value: TypeAlias = bool | int | float | str | None

# https://yaml.org/spec/1.2.2/#103-core-schema
_WORDS: dict[str, Value] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL"), None),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
    **dict.fromkeys((sign + dot for sign in ("", "+") for dot in (".inf", ".Inf", ".INF")), float("inf")),
    **dict.fromkeys(("-.inf", "-.Inf", "-.INF"), float("-inf")),
    **dict.fromkeys((".nan", ".NaN", ".NAN"), float("nan")),
}
_INT = re2.compile(r"[-+]?[0-9]+")
_FLOAT = re2.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_OCTAL = re2.compile(r"0o[0-7]+")
_HEX = re2.compile(r"0x[0-9a-fA-F]+")
_NUMBER_CHARS = 4_000  # Python refuses to read longer whole numbers; far past 64 bits either way

# What YAML 1.1 reads as a boolean, and people coming from it may still mean as one.
NORWAY = frozenset(word for w in ("yes", "no", "on", "off", "y", "n") for word in (w, w.capitalize(), w.upper()))


def value(text: str) -> Value:
    """The value of a plain scalar; whatever is no null, boolean or number is its own text."""
    if text in _WORDS:
        return _WORDS[text]
    if text[0] not in "0123456789+-." or len(text) > _NUMBER_CHARS:
        return text
    if _INT.fullmatch(text):
        return int(text)
    if _FLOAT.fullmatch(text):
        return float(text)
    if _OCTAL.fullmatch(text):
        return int(text[2:], 8)
    if _HEX.fullmatch(text):
        return int(text[2:], 16)
    return text
