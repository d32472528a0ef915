"""Law: a compiled condition says what the reference implementation says, of every visitor."""

from collections.abc import Callable
from itertools import product
from types import ModuleType
from typing import Any

import pytest
from hypothesis import HealthCheck, given, note, settings
from hypothesis import strategies as st

from engine.cel.oracle import prepare
from engine.cel.parse import CelErrors, expression, parse
from engine.cel.scope import CONVERSION, ROOTS
from engine.compile.conditions import Verdict, condition
from engine.compile.loading import source_of
from engine.words import Condition, Place

PLACE = Place("rules/segments.yaml", 12, 11)

REALISTIC = (
    'traits.employees < 50 && traits.industry in ["SaaS", "Fintech"]',
    'has(traits.plan) && traits.plan != "enterprise"',
    "traits.is_customer",
    "!traits.is_customer && account.arr >= 10000.0",
    'traits.?plan.orValue("free") == "free"',
    'traits.email.lowerAscii().endsWith("@example.com")',
    'traits.title.matches("(?i)chief|vp|head of")',
    'salesforce.contact.Industry == "Banking" || salesforce.lead.Industry == "Banking"',
    "has(salesforce.lead) && !has(salesforce.contact)",
    'page.path.startsWith("/pricing") && page.query["utm_source"] == "google"',
    '"utm_campaign" in page.query && page.query.utm_campaign.contains("brand")',
    'visit.count > 3 && !visit.new && device.type == "mobile"',
    'geo.country in ["DE", "AT", "CH"] || geo.region == "CA"',
    'traits.tags.exists(t, t == "beta" || t.startsWith("vip-"))',
    'traits.roles.all(r, r in ["admin", "owner"])',
    '["gmail.com", "yahoo.com"].exists(d, traits.email.endsWith(d))',
    'now - timestamp(traits.createdAt) < duration("168h")',
    'visit.first_seen > timestamp("2026-01-01T00:00:00Z")',
    "now.getDayOfWeek() in [0, 6] || now.getHours() >= 18",
    '(has(traits.plan) ? traits.plan : "free") in ["free", "trial"]',
    "size(traits.products) >= 2 && traits.products[0] == 'core'",
    "traits.seats_used * 100 / traits.seats >= 80",
    "traits.trial_days_left <= 3 ? traits.active : traits.score > 0.5",
    "traits.address.country == account.address.country",
)


@settings(max_examples=300, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_compiled_is_oracle(grammar: ModuleType, compiled: Callable[[str], Verdict], data: Any) -> None:
    """Of generated conditions and visitors, `true` and `false` hold where the oracle says so."""
    text = data.draw(grammar.conditions)
    verdict, oracle = compiled(text), prepare(parse(text))
    note(f"{source_of(verdict.true)}\n{source_of(verdict.false)}")
    for _ in range(4):
        roots = data.draw(grammar.visitors())
        truth = oracle.truth(dict(zip((*grammar.ROOTS, "now"), roots, strict=True)))
        assert (verdict.true(*roots), verdict.false(*roots)) == (truth is True, truth is False)


OTHERS = ("1", "1.5", "true", "1u", "[1, 2]", '["a"]', '"x"', "now", 'duration("1h")', "timestamp(0)", "[]", "null")
OPERANDS = ("dyn({})", "(has(traits.b) ? traits.a : {})", "(traits.b ? {} : traits.m)")
USES = (
    *('{}.matches("x")', 'matches({}, "")', "traits.s.matches({})", "traits.s.contains({})", '{}.startsWith("")'),
    *("{}.x == 1", "has({}.x)", '{}["x"] == 1', "{}[0] == 1", "{}.?x.orValue(1) == 1", "{}.x.y == 1", "has({}.x.y)"),
    *("{}", "!{}", "{} == {}", "{} < 2", '{} > "a"', "{} <= now", "{} + 1 == 2", "-{} < 0", "size({}) > 0"),
    *('{}.lowerAscii() == "x"', "string({}) == '1'", "{} in [1, 'x']", '"x" in {}', "{} in {}", "traits.s in {}"),
    *("{}.exists(x, x == 1)", "[1, 2].exists(x, {}.matches('x'))", "['x', 'y'].all(x, dyn(x).matches('x') || {})"),
    *("[1, 2].exists(x, dyn(x).matches('x'))", "traits.l.exists(x, {}.matches('x'))", "[1].all(x, dyn(x).y == 1)"),
)


@pytest.mark.parametrize("use", USES)
def test_operands_that_nobody_means(compiled: Callable[[str], Verdict], visitor: Any, use: str) -> None:
    """Constants of another kind, the time, their members: nothing raises, and the oracle agrees."""
    for operand, other in product(OPERANDS, OTHERS):
        text = use.replace("{}", operand.format(other))
        try:
            verdict = compiled(text)
        except CelErrors:
            continue
        oracle = prepare(parse(text))
        for traits in ({}, {"b": True, "a": "x", "s": "x", "l": ["x", 1]}, {"b": False, "m": {"x": 1}, "s": "1"}):
            roots = visitor(**traits)
            truth = oracle.truth(dict(zip(ROOTS, roots, strict=True)))
            assert (text, verdict.true(*roots), verdict.false(*roots)) == (text, truth is True, truth is False)


def test_nothing_realistic_is_left_to_the_reference(compiled: Callable[[str], Verdict]) -> None:
    """What ops write is compiled whole."""
    assert {text: compiled(text).fallbacks for text in REALISTIC} == dict.fromkeys(REALISTIC, 0)


def test_fallbacks_count_what_is_left(compiled: Callable[[str], Verdict]) -> None:
    """Only the part that is not known is left, however often it is needed."""
    verdict = compiled('traits.a.map(x, x + 1) == [2] && traits.b == "x" && math.abs(traits.c) > 2')
    assert verdict.fallbacks == 2


def test_conformance(conformance_case: Any) -> None:
    """The conformance cases hold: a value's condition is true, an error's is neither."""
    for text in conformance_case.conditions:
        try:
            checked = expression(text, conformance_case.scope, check=conformance_case.checked)
        except CelErrors:
            assert conformance_case.expected is None
            return
        verdict = condition(Condition(text, PLACE, checked), conformance_case.scope)
        roots = [conformance_case.bindings.get(name) for name, _ in conformance_case.scope.names]
        answers = (verdict.true(*roots), verdict.false(*roots))
        truth = prepare(checked, conformance_case.scope).truth(conformance_case.bindings)
        assert answers == (truth is True, truth is False)


def test_conversion_scope() -> None:
    """A goal's condition takes the event's properties, and nothing else."""
    text = 'properties.plan != "free"'
    verdict = condition(Condition(text, PLACE, parse(text, CONVERSION)), CONVERSION)
    assert [verdict.true({"plan": plan}) for plan in ("free", "pro")] == [False, True]
    assert not verdict.true({})
    assert not verdict.false({})
