"""What is wrong with a condition, and where. What may not live here: finding it out.

1. Places are offsets in code points from the first character of the condition's text; whoever knows where the
   text stands in a file turns them into line and column.
2. `message` says what is wrong, `hint` what would be right; both are whole, plain and without the names of C++.
"""

from collections.abc import Iterable

from msgspec import Struct

from engine.cel.tokens import Token


class CelError(Struct, frozen=True):
    """One mistake: where it begins, how many characters it spans (at least 1), what and what instead."""

    offset: int
    width: int
    message: str
    hint: str = ""


class CelErrors(ValueError):
    """Everything that is wrong with a condition, in the order of its text; never empty."""

    def __init__(self, errors: Iterable[CelError]) -> None:
        self.errors = tuple(sorted(errors, key=lambda error: error.offset))
        super().__init__("; ".join(error.message for error in self.errors))


def at(token: Token, message: str, hint: str = "") -> CelError:
    """A mistake that spans one token."""
    return CelError(offset=token.offset, width=len(token.text), message=message, hint=hint)


def between(first: Token, last: Token, message: str, hint: str = "") -> CelError:
    """A mistake that spans from one token to another."""
    return CelError(offset=first.offset, width=last.end - first.offset, message=message, hint=hint)
