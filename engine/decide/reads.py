"""What the experiences of a page ask of a visitor, so that nothing else need be read or made. Pure.

What lives here: the members that conditions, slots and draws name. What may not: what a stored profile looks like
(`profiles.read`), values.

1. A condition that names a member of a map asks for that member, also where it only asks whether it is there. One
   that uses a map in any other way (as a whole, in a loop, by a key that is made first) asks for all of it. Naming one
   too many costs time, naming one too few would be wrong.
2. A slot asks for the first key of its path. A trait's declaration asks for nothing.
3. `split_by` asks for the id of the user or the account; a slot or a condition cannot.
4. What a segment asks for is found once, from its trees, and kept from one ruleset to the next (`Readings`).
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Final, TypeAlias

from engine.cel.scope import ROOTS
from engine.cel.tree import Call, Const, Ident, Node, Select
from engine.cel.walk import children
from engine.cel.wire import read
from engine.compile.pieces import Meaning, meaning
from engine.profiles.read import Names, Wanted
from engine.words import Condition, Experience, Segment, Slot

Path: TypeAlias = tuple[str, ...]  # a root, or a root with a member; of `salesforce` a record and its field
Paths: TypeAlias = frozenset[Path]

_BY_KEY: Final = frozenset({"_[_]", "_?._", "_[?_]"})
_NESTED: Final = "salesforce"


class Readings:
    """What the segments of a ruleset ask for, by what they mean; taken over from `before` until `alone`."""

    def __init__(self, before: "Readings | None" = None) -> None:
        self._known: dict[Meaning, Paths] = {}
        self._same: dict[Paths, Paths] = {}
        self._by_experience: dict[str, Paths] = {}
        self._before = before

    def alone(self) -> None:
        """Forget those before."""
        self._before = None

    def parts(self) -> Iterator[object]:
        """What it is made of, in parts that are freed quickly."""
        yield from self._known.values()

    def of(self, experiences: Iterable[Experience], segments: Mapping[str, Segment]) -> Paths:
        """What conditions and slots of these experiences of one ruleset ask for."""
        return frozenset().union(*{self._of_experience(experience, segments) for experience in experiences})

    def _of_experience(self, experience: Experience, segments: Mapping[str, Segment]) -> Paths:
        paths = self._by_experience.get(experience.key)
        if paths is None:
            asked = {_cut(slot.path) for slot in _slots(experience)}
            asked.update(*(self._of_segment(segments[audience.segment]) for audience in experience.audiences))
            paths = frozenset(asked)
            self._by_experience[experience.key] = paths = self._same.setdefault(paths, paths)
        return paths

    def _of_segment(self, segment: Segment) -> Paths:
        known = meaning(segment)
        paths = self._known.get(known)
        if paths is None and self._before is not None:
            paths = self._before._known.get(known)
        if paths is None:
            paths = frozenset(path for condition in (*segment.when, *segment.excepts) for path in _asked(condition))
        self._known[known] = paths = self._same.setdefault(paths, paths)
        return paths


def wanted(experiences: Iterable[Experience], paths: Paths) -> Wanted:
    """The parts of a profile that decide between these experiences, which ask for these paths."""
    split_by = {experience.split_by for experience in experiences}
    return Wanted(
        traits=members(paths, ("traits",)),
        account=members(paths, ("account",)),
        lead=members(paths, (_NESTED, "lead")),
        contact=members(paths, (_NESTED, "contact")),
        user_id="user" in split_by,
        account_id="account" in split_by,
    )


def members(paths: Paths, of: Path) -> Names:
    """The names right below `of` that are asked for; None where it is asked for as a whole, or what it lies in."""
    if any(of[: len(path)] == path for path in paths):
        return None
    return frozenset(path[len(of)] for path in paths if path[: len(of)] == of)


def _asked(condition: Condition) -> Iterator[Path]:
    """The longest paths in the condition. A loop's own variable with a root's name only makes it one too many."""
    waiting = [read(condition.checked)]
    while waiting:
        node = waiting.pop()
        path = _path(node)
        if path is None:
            waiting += children(node)
        elif path[0] in ROOTS:
            yield _cut(path)


def _path(node: Node) -> Path | None:
    """The node as a name and literal keys; None for anything else."""
    match node:
        case Ident(name=name):
            return (name.removeprefix("."),)
        case Select(operand=of, field=key):
            return _step(of, key)
        case Call(function=function, args=(of, Const(value=str(key)))) if function in _BY_KEY:
            return _step(of, key)
        case Call(function="@in", args=(Const(value=str(key)), of)):
            return _step(of, key)
    return None


def _step(of: Node, key: str) -> Path | None:
    before = _path(of)
    return None if before is None else (*before, key)


def _cut(path: Path) -> Path:
    """No further than members are told apart."""
    return path[: 3 if path[0] == _NESTED else 2]


def _slots(experience: Experience) -> Iterator[Slot]:
    for change in (c for audience in experience.audiences for variant in audience.variants for c in variant.changes):
        templates = [change.text, change.html, change.redirect, *change.attributes.values()]
        templates.append(change.insert.html if change.insert else None)
        yield from (part for template in templates for part in template or () if isinstance(part, Slot))
