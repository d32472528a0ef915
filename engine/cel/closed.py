"""The fields of the closed roots: those that a condition asks for and that do not exist.

What lives here: finding `page.foo` in a tree, in each of the ways CEL can ask for a field. What may not: which
fields there are (that is `scope`).

1. `page.foo`, `has(page.foo)`, `page["foo"]`, `page.?foo`, `page[?"foo"]` and `"foo" in page` all ask for `foo`.
2. A name that a macro binds hides the root: `traits.pages.exists(page, page.foo == 1)` asks for no page.
"""

from collections.abc import Iterator

from engine.cel.errors import CelError
from engine.cel.scope import FIELDS, Scope
from engine.cel.tree import Call, Const, Ident, Node, Select
from engine.cel.walk import walk_free
from engine.problems import did_you_mean

_INDEXING = frozenset({"_[_]", "_[?_]", "_?._"})


def unknown_fields(text: str, root: Node, scope: Scope) -> list[CelError]:
    """One error for every field of a closed root that does not exist, at the field's name."""
    names = {name for name, _ in scope.names}
    found = []
    for node, bound in walk_free(root):
        for owner, field, near in asked(node):
            known = FIELDS.get(owner) if owner in names and owner not in bound else None
            if known is not None and field not in known:
                found.append(_unknown(text, owner, field, near))
    return found


def asked(node: Node) -> Iterator[tuple[str, str, int]]:
    """Root, field, and an offset at or before the field's name."""
    match node:
        case Select(operand=Ident(name=root), field=field):
            yield root, field, node.operand.offset
        case Call(function=function, args=(Ident(name=root), Const(value=str() as field))) if function in _INDEXING:
            yield root, field, node.args[0].offset
        case Call(function="@in", args=(Const(value=str() as field), Ident(name=root))):
            yield root, field, node.args[0].offset


def _unknown(text: str, owner: str, field: str, near: int) -> CelError:
    known = FIELDS[owner]
    at = text.find(field, max(0, near)) if field else -1
    if text.startswith(owner, near):  # the root's own name may hold the field's
        at = text.find(field, near + len(owner))
    hint = did_you_mean(field, known) or f"`{owner}` has {', '.join(f'`{name}`' for name in known)}"
    return CelError(max(0, near if at < 0 else at), max(1, len(field)), f"`{owner}` has no `{field}`", hint)
