"""The public conformance cases of CEL (`<repo>/../shared/conformance/cel.json`, README beside it) as plain data.

1. A `Case` is an expression with its bindings and what it has to come to.
2. `Case.conditions` says the same as conditions that have to be true: the value (`==`) and its type (`type(…)`),
   so that whoever can evaluate conditions can run the cases. One that has to fail has a condition that may be
   neither true nor false.
3. Where the folder is absent there are no cases; in CI that is a failure.
4. `tests/conftest.py` hands the cases to every test that asks for a `conformance_case`.
"""

import base64
import json
import math
import os
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from msgspec import Struct

from engine.cel.scope import Scope

FILE = Path(__file__).parents[3] / "shared" / "conformance" / "cel.json"
NUMBER_OF_CASES = 667

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Case(Struct, frozen=True):
    """One case: `expected` is the tagged value, None where the expression has to fail."""

    id: str
    text: str
    scope: Scope
    bindings: dict[str, Any]
    expected: dict[str, Any] | None
    checked: bool

    @property
    def conditions(self) -> tuple[str, ...]:
        """What has to be true; for one that has to fail: what may be neither true nor false."""
        if self.expected is None:
            return (f"dyn({self.text}) == 0",)
        value = f"dyn({self.text})"
        same = f"{value} != {value}" if is_nan(self.expected) else f"{value} == {literal(self.expected)}"
        return same, f"type({self.text}) == {type_name(self.expected)}"


def load() -> list[Case]:
    """All the cases, in the order of the file; none where the folder is absent and this is not CI."""
    if not FILE.exists():
        assert os.environ.get("CI") != "true", f"{FILE} has to be there in CI"
        return []
    return [_case(raw) for raw in json.loads(FILE.read_text())["cases"]]


def parameters() -> list[Any]:
    """The cases as pytest parameters; one skipped parameter where there are none."""
    absent = pytest.param(None, marks=pytest.mark.skip(reason=f"no {FILE}"), id="absent")
    return [pytest.param(case, id=case.id) for case in load()] or [absent]


def _case(raw: dict[str, Any]) -> Case:
    types = tuple((raw.get("type_env") or {}).items())
    bindings = {name: python(value) for name, value in (raw.get("bindings") or {}).items()}
    return Case(
        id=raw["id"],
        text=raw["expr"],
        scope=Scope(names=types),
        bindings=bindings,
        expected=raw["expect"].get("value"),
        checked=not raw.get("disable_check", False),
    )


def is_nan(tagged: dict[str, Any]) -> bool:
    """Is it the one value that is not equal to itself?"""
    return tagged.get("double") == "NaN"


def python(tagged: dict[str, Any]) -> Any:
    """A tagged value as Python has it. Times are cut to microseconds, as the reference implementation cuts them."""
    ((tag, value),) = tagged.items()
    match tag:
        case "double":
            return float(value)
        case "bytes":
            return base64.b64decode(value)
        case "list":
            return [python(element) for element in value]
        case "map":
            return {python(key): python(member) for key, member in value}
        case "timestamp":
            return _EPOCH + _delta(value)
        case "duration":
            return _delta(value)
    return value


def literal(tagged: dict[str, Any]) -> str:
    """A tagged value as CEL text."""
    ((tag, value),) = tagged.items()
    match tag:
        case "null":
            return "null"
        case "bool":
            return str(value).lower()
        case "uint":
            return f"{value}u"
        case "double":
            return _double(float(value))
        case "string":
            return '"' + "".join(f"\\U{ord(character):08x}" for character in value) + '"'
        case "bytes":
            return 'b"' + "".join(f"\\x{byte:02x}" for byte in base64.b64decode(value)) + '"'
        case "list":
            return f"[{', '.join(literal(element) for element in value)}]"
        case "map":
            return "{" + ", ".join(f"{literal(key)}: {literal(member)}" for key, member in value) + "}"
        case "timestamp":
            moment = (_EPOCH + timedelta(seconds=value["seconds"])).replace(tzinfo=None)
            return f'timestamp("{moment.isoformat()}.{value["nanos"]:09d}Z")'
        case "duration":
            return f'duration("{value["seconds"]}s") + duration("{value["nanos"]}ns")'
    return str(value)


def type_name(tagged: dict[str, Any]) -> str:
    """The CEL type of a tagged value."""
    (tag,) = tagged
    named = {"null": "null_type", "timestamp": "google.protobuf.Timestamp", "duration": "google.protobuf.Duration"}
    return named.get(tag, tag)


def _double(value: float) -> str:
    if math.isfinite(value):
        return repr(value)
    return "(1.0 / 0.0)" if value > 0 else "(-1.0 / 0.0)"


def _delta(value: dict[str, int]) -> timedelta:
    return timedelta(seconds=value["seconds"], microseconds=value["nanos"] // 1000)
