"""Checked bytes into the tree and back."""

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.cel.oracle import prepare
from engine.cel.parse import expression
from engine.cel.scope import VISIT, environment
from engine.cel.tree import Call, Comprehension, Const, Ident, MakeList, MakeMap, Node, Select, UInt
from engine.cel.walk import walk, walk_free
from engine.cel.wire import NotChecked, cut, read

BINDINGS = {"traits": {"a": "é", "b": [1, 2]}, "now": datetime(2026, 1, 1, tzinfo=UTC)}

EVERY_KIND = [
    'traits.a == "é😀" && traits.b.exists(x, x > 1u)',
    '{"a": [1, ?traits.?b], 1: 2.5}.a == [1, [1, 2]]',
    "cel.bind(x, -1, x == 1)",
    'now - duration("1s") > timestamp("2026-01-01T00:00:00Z")',
    "google.protobuf.Int64Value{value: 3} == null",
    "type(b'x') == bytes",
    'has(traits.a) ? true : "a" in traits',
    "[1, 2].map(x, x * 2) == [2, 4]",
    "{'a': 1}.all(k, k == 'a') && !false",
]


def tree(text: str) -> Node:
    """The tree of an expression."""
    return read(expression(text))


def test_constants() -> None:
    """Every kind of constant keeps its kind and its value."""
    root = tree('[null, true, -9223372036854775808, 18446744073709551615u, 1.5, "é", b"\\xff"]')
    assert isinstance(root, MakeList)
    constants = [node for node in root.elements if isinstance(node, Const)]
    assert [node.value for node in constants] == [None, True, -(2**63), 2**64 - 1, 1.5, "é", b"\xff"]
    assert type(constants[3].value) is UInt
    assert [node.type for node in constants] == ["null_type", "bool", "int", "uint", "double", "string", "bytes"]


def test_names_and_fields() -> None:
    """A path is selects over a name, and `has` is a select that only tests."""
    root = tree("has(traits.company.name)")
    assert isinstance(root, Select)
    assert (root.field, root.test_only, root.type) == ("name", True, "bool")
    assert isinstance(root.operand, Select)
    assert (root.operand.field, root.operand.test_only, root.operand.type) == ("company", False, "dyn")
    assert isinstance(root.operand.operand, Ident)
    assert (root.operand.operand.name, root.operand.operand.type) == ("traits", "map(string, dyn)")


def test_calls() -> None:
    """Operators have CEL's own names; a method has a target."""
    root = tree('traits.name.startsWith("A") || 1 in [1]')
    assert isinstance(root, Call)
    method, contained = root.args
    assert isinstance(method, Call)
    assert isinstance(contained, Call)
    assert (root.function, root.target, method.function, contained.function) == ("_||_", None, "startsWith", "@in")
    assert isinstance(method.target, Select)


def test_maps_messages_and_optionals() -> None:
    """Optional entries and elements are marked; a message has its name and its fields as text."""
    made = tree('{"a": 1, ?"b": traits.?b}')
    assert isinstance(made, MakeMap)
    assert [optional for _, _, optional in made.entries] == [False, True]
    listed = tree("[1, ?traits.?b]")
    assert isinstance(listed, MakeList)
    assert listed.optional_indices == (1,)
    message = tree("google.protobuf.Timestamp{seconds: 1}")
    assert isinstance(message, MakeMap)
    assert message.message_name == "google.protobuf.Timestamp"
    assert [key.value for key, _, _ in message.entries if isinstance(key, Const)] == ["seconds"]


def test_comprehension() -> None:
    """A macro is a comprehension with its variables."""
    root = tree("[1].exists(x, x == 1)")
    assert isinstance(root, Comprehension)
    assert (root.iter_var, root.iter_var2, root.accu_var, root.type) == ("x", "", "@result", "bool")


@pytest.mark.parametrize(
    ("text", "type_"),
    [
        ("now", "google.protobuf.Timestamp"),
        ('duration("1s")', "google.protobuf.Duration"),
        ('["a"]', "list(string)"),
        ("{1: 2.0}", "map(int, double)"),
        ("optional.of(1u)", "optional_type(uint)"),
        ("type(1)", "type(int)"),
        ("google.protobuf.Int64Value{}", "wrapper(int)"),
        ("google.protobuf.Any{}", "google.protobuf.Any"),
        ("google.protobuf.Struct{}", "map(string, dyn)"),
        ("traits.x", "dyn"),
    ],
)
def test_types(text: str, type_: str) -> None:
    """Types read as CEL writes them."""
    assert tree(text).type == type_


def test_offsets_count_code_points() -> None:
    """Positions count characters, whatever stands before the node, over lines as well."""
    text = '"é😀" == traits.a &&\n  "日本" == page.title'
    names = {node.name: node.offset for node in walk(tree(text)) if isinstance(node, Ident)}
    assert names == {"traits": text.index("traits"), "page": text.index("page")}


@pytest.mark.parametrize("text", EVERY_KIND)
def test_a_part_evaluates_as_itself(text: str) -> None:
    """`cut` gives the part, with its types: of every node outside of a macro the reference has the same value."""
    checked = expression(text)
    root = read(checked)
    assert prepare(cut(checked, root)).value(BINDINGS) == prepare(checked).value(BINDINGS)
    for node, bound in walk_free(root):
        if bound:
            continue
        part = read(cut(checked, node))
        assert (part.id if node.raw[:1] != b"\x1a" else node.id, part.type) == (node.id, node.type) or part.id == 0
        environment(VISIT).deserialize(cut(checked, node))


def test_unchecked_expressions_are_read_as_well() -> None:
    """What was only parsed has no types, and is otherwise the same."""
    root = read(expression("[1] == [1.0]", check=False))
    assert isinstance(root, Call)
    assert {node.type for node in walk(root)} == {"dyn"}
    assert root.offset == 4


@given(st.binary(max_size=200))
def test_other_bytes_are_refused(data: bytes) -> None:
    """Bytes that are no expression raise `NotChecked` and nothing else."""
    with pytest.raises(NotChecked):
        read(data)


@given(st.data())
def test_damaged_bytes_are_read_or_refused(data: Any) -> None:
    """One changed byte, or a cut-off end, gives a tree or `NotChecked`."""
    checked = bytearray(expression(data.draw(st.sampled_from(EVERY_KIND))))
    checked[data.draw(st.integers(0, len(checked) - 1))] = data.draw(st.integers(0, 255))
    try:
        root = read(bytes(checked[: data.draw(st.integers(0, len(checked)))]))
    except NotChecked:
        return
    assert list(walk(root))
