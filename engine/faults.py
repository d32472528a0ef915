"""What of an exception may be told, in a log or in an answer. Pure.

What lives here: whose message may be read by whoever reads logs. What may not: logging itself.

No trait, email or id of a visitor stands in a log. Whoever logs sees to that; what nobody has in hand is the message of
an exception from elsewhere (`invalid literal for int(): '…'`). So the message stands only where the exception is ours
or the machine's (`OSError`); of others the type and the lines of code do.
"""

import traceback
from collections.abc import Iterator
from typing import Final

_WITHHELD: Final = "its message is left out, for it may hold what belongs to a visitor"


def may_be_told(error: BaseException) -> bool:
    """Is its message ours or the machine's? Others' may hold what belongs to a visitor."""
    return type(error).__module__.startswith("engine.") or isinstance(error, OSError)


def in_short(error: BaseException) -> str:
    """`OSError: data/events: No space left on device`: what may be told of an exception."""
    kind = type(error).__qualname__
    return f"{kind}: {error}" if may_be_told(error) else kind


def told(error: BaseException) -> str:
    """The traceback of an exception and of those behind it, the first one first, without what is not ours to tell."""
    return "\n".join(_told(error))


def _told(error: BaseException) -> Iterator[str]:
    behind = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    if behind is not None:
        yield from _told(behind)
        yield "\nand then:\n"
    yield "Traceback (most recent call last):"
    yield "".join(traceback.format_tb(error.__traceback__)).rstrip()
    yield f"{type(error).__qualname__}: {_message(error)}"
    for inner in error.exceptions if isinstance(error, BaseExceptionGroup) else ():
        yield "\none of them:\n"
        yield from _told(inner)


def _message(error: BaseException) -> str:
    return str(error) if may_be_told(error) else _WITHHELD
