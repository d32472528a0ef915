"""The one way in for conditions."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from engine.cel.oracle import prepare
from engine.cel.parse import CelError, CelErrors, expression, parse
from engine.cel.scope import CONVERSION
from engine.cel.wire import read
from engine.limits import CONDITION_CHARS, CONDITION_NODES


def errors(text: str) -> list[tuple[int, str]]:
    """Where the errors of a condition are, and what they say."""
    with pytest.raises(CelErrors) as raised:
        parse(text)
    return [(error.offset, error.message) for error in raised.value.errors]


@pytest.mark.parametrize(
    "text",
    [
        'traits.employees < 50 && traits.industry in ["SaaS", "Fintech"]',
        'traits.?plan.orValue("free") == "free"',
        "traits.is_customer",
        "visit.count > 3 || visit.new",
        'salesforce.contact.Industry.startsWith("F")',
        'now - duration("720h") > traits.since',
        "math.greatest(1, 2) == 2",
        'cel.bind(plan, traits.plan, plan == "a" || plan == "b")',
        'traits["first name"] == "x" // a comment',
        "traits.a ==\n  1",
        "'a\0b' == traits.x",
    ],
)
def test_conditions_of_every_shape(text: str) -> None:
    """What CEL is, is taken, and what comes out can be read and evaluated."""
    checked = parse(text)
    assert read(checked).type in {"bool", "dyn"}
    prepare(checked).truth({})


def test_conversions_have_their_own_names() -> None:
    """Under a goal there is `properties`, and nothing of the visit."""
    assert parse('properties.plan != "free"', CONVERSION)
    with pytest.raises(CelErrors, match="unknown name `traits`"):
        parse("traits.plan == 'x'", CONVERSION)


@pytest.mark.parametrize("text", ["", " ", "\n\t"])
def test_empty(text: str) -> None:
    """An empty condition is told as one."""
    assert errors(text) == [(0, "the condition is empty")]


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ('"abc"', "a text"),
        ("  size(traits)", "a whole number"),
        ("now", "a moment"),
        ('["a"]', "a list of texts"),
        ("optional.of(true)", "an optional value"),
        ("null", "null"),
    ],
)
def test_the_result_is_true_or_false(text: str, kind: str) -> None:
    """A condition of another type is refused, at its first character."""
    offset = len(text) - len(text.lstrip())
    assert errors(text) == [(offset, f"a condition has to be true or false; this one is {kind}")]


def test_fields_that_do_not_exist() -> None:
    """Every unknown field of a closed root is told, at its name."""
    text = "page.ulr == 'x' && visit.cuont > 3"
    assert errors(text) == [(5, "`page` has no `ulr`"), (25, "`visit` has no `cuont`")]


def test_at_most_a_thousand_parts() -> None:
    """The limit on nodes is met exactly."""
    within, beyond = ", ".join(["1"] * (CONDITION_NODES - 3)), ", ".join(["1"] * (CONDITION_NODES - 2))
    assert parse(f"1 in [{within}]")
    assert errors(f"1 in [{beyond}]") == [(0, "the condition has 1,001 parts; at most 1,000 are taken")]


def test_at_most_so_many_characters() -> None:
    """The limit on characters is met exactly, before anything is parsed."""
    assert parse("true" + " " * (CONDITION_CHARS - 4))
    assert errors("true" + " " * (CONDITION_CHARS - 3)) == [
        (0, "the condition has 32,769 characters; at most 32,768 are read")
    ]


def test_lone_surrogates() -> None:
    """Half a character is told where it stands."""
    assert errors('traits.a == "\ud800"') == [(13, "half a character (U+D800) stands here")]


@pytest.mark.parametrize(
    "text",
    [
        "(" * 40 + "true" + ")" * 40,
        "(" * 10_000,
        "[" * 10_000,
        "{" * 10_000,
        "+".join(["1"] * 60) + " == 60",
        "traits" + ".a" * 5_000,
        "[1].exists(x, " * 30 + "true" + ")" * 30,
        "true ? true : " * 200 + "true",
    ],
)
def test_deep_nesting_is_told(text: str) -> None:
    """Nesting beyond what the reference implementation takes is an error and no crash."""
    assert errors(text) == [(0, "the condition is nested too deeply")]


@pytest.mark.parametrize(
    "text",
    [
        "@" * 30_000,
        "= " * 15_000,
        "x, " * 10_000,
        '"' * 30_001,
        "[" + "x," * 10_000 + "x]",
        "true " * 6_000,
        "\\" * 30_000,
        "1==1==" * 5_000,
        "\0" * 1_000,
    ],
)
def test_hostile_texts_get_an_answer(text: str) -> None:
    """Many mistakes at once make few errors and cost little."""
    assert 1 <= len(errors(text)) <= 101


@given(st.text(max_size=60) | st.text(alphabet="traits.a =\"'&|()[]{}<>!?:,\\1ex–“”\n", max_size=40))
@example("traits.a ==")
@example("'it's'")
@example("a ? b")
def test_any_text_gets_errors_with_places(text: str) -> None:
    """Whatever the text, it is taken, or refused with errors that lie within it and say something."""
    for error in refusals(text):
        assert 0 <= error.offset <= max(0, len(text) - 1)
        assert 1 <= error.width <= max(1, len(text) - error.offset)
        assert error.message
        assert "Syntax error" not in error.message


def refusals(text: str) -> tuple[CelError, ...]:
    """The errors of a text that is refused, at least one; of one that is taken, none."""
    try:
        assert parse(text)
    except CelErrors as refused:
        return refused.errors or (CelError(-1, 0, ""),)
    return ()


def test_any_expression() -> None:
    """`expression` takes every type, and with `check=False` what does not check."""
    assert read(expression("1 + 1")).type == "int"
    assert expression("unknown(1) == 2", check=False)
    with pytest.raises(CelErrors):
        expression("unknown(1) == 2")
