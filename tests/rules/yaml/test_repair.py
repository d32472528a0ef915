"""Behind a syntax error the rest of the file is read as if nothing had been."""

import pytest

from engine.rules.yaml.compose import Composed, compose
from engine.rules.yaml.nodes import Broken, Mapping, find
from engine.rules.yaml.source import Source


def _compose(text: str) -> Composed:
    return compose(Source("a.yaml", text))


def _lines(composed: Composed) -> list[int]:
    return [problem.place.line for problem in composed.problems]


def test_several_mistakes_of_one_file_are_all_found() -> None:
    """Independent mistakes, even in one entry, are each reported."""
    composed = _compose('s:\n  a:\n    name: "x" y\n    when: !b && c\n  d:\n    name z\n    when: e\n  f: [\n')
    assert _lines(composed) == [3, 4, 6, 8]


def test_what_is_behind_a_mistake_keeps_its_place() -> None:
    """Keys behind a blanked line stand where they stood."""
    composed = _compose("s:\n  a:\n    name x\n    when: b\nt:\n  c: d")
    key, _ = find(composed.root, ("t", "c"))
    assert key is not None
    assert (key.line, key.column) == (6, 3)


def test_a_mangled_value_is_broken_and_its_key_stays() -> None:
    """Only the value is lost; a list keeps its length, so that places by number are right."""
    composed = _compose("when:\n  - !a && b\n  - c\nname: @x")
    assert composed.root is not None
    assert isinstance(find(composed.root, ("when", 0))[1], Broken)
    assert find(composed.root, ("when", 1))[1] is not None
    assert isinstance(find(composed.root, ("name",))[1], Broken)
    assert not composed.lost


def test_a_block_that_lost_lines_is_partial() -> None:
    """A block whose lines were blanked may hold keys that nobody can see; its sibling does not."""
    composed = _compose("s:\n  a:\n    name x\n    when: b\n  c:\n    name: d\n    when: e\n")
    partial = {name: find(composed.root, ("s", name))[1] for name in ("a", "c")}
    assert {name: isinstance(node, Mapping) and node.partial for name, node in partial.items()} == {
        "a": True,
        "c": False,
    }


def test_the_words_of_lost_lines_are_known() -> None:
    """Names in lines that could not be read are kept, so that nobody calls them unknown."""
    composed = _compose("s:\n  small-company\n    name: x\n")
    assert "small-company" in composed.lost


@pytest.mark.parametrize("body", ["    x\n\t y\n", "\tx\n\ty\n", "\n  \tx\n", "    x\n    y\n\n\tz\n"])
@pytest.mark.parametrize("sign", ["|", ">", "|-"])
def test_a_text_that_lost_lines_is_broken(sign: str, body: str) -> None:
    """What is left of a text in which a tab stood says nothing, as a value and in a list."""
    for before, path in (("when:", ("when",)), ("when:\n  -", ("when", 0))):
        composed = _compose(f"{before} {sign}\n{body}name: z\n")
        assert [problem.code for problem in composed.problems] == ["tab"]
        assert isinstance(find(composed.root, path)[1], Broken)
        assert find(composed.root, ("name",))[1] is not None


def test_an_echo_is_not_reported() -> None:
    """An error that only comes from YAML being lost in the same entry is not said."""
    composed = _compose("s:\n  a:\n   name: x\n    when: y\n  except: z\n   more: w\n  b: {}\n")
    assert _lines(composed)[0] == 4
    assert len(composed.problems) <= 2
    assert find(composed.root, ("s", "b"))[1] is not None


def test_a_file_that_is_no_yaml_ends() -> None:
    """A file of nothing but mistakes has a bounded number of problems."""
    composed = _compose("}{ ]\n" * 500)
    assert 1 <= len(composed.problems) <= 100
