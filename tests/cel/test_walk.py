"""Ways over the tree."""

from engine.cel.parse import expression
from engine.cel.tree import Const, Ident, Select
from engine.cel.walk import children, depth, names, walk, walk_free
from engine.cel.wire import read


def test_parents_first_left_to_right() -> None:
    """A walk goes through the text in order."""
    root = read(expression("a + [b, {c: d}] + e.f(g)".replace("a", "1"), check=False))
    assert [node.name for node in walk(root) if isinstance(node, Ident)] == ["b", "c", "d", "e", "g"]
    assert next(iter(walk(root))) is root


def test_every_node_once() -> None:
    """A walk visits every node below every node, and none twice."""
    root = read(expression("[1, 2].map(x, x + 1).exists(y, has(traits.a) ? true : y == 1)"))
    nodes = list(walk(root))
    assert len({id(node) for node in nodes}) == len(nodes)
    assert {id(child) for node in nodes for child in children(node)} | {id(root)} == {id(node) for node in nodes}
    assert {type(node) for node in nodes} >= {Const, Ident, Select}


def test_free_names() -> None:
    """Names that the expression binds itself are not asked for; outside of the macro they are."""
    assert names(read(expression("traits.l.exists(page, page.x == visit.count)"))) == {"traits", "visit"}
    assert names(read(expression("page.l.exists(page, page.x == 1)"))) == {"page"}
    assert names(read(expression("cel.bind(now, page.url, now == 'x')"))) == {"page"}


def test_bound_names_are_told() -> None:
    """Within a macro its variable is bound."""
    root = read(expression("traits.l.all(x, x == 1)"))
    assert [bound for node, bound in walk_free(root) if isinstance(node, Ident) and node.name == "x"] == [
        frozenset({"x", "", "@result"})
    ]


def test_depth() -> None:
    """A leaf is one deep, and each level adds one."""
    assert [depth(read(expression(text))) for text in ("1", "-traits.a", "1 + 2 * 3")] == [1, 3, 3]
