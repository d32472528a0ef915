"""What the reference implementation itself says."""

import gc
import sys
import threading
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.cel.oracle import Failure, prepare, truth, value
from engine.cel.parse import expression, parse
from engine.cel.scope import CONVERSION
from engine.cel.wire import NotChecked

Ask = Callable[[str], bool | None]


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ('traits.plan == "free"', True),
        ('traits.plan == "pro"', False),
        ('traits.missing != "x"', None),
        ("traits.missing == null", None),
        ("has(traits.missing)", False),
        ('traits.missing == "x" || true', True),
        ('traits.missing == "x" && false', False),
        ("traits.plan < 3", None),
        ("traits.plan == 3", False),
        ("traits.employees == 12.0", True),
        ("traits.employees in [12u]", True),
        ("traits.customer == 0", False),
        ("traits.since == now", True),
        ("salesforce.contact.LastActivity == now", True),
        ('traits.since > timestamp("2026-01-01T00:00:00Z")', True),
        ("traits.plan", None),
        ("1 / 0 == 1", None),
        ('duration("30d") > duration("1s")', None),
        ('traits.?missing.orValue("free") == "free"', True),
    ],
)
def test_three_truths(ask: Ask, text: str, answer: bool | None) -> None:
    """True, false, and None for an error, an unknown or another type."""
    assert ask(text) is answer


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("1 + 1", 2),
        ("2u", 2),
        ("1.5", 1.5),
        ('"é"', "é"),
        ('b"\\xff"', b"\xff"),
        ("null", None),
        ("[1, 'a', [true]]", [1, "a", [True]]),
        ("{'a': 1}", {"a": 1}),
        ('duration("90s")', timedelta(seconds=90)),
        ("'a\\u0000b'", "a\0b"),
    ],
)
def test_values(text: str, answer: Any) -> None:
    """Values come as Python has them, in the right types."""
    assert value(expression(text), {}) == answer
    assert type(value(expression(text), {})) is type(answer)


def test_failures_say_why() -> None:
    """An error's text is the reference implementation's; what has no form in Python is a failure as well."""
    failure = value(expression("traits.x"), {"traits": {}})
    assert isinstance(failure, Failure)
    assert "Key not found" in failure.message
    assert isinstance(value(expression("optional.of(1)"), {}), Failure)


def test_missing_roots_are_unknown() -> None:
    """A root that is not bound is neither true nor false, and is absorbed like any error."""
    assert truth(parse("traits.plan == 'x'"), {}) is None
    assert truth(parse("traits.plan == 'x' || page.url == 'u'"), {"page": {"url": "u"}}) is True


def test_other_bindings_are_ignored() -> None:
    """Only what the expression asks for is looked at."""
    assert truth(parse("page.url == 'u'"), {"page": {"url": "u"}, "other": object(), "traits": object()}) is True


def test_scopes() -> None:
    """An expression is evaluated in the scope that it was checked in."""
    checked = parse("properties.plan == 'pro'", CONVERSION)
    assert truth(checked, {"properties": {"plan": "pro"}}, CONVERSION) is True


def test_endless_work_ends() -> None:
    """The reference implementation gives up on loops in loops; that is a failure like any other."""
    numbers = str(list(range(30)))
    loops = f"{numbers}.all(a, {numbers}.all(b, {numbers}.all(c, a + b + c >= 0)))"
    assert isinstance(value(expression(loops), {}), Failure)


def test_bytes_that_hold_nothing() -> None:
    """Planning refuses what is no checked expression."""
    with pytest.raises(NotChecked):
        prepare(b"nothing")


TEXTS = st.text(st.characters(), max_size=4)  # lone surrogates too
SCALARS = [
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    TEXTS,
    st.binary(max_size=3),
    st.dates(),
    st.decimals(allow_nan=False),
]
TIMES = [st.datetimes(), st.timedeltas()]
ANYTHING = st.recursive(
    st.one_of(*SCALARS, *TIMES, st.just(object())),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.one_of(*SCALARS), inner, max_size=3),
    max_leaves=5,
)
QUESTIONS = ["traits.a == 1", "traits.a", "has(traits.a.b)", "traits.a < traits.b", "traits.size() > 0"]


@given(ANYTHING, st.sampled_from(QUESTIONS))
def test_nothing_that_a_visitor_brings_raises(anything: Any, text: str) -> None:
    """Whatever Python value stands wherever, the answer is true, false or None."""
    oracle = prepare(parse(text))
    for bindings in ({"traits": anything}, {"traits": {"a": anything, "b": 1}}, {"traits": {"a": {"b": [anything]}}}):
        assert oracle.truth(bindings) in {True, False, None}


def test_from_several_threads() -> None:
    """One oracle answers several threads at once, each for its own visitor."""
    oracle = prepare(parse("traits.n % 2 == 0 && traits.tags.exists(t, t == 'x')"))
    wrong: list[int] = []

    def run(start: int) -> None:
        """Five hundred visitors, one after the other."""
        for n in range(start, start + 500):
            answer = oracle.truth({"traits": {"n": n, "tags": ["y", "x"]}})
            wrong.extend([n] * (answer is not (n % 2 == 0)))

    threads = [threading.Thread(target=run, args=(start,)) for start in (0, 1_000, 2_000)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


@pytest.mark.parametrize(
    "text", ["null", "traits.nulls[0]", "traits.nulls", "{'a': null}", "[[null]]", "traits.nulls[0] || false"]
)
def test_none_keeps_its_references(text: str) -> None:
    """However often a null is what comes out, the interpreter's None stays alive (it dies of this before 3.12)."""
    oracle = prepare(expression(text))
    gc.collect()  # whatever else holds None and is let go meanwhile
    before = sys.getrefcount(None)
    for _ in range(2_000):
        oracle.value({"traits": {"nulls": [None]}})
        oracle.truth({"traits": {"nulls": [None]}})
    assert sys.getrefcount(None) > before - 1_000
