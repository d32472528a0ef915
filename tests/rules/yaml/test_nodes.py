"""Places of nodes."""

from hypothesis import given, settings
from hypothesis import strategies as st

from engine.rules.yaml.compose import compose
from engine.rules.yaml.nodes import Listing, Mapping, Node, Scalar, find
from engine.rules.yaml.source import Source

FILE = """\
segments:
  größe:
    name: "Größe 𝒳" # why
    when: [traits.a, 'traits.b']
    except: |
      traits.c ==
        "d"
  other: {name: 'it''s', when: >-
    folded text}
"""


def _scalars(node: Node) -> list[Scalar]:
    if isinstance(node, Mapping):
        return [s for e in node.entries.values() for s in (e.key, *_scalars(e.value))]
    if isinstance(node, Listing):
        return [s for item in node.items for s in _scalars(item)]
    return [node] if isinstance(node, Scalar) else []


def _root(text: str) -> Mapping:
    root = compose(Source("a.yaml", text)).root
    assert root is not None
    return root


def test_lines_and_columns_count_characters() -> None:
    """Behind letters that are several bytes, places are still those that an editor shows."""
    root = _root(FILE.replace(", when: >-\n    folded text}", "}"))
    at = {scalar.text: (scalar.line, scalar.column) for scalar in _scalars(root)}
    assert at["größe"] == (2, 3)
    assert at["Größe 𝒳"] == (3, 11)
    assert at["traits.b"] == (4, 22)
    assert at["it's"] == (8, 17)


_KEYS = st.text("abcdé𝒳", min_size=1, max_size=5)
_WORDS = st.text("abc é𝒳.=<&", min_size=1, max_size=12).map(lambda t: f"t.{t}.x")


@given(st.dictionaries(_KEYS, st.lists(_WORDS, max_size=3), min_size=1, max_size=4), st.integers(1, 4), st.booleans())
@settings(deadline=None)
def test_the_text_stands_at_the_place(values: dict[str, list[str]], indent: int, flow: bool) -> None:
    """For every scalar, the source at the place reported is the scalar's text, and so is each of its characters."""
    lines = []
    for key, texts in values.items():
        if flow:
            lines.append(f"{key}: [{', '.join(repr(t) for t in texts)}]")
        else:
            lines += [f"{key}:", *(" " * indent + f"- {text}" for text in texts)]
    source = Source("a.yaml", "\n".join(lines))
    root = compose(source).root
    assert root is not None
    found = _scalars(root)
    assert [s.text for s in found if s.text.startswith("t.")] == [t for texts in values.values() for t in texts]
    for scalar in found:
        if not scalar.text:
            continue
        line, column = scalar.at(0)
        assert source.lines[line - 1][column - 1 :].startswith(scalar.text)
        for offset, character in enumerate(scalar.text):
            line, column = scalar.at(offset)
            assert source.lines[line - 1][column - 1] == character


def test_offsets_in_every_style() -> None:
    """The same word is found in a plain, quoted, literal and folded text."""
    text = "a: one\n  X\nb: \"one\\tX\"\nc: '''' '\nd: |\n  one\n   X\ne: >\n  one\n  X\n"
    text = text.replace("c: '''' '", "c: 'it''s X'")
    source = Source("a.yaml", text)
    places = {}
    for key, entry in _root(text).entries.items():
        assert isinstance(entry.value, Scalar)
        places[key] = entry.value.at(entry.value.text.index("X"))
    assert places == {"a": (2, 3), "b": (3, 10), "c": (4, 11), "d": (7, 4), "e": (10, 3)}
    assert all(source.lines[line - 1][column - 1] == "X" for line, column in places.values())


def test_find() -> None:
    """A path finds key and value; 0 onto a single value is the value; what is not there is None."""
    root = _root("a: {b: [x, y]}\nwhen: c")
    key, value = find(root, ("a", "b"))
    assert isinstance(key, Scalar)
    assert key.text == "b"
    assert isinstance(value, Listing)
    assert find(root, ("a", "b", 1)) == (None, value.items[1])
    assert find(root, ("when", 0)) == find(root, ("when",))
    for path in (("z",), ("a", "z"), ("a", "b", 2), ("when", 1), ("when", "x"), ("a", 0)):
        assert find(root, path) == (None, None)
    assert find(root, ()) == (None, root)
