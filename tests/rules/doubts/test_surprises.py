"""The surprise of the unknown: where it is spoken of, where not, and what is proposed."""

# ruff: noqa: E501  (a table reads better as one)

import pytest

from engine.cel.oracle import truth
from engine.cel.parse import parse
from engine.cel.wire import read
from engine.rules.doubts.surprises import Surprise, surprises


def found(*conditions: str, known: frozenset[tuple[str, ...]] = frozenset()) -> list[Surprise]:
    """All surprises of the conditions of one segment."""
    return [one for each in surprises([(read(parse(text)), text) for text in conditions], known) for one in each]


@pytest.mark.parametrize(
    ("text", "out", "let_in"),
    [
        ('traits.plan != "enterprise"', 'has(traits.plan) && traits.plan != "enterprise"', 'except: traits.plan == "enterprise"'),
        ('!(traits.a in ["x"])', 'has(traits.a) && !(traits.a in ["x"])', 'except: traits.a in ["x"]'),
        ("!traits.is_customer", "has(traits.is_customer) && !traits.is_customer", "except: traits.is_customer"),
        ('!traits.x.startsWith("a")', 'has(traits.x) && !traits.x.startsWith("a")', 'except: traits.x.startsWith("a")'),
        ("!(traits.n < 5)", "has(traits.n) && !(traits.n < 5)", "except: traits.n < 5"),
        ('!traits.t.exists(t, t == "x")', 'has(traits.t) && !traits.t.exists(t, t == "x")', 'except: traits.t.exists(t, t == "x")'),
        ('traits["job title"] != "x"', '"job title" in traits && traits["job title"] != "x"', 'except: traits["job title"] == "x"'),
        ("traits.a != traits.b", "has(traits.a) && has(traits.b) && traits.a != traits.b", "except: traits.a == traits.b"),
        ("!(traits.a == 1 && account.b == 2)", "has(traits.a) && has(account.b) && !(traits.a == 1 && account.b == 2)", "except: traits.a == 1 && account.b == 2"),
        ('page.path == "/" && salesforce.lead.X != 1', "has(salesforce.lead.X) && salesforce.lead.X != 1", "except: salesforce.lead.X == 1"),
        ('traits.p == "b" || traits.x != "a"', 'has(traits.x) && traits.x != "a"', '(!has(traits.x) || traits.x != "a")'),
    ],
)  # fmt: skip
def test_both_ways_are_shown(text: str, out: str, let_in: str) -> None:
    """A negation of what may be unknown is spoken of, with both ways to write what was meant, ready to paste."""
    (one,) = found(text)
    assert f"`{out}`" in one.hint
    assert f"`{let_in}`" in one.hint


@pytest.mark.parametrize(
    "text", ['traits.plan != "a"', "!(traits.plan in [1])", "!traits.plan", 'traits.plan == "b" || traits.plan != "a"']
)
def test_the_ways_mean_what_they_say(text: str) -> None:
    """Of an unknown visitor the one way is false, and the other's test is not true, so `except` keeps them."""
    hint = found(text)[0].hint
    _, out, _, let_in, *_ = hint.split("`")
    assert truth(parse(out), {"traits": {}}) is False
    if let_in.startswith("except: "):
        assert truth(parse(let_in.removeprefix("except: ")), {"traits": {}}) is not True
    else:
        assert truth(parse(let_in), {"traits": {}}) is True


@pytest.mark.parametrize(
    "text",
    [
        'traits.plan == "x"',
        'has(traits.plan) && traits.plan != "x"',
        'traits.plan != "x" && has(traits.plan)',
        'traits.plan in ["a"] && traits.plan != "x"',
        'traits.plan != "" && traits.plan != "x"',
        "traits.plan != null",
        '"plan" in traits && traits.plan != "x"',
        '!has(traits.plan) || traits.plan != "x"',
        '!(has(traits.plan) && traits.plan == "x")',
        'has(traits.plan) ? traits.plan != "x" : true',
        '!has(traits.plan) ? true : traits.plan != "x"',
        "!has(traits.plan)",
        "!!traits.plan",
        '!(traits.plan != "x")',
        'traits.?plan.orValue("free") != "x"',
        "visit.new != true",
        '!page.path.startsWith("/x")',
        "has(traits.a.b) && !traits.a.b && traits.a != 1",
    ],
)
def test_no_false_alarms(text: str) -> None:
    """Nothing is said where the author thought of the unknown, or where nothing is unknown."""
    assert found(text) == []


def test_guards_hold_over_a_list_of_conditions() -> None:
    """All of `when` has to be true, so one line may guard another."""
    assert found("has(traits.a)", 'traits.a != "x"') == []
    assert len(found("has(traits.b)", 'traits.a != "x"')) == 1


def test_a_default_is_a_guard() -> None:
    """A trait with a declared default is never unknown."""
    assert found('traits.plan != "x"', known=frozenset({("traits", "plan")})) == []


def test_place_and_number() -> None:
    """The negation is underlined, and a fact is spoken of once."""
    text = 'traits.n > 1 && traits.plan != "x" && traits.plan != "y"'
    (one,) = found(text)
    assert text[one.offset : one.offset + one.width] == 'traits.plan != "x"'
