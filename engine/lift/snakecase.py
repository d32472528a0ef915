"""Names as Segment's warehouse destination spells them (go-snakecase): an event's table, a property's column. Pure.

1. A word is capitals and digits, then small letters and digits; words are joined by `_`, in small letters. So
   `audienceSegment` is `audience_segment`, `A/B Test` `a_b_test`, and `isVIPUser` `is_vipuser`.
2. Letters that are not ASCII are dropped; other characters only part words.
3. A name that is snake case already stays as it is.
4. A table or a column whose name would begin with a digit has `_` before it.
"""

from typing import Final

import re2

_SNAKE: Final = re2.compile(r"[a-z][a-z0-9]*(?:_[a-z0-9]+)*")
_WORD: Final = re2.compile(r"[A-Z0-9]+[a-z0-9]*|[a-z][a-z0-9]*")


def snakecase(name: str) -> str:
    """The name; empty for a name without any letter or digit that is kept."""
    if _SNAKE.fullmatch(name):
        return name
    kept = "".join(letter for letter in name if letter.isascii())
    return "_".join(word.lower() for word in _WORD.findall(kept))


def stored_name(*path: str) -> str:
    """The table of an event, the column of a property and of one within another."""
    name = "_".join(map(snakecase, path))
    return f"_{name}" if name[:1].isdigit() else name
