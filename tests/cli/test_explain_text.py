"""An explanation on the screen: short, in order, and nothing of it obeyed by a terminal."""

from datetime import UTC, datetime
from decimal import Decimal

import click
import mmh3
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.cli.explain_text import LISTED, lines, safe, value
from engine.decide.decider import Decider
from engine.decide.explain import explain
from engine.rules.files import RuleText
from engine.rules.folder import load_texts
from engine.words import Page, Profile, Visit

NOW = datetime(2026, 6, 1, tzinfo=UTC)
RULES = """\
segments:
  small: {name: Small, when: "traits.employees < 50 && (traits.plan == 'free' || !traits.vip)"}
experiences:
  home:
    name: Home
    pages: ["/"]
    audiences:
      - segment: small
        control: 0%
        variants: [{key: hero, changes: [{selector: h1, text: "{{ traits.company | default: 'you' }}"}]}]
insertable: [traits.company]
"""


def decider(more=""):
    """The rules above, and more experiences."""
    loaded = load_texts([RuleText("rules/all.yaml", (RULES + more).encode())])
    assert loaded.ruleset is not None, loaded.problems
    return Decider(loaded.ruleset)


def shown(decider, traits, *, whole=False):
    """The text without colours."""
    explanation = explain(decider, Profile("ada", traits), Page("https://a.example/"), Visit(), NOW)
    return click.unstyle("\n".join(lines(explanation, whole=whole)))


def test_the_whole_text():
    """Verdict, what was asked, each test with its value, the draw, the slot."""
    draw = mmh3.hash("split:home:small::ada", 0, signed=False)
    drawn = f"{Decimal(draw * 1_000_000 >> 32) / 10_000}% is not below control 0%: personalized"
    assert shown(decider(), {"employees": 12, "plan": "free", "vip": "yes"}).splitlines() == [
        "Visitor `ada` sees variant `hero` of `home` (segment `small`).",
        "",
        "  page     https://a.example/",
        "  at       2026-06-01T00:00:00Z",
        f"  ruleset  {decider().ruleset.version}",
        "",
        "home  personalized  rules/all.yaml:5:5",
        f"  segment `small` matches; {drawn}",
        "  1. small  matches",
        "     when  rules/all.yaml:2:31",
        "       true     all of",
        "         true     traits.employees < 50",
        "                  traits.employees = 12",
        "         true     any of",
        "           true     traits.plan == 'free'",
        '                    traits.plan = "free"',
        "           unknown  not",
        "             unknown  traits.vip",
        '                      `traits.vip` is the text "yes", not true or false',
        '                      traits.vip = "yes"',
        "  drawn for the visitor `ada`",
        f"    split    {drawn}",
        f"             {draw:,} of 4,294,967,296, murmur3 of `split:home:small::ada`",
        "  shows variant hero",
        '    {"selector": "h1", "text": "you"}',
        '    h1 text: "you"',
        "      the slot's default, since `traits.company` is not known",
    ]


def test_never_sent_and_unlike_read_differently():
    """The two ways not to know a trait, in their own words."""
    assert "no trait `employees`: never sent at all" in shown(decider(), {})
    unlike = shown(decider(), {"employees": "45 people"})
    assert '`<` cannot take the text "45 people" and the number 50' in unlike
    declared = decider("traits: {employees: {type: number}}\n")
    unusable = shown(declared, {"employees": "45 people"})
    assert 'unusable traits.employees was sent as "45 people", which cannot be used' in unusable
    assert 'trait `employees` was sent as the text "45 people", which is no number' in unusable


@given(st.text(st.characters(exclude_categories=[]), min_size=1, max_size=400))
def test_any_value_is_shown_and_not_obeyed(text):
    """Escape codes, line ends, half characters, right-to-left marks, long texts: printable lines that end."""
    for line in shown(decider(), {"employees": text, "plan": text, "company": text}).split("\n"):
        assert line.isprintable()
        assert len(line) < 260


@pytest.mark.parametrize(
    ("found", "words"),
    [
        ("x" * 60, '"' + "x" * 48 + '…" (60 characters)'),
        ("\x1b[31m", '"\\u001b[31m"'),
        ("\u202eabc", '"\\u202eabc"'),
        ([1] * 500, "[" + "1, " * 15 + "1…"),
        (45, "45"),
        (None, "null"),
    ],
)
def test_values(found, words):
    """As JSON, cut, and with the length of what was cut."""
    assert value(found) == words


def test_safe_is_one_line():
    """White space is one space; what a terminal would obey is written out; long text ends in an ellipsis."""
    assert safe("a\n\n b\t") == "a b"
    assert safe("a\x9bb") == "a\\x9bb"
    assert safe("x" * 200, 10) == "x" * 9 + "…"


def test_what_was_not_asked_is_counted():
    """Of many experiences on other pages some are named and the rest is a number; those of this page come first."""
    body = "name: N, audiences: [{segment: small, variants: [{key: v, changes: []}]}]"
    many = "".join(f'  a{n:03}: {{{body}, pages: ["/other"]}}\n' for n in range(50))
    late = f'  zz: {{{body}, pages: ["/"], schedule: {{start: 2027-01-01T00:00:00Z}}}}\n'
    more = f"experiences:\n{many}{late}"
    loaded = load_texts([RuleText("a.yaml", RULES.encode()), RuleText("b.yaml", more.encode())])
    assert loaded.ruleset is not None, loaded.problems
    text = shown(Decider(loaded.ruleset), {}).partition("not asked\n")[2].splitlines()
    assert text[0].split() == ["zz", "it", "starts", "only", "at", "2027-01-01T00:00:00Z"]
    assert len(text) == LISTED + 1
    assert text[-1] == f"  and {51 - LISTED} more; --experience KEY tells of one"
