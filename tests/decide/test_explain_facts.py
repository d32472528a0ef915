"""Law: what was never sent is told apart from what was sent and cannot be used."""

from datetime import UTC, datetime
from typing import Any

import pytest

from engine.cel.parse import parse
from engine.cel.scope import ROOTS
from engine.cel.wire import read
from engine.decide.coerce import Coercions
from engine.decide.explain_facts import Facts, in_sentence
from engine.words import TraitDeclaration

DECLARED = {
    "employees": TraitDeclaration("employees", "number", None, None),
    "plan": TraitDeclaration("plan", "string", "none", "lower"),
    "since": TraitDeclaration("since", "timestamp", None, None),
}


def facts(traits: dict[str, Any], **roots: Any) -> Facts:
    """What is known of a visitor with these traits as they came."""
    seen, unusable = Coercions(DECLARED.values()).apply(traits)
    known = {"traits": seen, "page": {"query": {}}, "now": datetime(2026, 6, 1, tzinfo=UTC), **roots}
    return Facts(tuple(known.get(root, {}) for root in ROOTS), traits, DECLARED, unusable)


def why(text: str, traits: dict[str, Any] | None = None, **roots: Any) -> list[tuple[str, str]]:
    """Kind and words of the causes of a test's being unknown."""
    checked = parse(text)
    return [(cause.kind, cause.words) for cause in facts(traits or {}, **roots).causes(checked, read(checked))]


@pytest.mark.parametrize(
    ("text", "known", "kind", "words"),
    [
        ("traits.size > 1", {}, "absent", "no trait `size`: never sent at all"),
        ('traits["job title"] == "x"', {}, "absent", "no trait `job title`: never sent at all"),
        (
            "traits.employees < 50",
            {"traits": {"employees": "45 people"}},
            "unusable",
            'trait `employees` was sent as the text "45 people", which is no number, so it counts as unknown',
        ),
        ("traits.employees < 50", {}, "absent", "no trait `employees`: never sent at all"),
        (
            "traits.age < 50",
            {"traits": {"age": "45 people"}},
            "unlike",
            '`<` cannot take the text "45 people" and the number 50',
        ),
        ("traits.vip", {"traits": {"vip": "yes"}}, "unlike", '`traits.vip` is the text "yes", not true or false'),
        (
            "traits.company.size > 1",
            {"traits": {"company": "Acme"}},
            "unlike",
            '`traits.company` is the text "Acme", which has no `size`',
        ),
        (
            "traits.company.size > 1",
            {"traits": {"company": {}}},
            "absent",
            "`traits.company` has no `size`: never sent at all",
        ),
        ("has(traits.company.size)", {}, "absent", "no trait `company`: never sent at all"),
        ("account.seats > 1", {}, "absent", "no account trait `seats`: no account is known at all"),
        ("account.seats > 1", {"account": {"x": 1}}, "absent", "no account trait `seats`: never sent at all"),
        ('salesforce.lead.Status == "x"', {}, "absent", "no Salesforce lead is known at all"),
        (
            'salesforce.lead.Status == "x"',
            {"salesforce": {"lead": {"Id": "1"}}},
            "absent",
            "`salesforce.lead` has no `Status`: never sent at all",
        ),
        ("visit.count > 1", {}, "absent", "`visit.count` is not known of this visit"),
        ('page.query.utm == "x"', {}, "absent", "the URL has no query parameter `utm`"),
        ("1 / int(traits.n) > 1", {"traits": {"n": 0}}, "error", "`/` fails: divide by zero"),
        ("traits.l[3] == 1", {"traits": {"l": [1]}}, "error", "`[` fails: Index error: index=3 size=1"),
        (
            "timestamp(traits.t) < now",
            {"traits": {"t": "soon"}},
            "unlike",
            '`timestamp` cannot take the text "soon"',
        ),
        (
            'traits.n.startsWith("a")',
            {"traits": {"n": 5}},
            "unlike",
            '`startsWith` cannot take the number 5 and the text "a"',
        ),
    ],
)  # fmt: skip
def test_why_a_test_is_unknown(text: str, known: dict[str, Any], kind: str, words: str) -> None:
    """Each reason has its kind, and words that name what was sent."""
    assert why(text, known.pop("traits", {}), **known) == [(kind, words)]


def test_every_missing_trait_is_named_and_only_those() -> None:
    """Two missing traits are two causes; what was there is none; what was not asked is none."""
    words = [words for _, words in why("traits.a + traits.b + traits.c > 3", {"b": 1})]
    assert words == ["no trait `a`: never sent at all", "no trait `c`: never sent at all"]
    assert why('(has(traits.a) ? traits.a : traits.b) == "x"') == [("absent", "no trait `b`: never sent at all")]


def test_facts_are_the_paths_of_a_test() -> None:
    """Each path once, as it is written, with its value; what a loop binds and constants are none."""
    checked = parse('traits.l.exists(x, x.k == traits.a) && traits.a != traits.?b.orValue("c") && has(account.d.e)')
    found = facts({"l": [1], "a": 2}, account={"d": {"e": 3}}).in_(read(checked))
    assert [(fact.path, fact.state, fact.value) for fact in found] == [
        ("traits.l", "known", [1]),
        ("traits.a", "known", 2),
        ("traits.b", "absent", None),
        ("account.d.e", "known", 3),
    ]


@pytest.mark.parametrize(
    ("traits", "path", "expected"),
    [
        ({"employees": "45"}, "employees", ("coerced", 45, "45")),
        ({"employees": 45}, "employees", ("known", 45, None)),
        ({"employees": "45 people"}, "employees", ("unusable", None, "45 people")),
        ({}, "employees", ("absent", None, None)),
        ({}, "plan", ("default", "none", None)),
        ({"plan": ["x"]}, "plan", ("default", "none", ["x"])),
        ({"plan": "Pro"}, "plan", ("coerced", "pro", "Pro")),
        ({"plan": "pro"}, "plan", ("known", "pro", None)),
        ({"since": "2026-01-01T00:00:00Z"}, "since", ("coerced", "2026-01-01T00:00:00Z", "2026-01-01T00:00:00Z")),
        ({"other": 1.5}, "other", ("known", 1.5, None)),
    ],
)
def test_how_a_trait_came_to_its_value(traits: dict[str, Any], path: str, expected: tuple[Any, ...]) -> None:
    """As sent, made fit, defaulted, unusable or absent."""
    fact = facts(traits).at(("traits", path))
    assert (fact.path, fact.state, fact.value, fact.sent) == (f"traits.{path}", *expected)


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ("x" * 500, 'the text "' + "x" * 59 + '…"'),
        (True, "true"),
        (45.0, "the number 45"),
        (float("nan"), "the number nan"),
        ([], "an empty list"),
        ({"a": 1}, "a map of 1"),
        (datetime(2026, 1, 1, tzinfo=UTC), "the moment 2026-01-01T00:00:00Z"),
        ("\ud800", 'the text "\ufffd"'),
    ],
)
def test_values_in_sentences(value: Any, words: str) -> None:
    """A value is named with its kind; long ones are cut, half characters are replaced."""
    assert in_sentence(value) == words
