"""What is known of a visitor before any comes: which terms are always there, and of what kind. Pure.

What lives here: facts of DESIGN 3 and 4 (a page view has a page, a declared trait its type) as `Known`. What may not:
proofs, messages.

1. A view has a page: `url`, `host`, `path`, `query`, `referrer` and `title` are always there, and so is `now`.
2. The roots are always maps, so what is asked of them is there or missing, never broken.
3. A declared trait has its type or is missing; one with a default is never missing.
"""

from collections.abc import Mapping

from engine.cel.scope import FIELDS, OPEN_MAP, TIMESTAMP
from engine.rules.doubts.atoms import Atom, Known, Path
from engine.rules.doubts.proofs import Background
from engine.words import TraitDeclaration

_KINDS = {"string": "string", "int": "number", "bool": "boolean", TIMESTAMP: "timestamp"}


def background(traits: Mapping[str, TraitDeclaration]) -> Background:
    """What is known of any term, under these declarations."""
    known: dict[Path, Known] = {
        (root, field): _field(root, kind) for root, fields in FIELDS.items() for field, kind in fields.items()
    }
    known["now",] = Known(frozenset({"timestamp"}), always=True, breakable=False)
    for name, trait in traits.items():
        kinds = frozenset({str(trait.type)}) if trait.type else None
        known["traits", name] = Known(kinds, always=trait.default is not None, breakable=False)

    def of(atom: Atom) -> Known:
        return _ANYTHING if atom.path is None else known.get(atom.path) or _unlisted(atom.path)

    return of


_ANYTHING = Known()
_IN_A_ROOT = Known(breakable=False)
_IN_THE_QUERY = Known(frozenset({"string"}), breakable=False)


def _field(root: str, kind: str) -> Known:
    kinds = frozenset({"map" if kind.startswith("map(") or kind == OPEN_MAP else _KINDS[kind]})
    return Known(kinds, always=root == "page", breakable=False)


def _unlisted(path: Path) -> Known:
    if path[:2] == ("page", "query"):
        return _IN_THE_QUERY if len(path) == 3 else _ANYTHING
    return _IN_A_ROOT if len(path) == 2 else _ANYTHING
