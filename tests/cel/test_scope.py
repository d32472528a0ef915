"""Names in scope."""

import pytest

from engine.cel.parse import CelErrors, expression
from engine.cel.scope import CONVERSION, FIELDS, ROOTS, VISIT, Scope, environment
from engine.cel.wire import read


def test_roots_in_order() -> None:
    """A visit's names are the roots, in the order of a generated function's arguments."""
    assert tuple(name for name, _ in VISIT.names) == ROOTS
    assert tuple(name for name, _ in CONVERSION.names) == ("properties",)


def test_types() -> None:
    """Every root is an open map, but the time of the visit."""
    types = {root: read(expression(root)).type for root in ROOTS}
    assert types == {root: "google.protobuf.Timestamp" if root == "now" else "map(string, dyn)" for root in ROOTS}


def test_closed_roots_are_roots() -> None:
    """Fields are known of roots only, never of traits."""
    assert FIELDS.keys() <= set(ROOTS) - {"traits", "account", "now"}


@pytest.mark.parametrize(
    "text",
    [
        "'a'.lowerAscii() == 'a'",
        "traits.?a.orValue(1) == 1",
        "math.abs(-1) == 1",
        "base64.encode(b'a') == 'YQ=='",
        "cel.bind(x, 1, x) == 1",
    ],
)
def test_extensions(text: str) -> None:
    """Strings, optionals, math, encoders and bindings are there."""
    assert read(expression(text)).type == "bool"


def test_one_environment_a_scope() -> None:
    """Equal scopes share their environment; other scopes have other names."""
    assert environment(Scope(names=VISIT.names)) is environment(VISIT)
    with pytest.raises(CelErrors):
        expression("traits.a", Scope(names=(("x", "int"),)))
