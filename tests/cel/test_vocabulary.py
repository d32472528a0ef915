"""The tables of words: what they promise can be called, can be called."""

import pytest

from engine.cel.parse import CelErrors, expression
from engine.cel.vocabulary import FUNCTIONS, METHODS, OTHER_FUNCTIONS, OTHER_NAMES, operator, type_in_words

MACROS = {"all", "exists", "exists_one", "filter", "map", "optMap", "optFlatMap", "has", "cel.bind"}
NO_VALUE = {"optional.none", "hasValue", "value"}


def complaint(text: str) -> str:
    """What is wrong with an expression, or nothing."""
    try:
        expression(text)
    except CelErrors as errors:
        return str(errors)
    return ""


@pytest.mark.parametrize("name", sorted(METHODS - MACROS))
def test_methods_exist(name: str) -> None:
    """With some number of arguments every method is known."""
    calls = [f"traits.x.{name}({', '.join(['traits.y'] * count)})" for count in range(4)]
    owners = [*calls, f"optional.of(traits.x).{name}()", f"optional.of(traits.x).{name}(optional.none())"]
    assert any(not complaint(call) for call in owners)


@pytest.mark.parametrize("name", sorted(FUNCTIONS - MACROS))
def test_functions_exist(name: str) -> None:
    """With some number of arguments every function is known."""
    assert any(not complaint(f"{name}({', '.join(['traits.y'] * count)})") for count in range(4))


@pytest.mark.parametrize("name", sorted(OTHER_FUNCTIONS))
def test_other_functions_do_not_exist(name: str) -> None:
    """What is said to be another language's is none of CEL's."""
    assert name not in METHODS | FUNCTIONS or name in {"exists", "has", "or"}


@pytest.mark.parametrize("hint", sorted({*OTHER_FUNCTIONS.values(), *OTHER_NAMES.values()}))
def test_hints_are_right(hint: str) -> None:
    """Whatever a hint says to write is an expression that checks."""
    for written in hint.split("`")[1::2]:
        names = {"…": "traits.x", "condition": "true", "this": "1", "that": "2", "a && b": "true", "a || b": "true"}
        text = names.get(written, written)
        for word in ("…", "condition", "this", "that"):
            text = text.replace(word, names[word])
        text = text.replace("(a, b)", "(1, 2)").replace("a + b", "1 + 2")
        assert text in {"==", "properties", "exists", "has"} or not complaint(text), text


def test_types_in_words() -> None:
    """Types read as a person would say them."""
    assert [type_in_words(name) for name in ("string", "list(string)", "list(dyn)", "map(string, dyn)", "foo.Bar")] == [
        "a text",
        "a list of texts",
        "a list",
        "a map",
        "foo.Bar",
    ]


def test_operators() -> None:
    """Operators have a sign, functions have none."""
    assert (operator("_==_"), operator("@in"), operator("size")) == ("==", "in", "")
