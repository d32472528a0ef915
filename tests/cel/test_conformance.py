"""Law: the conformance cases of CEL hold through our own way: text, checked bytes, tree, oracle."""

import math
from types import ModuleType
from typing import Any

import pytest

from engine.cel.oracle import Failure, prepare
from engine.cel.parse import CelErrors, expression
from engine.cel.scope import Scope
from engine.cel.walk import walk
from engine.cel.wire import cut, read

# What the reference implementation (cel-expr-python 0.1.3) answers otherwise than the specification's own cases.
KNOWN_DIFFERENCES = {
    "fields/qualified_identifier_resolution/map_value_repeat_key_heterogeneous": (
        "`{0: 1, 0u: 2}`: the keys 0 and 0u are equal, which ought to be an error; it keeps the first"
    ),
}


def evaluated(text: str, case: Any) -> Any:
    """The value by our own way; a text that is refused is a failure as well."""
    scope: Scope = case.scope
    try:
        checked = expression(text, scope, check=case.checked)
    except CelErrors as errors:
        return Failure(str(errors))
    root = read(checked)
    assert all(-1 <= node.offset <= len(text) for node in walk(root))
    assert cut(checked, root) is not None
    return prepare(cut(checked, root), scope).value(case.bindings)


def test_no_case_is_left_out(conformance: ModuleType) -> None:
    """All the published cases are run, and every one has a value or an error to compare with."""
    if not conformance.FILE.exists():
        pytest.skip(f"no {conformance.FILE}")
    cases = conformance.load()
    assert len(cases) == conformance.NUMBER_OF_CASES
    assert sum(not case.checked for case in cases) == 49
    assert {case.id for case in cases} >= KNOWN_DIFFERENCES.keys()


def test_value(conformance_case: Any, conformance: ModuleType) -> None:
    """The expression has the value, of the same type, or fails where it has to."""
    value, expected = evaluated(conformance_case.text, conformance_case), conformance_case.expected
    if conformance_case.id in KNOWN_DIFFERENCES:
        assert value == 1
    elif expected is None:
        assert isinstance(value, Failure)
    elif conformance.is_nan(expected):
        assert math.isnan(value)
    elif "type" in expected:  # the reference implementation has its own objects for types: see `test_condition`
        assert not isinstance(value, Failure)
    else:
        assert type(value) is type(conformance.python(expected))
        assert value == conformance.python(expected)


def test_condition(conformance_case: Any) -> None:
    """Said as conditions: value and type are true; of what has to fail neither true nor false comes out."""
    truths = [evaluated(condition, conformance_case) for condition in conformance_case.conditions]
    if conformance_case.id in KNOWN_DIFFERENCES:
        assert truths == [False]
    elif conformance_case.expected is None:
        assert not any(isinstance(truth, bool) for truth in truths)
    else:
        assert truths == [True, True]
