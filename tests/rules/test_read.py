"""From the tree to the shape: every problem at once, each at its place."""

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.problems import Problem
from engine.rules import shape
from engine.rules.document import Document
from engine.rules.read import read
from engine.rules.yaml.compose import compose
from engine.rules.yaml.source import Source


def _read(text: str) -> tuple[Document, list[Problem]]:
    source = Source("a.yaml", text)
    composed = compose(source)
    assert not composed.problems
    return read(source, composed)


def _said(text: str) -> list[tuple[str, int, int]]:
    return [(p.code, p.place.line, p.place.column) for p in _read(text)[1]]


def test_a_whole_file() -> None:
    """Keys that are Python's own words, defaults, and conditions in both forms."""
    document, problems = _read(
        "segments:\n  a: {name: A, when: x, except: [y, true]}\n"
        "traits: {plan: {default: free, fold: lower}}\n"
        "tests: [{name: t, given: {visitorId: v, page: {url: u}}, expect: nothing}]\n"
    )
    assert not problems
    assert document.shape == shape.RuleFile(
        segments={"a": shape.Segment(name="A", when="x", except_=["y", "true"])},
        traits={"plan": shape.Trait(default="free", fold="lower")},
        tests=[shape.Test(name="t", given=shape.Given(visitor_id="v", page=shape.Page(url="u")), expect="nothing")],
    )


def test_nothing_stops_at_the_first() -> None:
    """Several problems of several kinds in one block are all found."""
    text = "segments:\n  a:\n    name: 1\n    color: red\n    except: [b, 2, {}]\n  c: d\n"
    assert _said(text) == [
        ("wrong-type", 3, 11),
        ("unknown-key", 4, 5),
        ("wrong-type", 5, 17),
        ("mangled-condition", 5, 20),
        ("missing-key", 2, 3),
        ("wrong-type", 6, 6),
    ]


@pytest.mark.parametrize(
    ("written", "meant"), [("whn", "when"), ("if", "when"), ("unless", "except"), ("Name", "name")]
)
def test_did_you_mean(written: str, meant: str) -> None:
    """A misspelt key, and one that another tool has, is answered with the right one, and is not missing as well."""
    keys = {"name": "n", "when": "w"}
    keys.pop(meant, None)
    text = "segments:\n  a:\n" + "".join(f"    {key}: {value}\n" for key, value in {written: "x", **keys}.items())
    (problem,) = _read(text)[1]
    assert problem.hint == f"did you mean `{meant}`?"


def test_a_far_word_is_answered_with_what_is_known() -> None:
    """Where nothing is near, the known keys are listed."""
    (problem,) = _read("segments: {a: {name: n, when: w, zzzzz: 1}}")[1]
    assert problem.hint == "known here: name, when, except"


def test_what_cannot_be_read_leaves_no_hole() -> None:
    """Lists keep their length and blocks their keys: what was reported stands there empty."""
    document, problems = _read(
        "experiences:\n  x:\n    name: X\n    pages: [/, 5]\n    status: lvie\n"
        "    audiences:\n    - wrong\n    - segment: s\n"
        "      variants: [{key: k, changes: [{selector: h1, text: ''}]}]\n"
    )
    assert len(problems) == 3
    experience = document.shape.experiences["x"]
    assert experience.pages == ["/", ""]
    assert experience.status == "live"
    assert [audience.segment for audience in experience.audiences] == ["", "s"]
    assert document.is_doubtful(("experiences", "x", "pages", 1))
    assert not document.is_doubtful(("experiences", "x", "pages", 0))


def test_problems_of_one_file_are_bounded() -> None:
    """A file of nothing but mistakes is read in little time, with a bounded number of problems."""
    problems = _read("segments:\n" + "".join(f"  s{n}: {{nmae: 1}}\n" for n in range(5_000)))[1]
    assert len(problems) == 500


_JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text('ab\n"é'),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text("ab", min_size=1), inner, max_size=3),
    max_leaves=8,
)


@given(st.dictionaries(st.text("abc", min_size=1), _JSON, max_size=3))
@settings(deadline=None)
def test_values_of_tests_are_json(traits: dict[str, object]) -> None:
    """What a test gives as traits is read as JSON has it (JSON is YAML 1.2)."""
    given_ = msgspec.json.encode({"name": "t", "given": {"page": {"url": "u"}, "traits": traits}, "expect": "nothing"})
    document, problems = _read("tests: [" + given_.decode().replace("e+", "e") + "]")
    assert not problems
    assert document.shape.tests[0].given.traits == traits


@pytest.mark.parametrize("struct", [shape.RuleFile, shape.Experience, shape.Test])
def test_every_type_of_the_shape_can_be_read(struct: type) -> None:
    """No type stands in the shape that reading does not know."""
    from engine.rules.read import plan

    assert plan(msgspec.inspect.type_info(struct)).expected
