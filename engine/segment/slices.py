"""Where the parts of a JSON text begin and end, whatever stands in them. Pure.

A decoder that gives up at one bad message gives up the whole batch. This does not look at what strings, numbers and
words are: it finds brackets and commas, so that each part can be decoded, or refused, by itself.

1. The *shape* of a text is the text with blanks for what is inside its strings: every bracket, comma and colon that
   is left is structure, and stands where it stood.
2. An object or a list is cut at the commas of its first level. How deep its parts are nested costs nothing, and kinds
   of brackets are not compared: that is for whoever decodes the part.
3. All of it is a few passes of C over the text; only structural characters are looked at one by one.
"""

from collections.abc import Iterator
from itertools import compress, islice
from typing import Final

_OPENING: Final = b"{["
_CLOSING: Final = b"}]"
_BLANKS: Final = b" \t\r\n"
_ALL: Final = bytes(range(256))
_STRUCTURAL: Final = bytes(byte in b"{}[]," for byte in _ALL)
_OF_ONE_KIND: Final = bytes.maketrans(b"{}", b"[]")
_NO_BRACKETS: Final = bytes(byte for byte in _ALL if byte not in b"{}[]")


class NotClosed(ValueError):  # noqa: N818 - the name says what is wrong
    """The text is no object or list from its beginning to its end."""


def deeper_than(raw: bytes, most: int) -> bool:
    """Are objects and lists of this text nested more than `most` levels deep?"""
    if raw.count(b"{") + raw.count(b"[") <= most:
        return False
    brackets = _shape(raw).translate(_OF_ONE_KIND, _NO_BRACKETS)
    if brackets.count(b"[") != brackets.count(b"]"):
        return False  # it is no JSON, and its decoder will say so
    for _ in range(most):
        brackets = brackets.replace(b"[]", b"")  # the innermost level
    return bool(brackets)


def elements(raw: bytes, most: int) -> list[bytes]:
    """The elements of a list, each as it stands in the text; of more than `most` one more. Raises NotClosed."""
    found = islice(_parts(_shape(raw), b"["), most + 1)
    parts = [raw[begin:end].strip(_BLANKS) for begin, end in found]
    return [] if parts == [b""] else parts


def members(raw: bytes) -> dict[bytes, bytes]:
    """The members of an object by name, each as it stands in the text; the last of equal names. Raises NotClosed.

    A name is as it is written, between its quotes: who looks for one looks for the plain way to write it.
    """
    shape = _shape(raw)
    found: dict[bytes, bytes] = {}
    for begin, end in _parts(shape, b"{"):
        colon = shape.find(b":", begin, end)
        if colon >= 0:
            name = raw[begin:colon].strip(_BLANKS)
            found[name.removeprefix(b'"').removesuffix(b'"')] = raw[colon + 1 : end].strip(_BLANKS)
    return found


def _shape(raw: bytes) -> bytes:
    """The text with blanks for what is inside its strings, and as long."""
    pieces = raw.replace(rb"\\", b"  ").replace(rb"\"", b"  ").split(b'"')
    pieces[1::2] = [b" " * len(piece) for piece in pieces[1::2]]
    return b'"'.join(pieces)


def _parts(shape: bytes, opening: bytes) -> Iterator[tuple[int, int]]:
    """Begin and end of what stands between the commas of the first level. Raises NotClosed."""
    if not shape.lstrip(_BLANKS).startswith(opening):
        raise NotClosed
    depth = begin = 0
    for at in compress(range(len(shape)), shape.translate(_STRUCTURAL)):
        mark = shape[at]
        if mark in _OPENING:
            depth += 1
            begin = at + 1 if depth == 1 else begin
        elif mark in _CLOSING:
            depth -= 1
            if depth == 0:
                yield begin, at
                if shape[at + 1 :].strip(_BLANKS):
                    raise NotClosed
                return
        elif depth == 1:
            yield begin, at
            begin = at + 1
    raise NotClosed
