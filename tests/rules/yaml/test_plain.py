"""Plain scalars of YAML 1.2's core schema."""

import math

import pytest

from engine.rules.yaml import plain


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("", None), ("~", None), ("null", None), ("NULL", None), ("nUll", "nUll"),
        ("true", True), ("True", True), ("FALSE", False), ("tRUE", "tRUE"),
        ("0", 0), ("-19", -19), ("+7", 7), ("017", 17), ("0o17", 15), ("0x1F", 31),
        ("-0x1F", "-0x1F"), ("0o8", "0o8"),
        ("1.5", 1.5), ("1.", 1.0), (".5", 0.5), ("-1e3", -1000.0), ("1e", "1e"), (".", "."), ("+", "+"),
        ("-.inf", -math.inf),
        ("1_000", "1_000"), ("12:30", "12:30"), ("190:20:30", "190:20:30"), ("0b11", "0b11"),
        ("50%", "50%"), ("7d", "7d"),
        ("2026-11-01", "2026-11-01"), ("2026-11-01T00:00:00Z", "2026-11-01T00:00:00Z"), ("9" * 5_000, "9" * 5_000),
    ],
)  # fmt: skip
def test_core_schema(text: str, value: object) -> None:
    """Null, booleans and numbers as YAML 1.2 has them; all else is text."""
    assert plain.value(text) == value
    assert type(plain.value(text)) is type(value)


@pytest.mark.parametrize("word", sorted(plain.NORWAY))
def test_norway_is_text(word: str) -> None:
    """`no`, `on` and the other booleans of YAML 1.1 are text."""
    assert plain.value(word) == word


def test_not_a_number() -> None:
    """`.nan` is a number that is none."""
    value = plain.value(".nan")
    assert isinstance(value, float)
    assert math.isnan(value)
