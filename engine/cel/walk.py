"""Ways over the tree: children, every node, free names. What may not live here: meaning.

1. Order is the order of the text as far as the tree keeps it: a parent before its children, left before right.
2. No recursion: the parser bounds the depth, but a walk should not have to rely on it.
"""

from collections.abc import Iterator

from engine.cel.tree import Call, Comprehension, Const, Ident, MakeList, MakeMap, Node, Select


def children(node: Node) -> tuple[Node, ...]:
    """The nodes right below a node."""
    match node:
        case Const() | Ident():
            return ()
        case Select():
            return (node.operand,)
        case Call():
            return node.args if node.target is None else (node.target, *node.args)
        case MakeList():
            return node.elements
        case MakeMap():
            return tuple(part for key, value, _ in node.entries for part in (key, value))
        case Comprehension():
            return (
                node.iter_range,
                node.accu_init,
                node.loop_condition,
                node.loop_step,
                node.result,
            )


def walk(node: Node) -> Iterator[Node]:
    """The node and everything below it, parents first."""
    waiting = [node]
    while waiting:
        next_ = waiting.pop()
        yield next_
        waiting.extend(reversed(children(next_)))


def walk_free(node: Node) -> Iterator[tuple[Node, frozenset[str]]]:
    """Every node, each with the names that comprehensions around it bind; those hide the roots of the same name."""
    waiting: list[tuple[Node, frozenset[str]]] = [(node, frozenset())]
    while waiting:
        next_, bound = waiting.pop()
        yield next_, bound
        waiting.extend(reversed([(child, bound | inner) for child, inner in _scoped(next_)]))


def _scoped(node: Node) -> list[tuple[Node, frozenset[str]]]:
    """The children, each with the names that the node binds for it."""
    if not isinstance(node, Comprehension):
        return [(child, frozenset()) for child in children(node)]
    result = frozenset({node.accu_var})
    loop = result | {node.iter_var, node.iter_var2}
    outside: frozenset[str] = frozenset()
    return [
        (node.iter_range, outside),
        (node.accu_init, outside),
        (node.loop_condition, loop),
        (node.loop_step, loop),
        (node.result, result),
    ]


def names(node: Node) -> frozenset[str]:
    """The names that the expression asks for and does not bind itself."""
    return frozenset(part.name for part, bound in walk_free(node) if isinstance(part, Ident) and part.name not in bound)


def depth(node: Node) -> int:
    """How many nodes the longest way down has."""
    deepest, level = 0, [node]
    while level:
        deepest += 1
        level = [child for parent in level for child in children(parent)]
    return deepest
