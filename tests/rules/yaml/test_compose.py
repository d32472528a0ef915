"""The YAML tree: what is read, what is refused, and that every place in it is exact."""

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from engine import limits
from engine.rules.yaml.compose import Composed, compose, kind
from engine.rules.yaml.nodes import Broken, Listing, Mapping, Node, Scalar, find
from engine.rules.yaml.source import Source


def _compose(text: str) -> Composed:
    return compose(Source("a.yaml", text))


def _plain(node: Node) -> object:
    """The tree as Python values."""
    if isinstance(node, Mapping):
        return {key: _plain(entry.value) for key, entry in node.entries.items()}
    if isinstance(node, Listing):
        return [_plain(item) for item in node.items]
    return node.value if isinstance(node, Scalar) else ...


def _codes(text: str) -> list[tuple[str, int, int]]:
    return [(p.code, p.place.line, p.place.column) for p in _compose(text).problems]


_TEXTS = st.text(
    st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"], exclude_characters="\x85\u2028\u2029\ufeff"),
    max_size=8,
)
_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**20), 10**20) | _TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_TEXTS, inner, max_size=3),
    max_leaves=12,
)


@given(
    st.dictionaries(_TEXTS, _VALUES, min_size=1, max_size=4),
    st.sampled_from([True, False, None]),
    st.sampled_from(['"', "'"]),
)
@settings(deadline=None)
def test_what_was_written_is_read(values: dict[str, object], flow: bool | None, quote: str) -> None:
    """Any tree of text keys and JSON values, written by another program in any style, is read back the same."""
    text = yaml.safe_dump(values, default_flow_style=flow, default_style=quote, allow_unicode=True, width=40)
    text = text.replace("!!null ", "").replace("!!bool ", "").replace("!!int ", "")
    composed = _compose(text)
    assert composed.root is not None
    assert _texts(_plain(composed.root)) == _texts(values)
    assert not composed.problems


def _texts(value: object) -> object:
    """Quoted scalars are texts."""
    if isinstance(value, dict):
        return {key: _texts(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_texts(inner) for inner in value]
    if value is None or isinstance(value, bool):  # no dict of these: 0 would find False
        return "null" if value is None else str(value).lower()
    return str(value)


@pytest.mark.parametrize("text", ["", "\n\n", "# only a comment\n", "---\n", "~", "null\n"])
def test_a_file_without_keys_is_fine(text: str) -> None:
    """Nothing, comments, or null: no keys and no problem."""
    assert _compose(text) == Composed(None, [], frozenset())


@pytest.mark.parametrize(
    ("text", "code", "line", "column"),
    [
        ("a: 1\nb: 2\na: 3", "duplicate-key", 3, 1),
        ("x: {a: 1, 'a': 2}", "duplicate-key", 1, 11),
        ("a: &x 1", "yaml-feature", 1, 4),
        ("a: *x", "yaml-feature", 1, 4),
        ("a: !!str 1", "yaml-feature", 1, 4),
        ("a: !t {b: c}", "yaml-feature", 1, 4),
        ("when: !has(a)", "mangled-condition", 1, 7),
        ("<<: {a: b}", "merge-key", 1, 1),
        ("1: a", "key-not-text", 1, 1),
        ("null: a", "key-not-text", 1, 1),
        ("x:\n  false: a", "key-not-text", 2, 3),
        ("? [a]\n: b", "key-not-text", 1, 3),
        ("a: 1\n---\nb: 2", "several-documents", 2, 1),
        ("a: 1\n...\nb: 2", "several-documents", 3, 1),
        ("- a", "no-keys", 1, 1),
        ("text", "no-keys", 1, 1),
        ("text: {{ a.b }}", "needs-quotes", 1, 7),
        ("a: " + "[" * limits.YAML_DEPTH, "too-deep", 1, 3 + limits.YAML_DEPTH),
    ],
)
def test_what_a_rule_file_may_not_use(text: str, code: str, line: int, column: int) -> None:
    """Each refusal has its own code, at its exact place, and is the only problem."""
    assert _codes(text) == [(code, line, column)]


def test_a_duplicate_names_the_first_place() -> None:
    """The second of two equal keys says where the first is, and the first is kept."""
    composed = _compose("a: 1\n\na: 2")
    assert composed.root is not None
    assert "line 1" in composed.problems[0].message
    assert _plain(composed.root) == {"a": 1}


def test_quoted_merge_signs_and_numbers_are_keys() -> None:
    """In quotes, `<<` and `1` are ordinary texts."""
    composed = _compose("'<<': a\n\"1\": b")
    assert not composed.problems


def test_as_deep_as_allowed() -> None:
    """One level less than the limit is read."""
    depth = limits.YAML_DEPTH - 1
    assert not _compose("a: " + "[" * depth + "]" * depth).problems


def test_reading_goes_on_behind_what_was_refused() -> None:
    """An anchored value is read, a tagged one stands as broken, everything else is as if nothing had been."""
    composed = _compose("a: &x {b: 1}\nc: *x\nd: !t 1\ne: 2")
    assert composed.root is not None
    assert _plain(composed.root) == {"a": {"b": 1}, "c": ..., "d": ..., "e": 2}
    assert isinstance(find(composed.root, ("d",))[1], Broken)


def test_kinds_have_names() -> None:
    """Every kind of node has its word for messages."""
    root = _compose("a: {}\nb: []\nc: x\nd: 1\ne: true\nf:").root
    assert root is not None
    kinds = [kind(entry.value) for entry in root.entries.values()]
    assert kinds == ["a block of keys", "a list", "a text", "a number", "a boolean", "nothing"]
