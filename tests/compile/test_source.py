"""Generated source: short, straight, and without a word of a user's in it."""

from collections.abc import Callable
from typing import Any

import pytest

from engine.compile.conditions import Verdict
from engine.compile.loading import source_of


def code(function: Callable[..., Any]) -> list[str]:
    """The lines of the function's body, without the legend."""
    return [line.strip() for line in source_of(function).splitlines() if line.startswith("    ")]


@pytest.mark.parametrize("nasty", ['"""', "'); import os #", "\\", "\n", "{0}", "é𝄞", "__import__"])
def test_no_constant_is_text(compiled: Callable[[str], Verdict], visitor: Any, nasty: str) -> None:
    """Keys and constants are objects, whatever they look like."""
    quoted = nasty.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    verdict = compiled(f'traits["{quoted}"] == "{quoted}" && traits.a in ["{quoted}", "b"]')
    assert verdict.true(*visitor(**{nasty: nasty, "a": nasty}))
    assert not verdict.true(*visitor(**{nasty: nasty}))
    assert all(nasty not in line or nasty == '"""' for line in code(verdict.true))


def test_reads_late_and_leaves_early(compiled: Callable[[str], Verdict]) -> None:
    """The most selective test decides before anything else is read."""
    assert code(compiled('traits.employees < 50 && traits.industry == "SaaS"').true) == [
        "t0 = traits.get(c0)",
        "if t0 != c1:",
        "return False",
        "t1 = traits.get(c2)",
        "n2 = t1 if type(t1) in NUMBERS else NAN",
        "return n2 < c3",
    ]


def test_a_term_is_read_once(compiled: Callable[[str], Verdict]) -> None:
    """However often it is asked about."""
    lines = code(compiled("traits.a > 1 && traits.a < 5 && traits.a != 3 && has(traits.a)").true)
    assert sum(".get(" in line for line in lines) == 1


def test_parents_have_to_be_maps(compiled: Callable[[str], Verdict], visitor: Any) -> None:
    """Below a root every step is guarded."""
    verdict = compiled("traits.a.b.c")
    assert verdict.true(*visitor(a={"b": {"c": True}}))
    assert not any(verdict.true(*visitor(a=value)) for value in (None, 5, "b", [], {"b": "c"}))


def test_loops_take_along_what_they_need(compiled: Callable[[str], Verdict], visitor: Any) -> None:
    """Nested loops, elements of the outer one, traits from outside, defaults."""
    text = 'traits.l.exists(x, x.k.all(y, y == traits.a || y == x.d || y == account.?z.orValue("z")))'
    verdict = compiled(text)
    assert verdict.fallbacks == 0
    assert verdict.true(*visitor(a=1, l=[{"k": [1, 2, "z"], "d": 2}]))
    assert not verdict.true(*visitor(a=1, l=[{"k": [1, 2, 3], "d": 2}]))


def test_odd_values_are_asked_about(compiled: Callable[[str], Verdict], visitor: Any) -> None:
    """Nanoseconds are beyond Python's datetime, and still decide."""
    verdict = compiled('timestamp(traits.a) > timestamp("2026-01-01T00:00:00Z")')
    assert verdict.fallbacks == 0
    assert verdict.true(*visitor(a="2026-01-01T00:00:00.000000001Z"))
    assert verdict.false(*visitor(a="2026-01-01T00:00:00Z"))


def test_constant_conditions(compiled: Callable[[str], Verdict], visitor: Any) -> None:
    """Always and never read nothing."""
    assert code(compiled("true").true) == ["return True"]
    assert code(compiled("true").false) == ["return False"]
    assert compiled("1 == 2").false(*visitor())
