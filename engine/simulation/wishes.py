"""Facts for which conditions hold, found by trying. Pure.

What lives here: the search. What may not: what a condition means (the reference implementation is asked), which values
are tried (`values`).

1. Conditions are taken apart at their `&&`; the more parts hold, the nearer. From any facts on, one after the other is
   changed, and the change is kept unless it leads away.
2. That is soon there for what people write. What is not found within some tries is left: nobody is promised that
   there is a way, or that a visitor could have what it takes.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import Any, Final, TypeAlias

from engine.cel.scope import Scope
from engine.cel.wire import read
from engine.compile.reference import Reference
from engine.rules.doubts.celtext import conjuncts
from engine.simulation.chance import Chance
from engine.simulation.values import Facts, Path, Pool
from engine.words import Condition

RootsOf: TypeAlias = Callable[[Facts], Sequence[Any]]

_BEGINNINGS: Final = 12
_IN_VAIN: Final = 4  # beginnings without an end, then there is none
_STEPS: Final = 400
_KEPT: Final = 8


class Wish:
    """That all of `when` is true and none of `excepts`."""

    def __init__(self, when: Iterable[Condition], excepts: Iterable[Condition], scope: Scope) -> None:
        wanted = [(one, part) for one in when for part in conjuncts(read(one.checked))]
        self._wanted = [Reference(one.checked, part, scope) for one, part in wanted]
        self._unwanted = [Reference(one.checked, read(one.checked), scope) for one in excepts]
        self.most = len(self._wanted) + len(self._unwanted)

    def held(self, roots: Sequence[Any]) -> int:
        """How many parts are as they should be; all of them are `most`."""
        right = sum(part(*roots) is True for part in self._wanted)
        return right + sum(part(*roots) is not True for part in self._unwanted)


def fulfilments(wish: Wish, pool: Pool, roots_of: RootsOf, chance: Chance) -> list[dict[Path, Any]]:
    """Some facts for which the wish comes true, each other than the rest; none where none was found."""
    found: dict[str, dict[Path, Any]] = {}
    for beginning in range(_BEGINNINGS):
        if beginning == _IN_VAIN and not found:
            break
        facts = _climbed(wish, pool, roots_of, chance)
        if facts is not None:
            found[repr(sorted(facts.items(), key=repr))] = facts
        if len(found) == _KEPT:
            break
    return list(found.values())


def drawn(pool: Pool, chance: Chance) -> dict[Path, Any]:
    """Any facts: about half of them, with any value."""
    return {path: chance.choice(values) for path, values in pool.items() if chance.random() < 0.5}


def _climbed(wish: Wish, pool: Pool, roots_of: RootsOf, chance: Chance) -> dict[Path, Any] | None:
    paths = list(pool)
    facts = drawn(pool, chance)
    held = wish.held(roots_of(facts))
    for _ in range(_STEPS if paths else 0):
        if held == wish.most:
            break
        path = chance.choice(paths)
        tried = {name: value for name, value in facts.items() if name != path}
        if chance.random() < 0.85:
            tried[path] = chance.choice(pool[path])
        now = wish.held(roots_of(tried))
        if now >= held:
            facts, held = tried, now
    return facts if held == wish.most else None
