"""What an id may be, and the key of the record that stands under it. Pure.

1. There is one record for each identity: a kind and an id. Ids of different kinds never meet: user `7` and
   group `7` are two records.
2. A `Key` is the kind's letter, a colon and the id in UTF-8: `v:b5c9…`. Every store keeps its records under
   these bytes, so a scan of one kind is a scan of one prefix, and keys read well in any store's own tools.
3. A visitor id comes from a cookie that anybody can write, so it is held to a small alphabet. Other ids are
   whatever the customer's systems use: any text of at most `limits.ID_BYTES` bytes.
4. The kind `name` is nobody's: under `trait:plan` or `event:Signed Up` it is kept when that name was first and last
   seen, and from which sources.
"""

import re  # noqa: TID251 - one pattern of ours, which takes no more steps than an id has characters
from typing import Final, Literal, NewType

from engine.limits import ID_BYTES, VISITOR_ID_CHARS

Kind = Literal["visitor", "anonymous", "user", "group", "lead", "contact", "name"]
Key = NewType("Key", bytes)

_LETTERS: Final[dict[Kind, bytes]] = {
    "visitor": b"v:",
    "anonymous": b"a:",
    "user": b"u:",
    "group": b"g:",
    "lead": b"l:",
    "contact": b"c:",
    "name": b"n:",
}
_KINDS: Final[dict[bytes, Kind]] = {letter: kind for kind, letter in _LETTERS.items()}
_KEY_BYTES: Final = 2 + ID_BYTES
VISITOR_ID_PATTERN: Final = f"[A-Za-z0-9._:-]{{1,{VISITOR_ID_CHARS}}}"
_visitor_id: Final = re.compile(VISITOR_ID_PATTERN).fullmatch


class BadId(ValueError):
    """An id that cannot be one: empty, too long, or not encodable as UTF-8."""


def is_visitor_id(text: str) -> bool:
    """1 to 128 of `A-Za-z0-9._:-`."""
    return _visitor_id(text) is not None


def key(kind: Kind, id_: str) -> Key:
    """The key of the record of this identity. Raises BadId."""
    try:
        raw = _LETTERS[kind] + id_.encode()
    except UnicodeEncodeError:
        raise BadId(f"the {kind} id is no valid Unicode text") from None
    if 2 < len(raw) <= _KEY_BYTES:
        return Key(raw)
    raise BadId(f"the {kind} id is empty" if len(raw) == 2 else f"the {kind} id is longer than {ID_BYTES} bytes")


def prefix(kind: Kind) -> bytes:
    """What every key of this kind starts with."""
    return _LETTERS[kind]


def kind_of(key_: Key) -> Kind:
    """The kind of identity that the record under this key belongs to."""
    return _KINDS[key_[:2]]


def id_of(key_: Key) -> str:
    """The id that this key was made of."""
    return key_[2:].decode()
