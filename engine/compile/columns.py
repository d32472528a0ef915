"""For the rows of one block: which of them let each class of a term's values through, as bits.

What lives here: `Column` and `Marks`, and how they are built. What may not: what a class is (`classes`), who a row is.

1. A row is a bit. A row that does not ask a term has its bit in every mask of that term, so a visit is one look-up and
   one AND a term.
2. Masks are made in a bytearray, where a row is turned by one byte, and become a number once: a number turned bit by
   bit would be copied for each. Classes that the same rows let through share one number.
3. A column is a list by class. Questions of which several hold at once (patterns, what a container holds) have no
   class: their `Marks` begin with what passes where none holds, add rows and take rows away.
"""

from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, TypeAlias

from engine.compile.classes import Classes, Held, Prefixes
from engine.compile.patterns import Patterns, positive
from engine.compile.ranges import Ranges
from engine.compile.values import Atom, Kind, Values

Bits: TypeAlias = Sequence[int]
Asking: TypeAlias = Mapping[Values, Bits]
"""The bits of the rows that ask a term, by what they let through."""

Column: TypeAlias = list[int]


class _Mask:
    """A mask in the making."""

    def __init__(self, whole: int, bits: int, without: Iterable[Bits]) -> None:
        self._bytes = bytearray(whole.to_bytes(bits // 8 + 1, "little"))
        for some in without:
            self.turn(some)

    def turn(self, bits: Bits) -> None:
        """These bits, the other way round."""
        mask = self._bytes
        for bit in bits:
            mask[bit >> 3] ^= 1 << (bit & 7)

    def turned(self, bits: Bits) -> int:
        """The mask with these bits the other way round."""
        self.turn(bits)
        mask = self.number()
        self.turn(bits)
        return mask

    def number(self) -> int:
        """The mask."""
        return int.from_bytes(self._bytes, "little")


def column(classes: Classes, asking: Asking, bits: int) -> Column:
    """For every class, the rows that let it through, of a block of so many bits."""
    whole = (1 << bits) - 1
    if not asking:
        return [whole] * (classes.open + 1)
    free = _Mask(whole, bits, asking.values()).number()
    masks = [
        *_swept(classes.numbers, [(values.numbers, some) for values, some in asking.items()], free, bits),
        *_swept(classes.times, [(values.times, some) for values, some in asking.items()], free, bits),
        *_swept(classes.spans, [(values.spans, some) for values, some in asking.items()], free, bits),
        *_named(classes, asking, free, bits),
    ]
    passing = ([some for values, some in asking.items() if kind in values.kinds] for kind in Kind)
    return [*masks, *(_Mask(free, bits, rows).number() for rows in passing), whole]


def _swept(points: Sequence[Any], asking: Sequence[tuple[Ranges, Bits]], free: int, bits: int) -> Column:
    """Along the line: every row turns where its ranges do."""
    turning: dict[Any, list[int]] = {}
    for ranges, some in asking:
        for point in ranges.points:
            turning.setdefault(point, []).extend(some)
    state = _Mask(free, bits, (some for ranges, some in asking if ranges.first))
    masks: Column = []
    mask = state.number()
    for point in sorted(turning):
        masks += [mask] * (bisect_left(points, point) + 1 - len(masks))
        state.turn(turning[point])
        mask = state.number()
    masks += [mask] * (len(points) + 1 - len(masks))
    return masks


def _named(classes: Classes, asking: Asking, free: int, bits: int) -> Column:
    """First what passes of texts without a name; a name turns the rows that name it."""
    turning: dict[str, list[int]] = {}
    for values, some in asking.items():
        for name in values.texts.names:
            turning.setdefault(name, []).extend(some)
    state = _Mask(free, bits, (some for values, some in asking.items() if not values.texts.inside))
    other = state.number()
    masks = [other] * (len(classes.names) + 1)
    made: dict[tuple[int, ...], int] = {}
    for name, some in turning.items():
        rows = tuple(some)
        if rows not in made:
            made[rows] = state.turned(rows)
        masks[classes.names[name] - classes.other_text] = made[rows]
    return masks


def prefix_column(prefixes: Prefixes, asking: Iterable[tuple[Atom, Bits]], bits: int) -> Column:
    """For every longest prefix, the rows that let it through; each row asks one prefix."""
    whole = (1 << bits) - 1
    turning: dict[int, list[int]] = {}
    wanting: list[Bits] = []
    for atom, some in asking:
        turning.setdefault(prefixes.numbers[atom.constant.value], []).extend(some)
        if atom.holds:
            wanting.append(some)
    state = _Mask(whole, bits, wanting)
    turned = ([bit for one in prefixes.all_of(n) for bit in turning.get(one, ())] for n in range(prefixes.none))
    return [*map(state.turned, turned), state.number(), whole]


class Marks:
    """What passes of questions of which several may hold at once."""

    def __init__(self, asking: Iterable[tuple[Iterable[int], bool, Bits]], bits: int) -> None:
        """`asking`: the numbers of questions, whether one of them is to hold or none, and the rows that ask it."""
        asked = list(asking)
        self._whole = (1 << bits) - 1
        self._begin = _Mask(self._whole, bits, (some for _, holds, some in asked if holds)).number()
        self._adding = _by_question(((n, some) for numbers, holds, some in asked if holds for n in numbers), bits)
        self._taking = _by_question(((n, some) for numbers, holds, some in asked if not holds for n in numbers), bits)

    def of(self, holding: Iterable[int] | None) -> int:
        """The rows that let a value through of which these questions hold; all where nothing can be asked."""
        if holding is None:
            return self._whole
        added, taken = self._begin, 0
        for number in holding:
            added |= self._adding.get(number, 0)
            taken |= self._taking.get(number, 0)
        return added ^ taken


def _by_question(asking: Iterable[tuple[int, Bits]], bits: int) -> dict[int, int]:
    rows: dict[int, list[int]] = {}
    for number, some in asking:
        rows.setdefault(number, []).extend(some)
    return {number: _Mask(0, bits, [some]).number() for number, some in rows.items()}


def pattern_marks(patterns: Patterns, asking: Iterable[tuple[Atom, Bits]], bits: int) -> Marks:
    """The rows that ask a pattern of a text; each asks one."""
    return Marks((((patterns.numbers[positive(atom)],), atom.holds, some) for atom, some in asking), bits)


def held_marks(held: Held, asking: Asking, bits: int) -> Marks:
    """The rows that ask what a container holds."""
    wanted = [(values.held, some) for values, some in asking.items() if values.held is not None]
    return Marks((([held.numbers[name] for name in one.names], one.some, some) for one, some in wanted), bits)
