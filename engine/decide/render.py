"""A variant's bytes, made when the ruleset is taken; a visitor only fills its slots (DESIGN section 4 "Render").

What lives here: the JSON of one decision entry, in DESIGN's key order, cut at its slots; filling them. What may not:
escaping rules (`escape.py`), choosing a variant, parsing templates.

1. An entry is a run of pieces: bytes that are the same for everybody, and fillers. Neighbouring bytes are one
   piece; an entry without a filler is one constant.
2. A filler looks its path up in the roots, writes the value in words, escapes it for its spot and then for the
   JSON text around it. Nothing to show (absent, empty or blank text, a list, a map) or refused: the slot's default,
   which is escaped like a value, when the ruleset is taken; without a default, nothing.
3. A URL that a slot begins goes on with literals. Where those hold a colon before the first `/`, `?` or `#`, a bare
   word in the slot would become a scheme, so the slot takes only values that settle the scheme by themselves, and
   slots between it and the colon take none. Where they begin with a slash, it does not take a lone `/`.
   (`rules.links` refuses most such URLs; this holds by itself.)
"""

from collections.abc import Callable, Iterable, Sequence
from itertools import groupby, takewhile
from typing import Any, Final, TypeAlias

import msgspec

from engine.cel.scope import ROOTS
from engine.decide.coerce import in_words
from engine.decide.escape import ESCAPES, Escape, before_slash, in_html, nothing, url_start_settled
from engine.words import Change, Insert, Slot, Template, Variant

Roots: TypeAlias = tuple[Any, ...]  # in the order of ROOTS
Filler: TypeAlias = Callable[[Roots], bytes]
Piece: TypeAlias = bytes | Filler
Member: TypeAlias = tuple[str, Sequence[Piece]]

EXPOSURE_EVENT: Final = "Mutiny Experience Viewed"


class Entry:
    """One entry of a decision, ready but for its slots."""

    __slots__ = ("_pieces", "constant")

    def __init__(self, pieces: Iterable[Piece]) -> None:
        self._pieces = tuple(_joined(pieces))
        # The whole entry where it has no slots, else None.
        self.constant = self._pieces[0] if len(self._pieces) == 1 and isinstance(self._pieces[0], bytes) else None

    def fill(self, roots: Roots) -> bytes:
        """The entry as it goes on the wire, for a visitor of whom `roots` are known."""
        return b"".join([piece if isinstance(piece, bytes) else piece(roots) for piece in self._pieces])


def personalized(experience: str, segment: str, variant: Variant) -> Entry:
    """The entry of one variant; `experience` and `segment` are the names that go out, not the keys."""
    return Entry(_entry(experience, segment, variant))


def control(experience: str, segment: str) -> bytes:
    """The entry of a control visitor: tracked like the other, and nothing changes."""
    return b"".join(piece for piece in _joined(_entry(experience, segment, None)) if isinstance(piece, bytes))


def _entry(experience: str, segment: str, variant: Variant | None) -> list[Piece]:
    seen: list[Member] = [
        ("experience", _json(experience)),
        ("audienceSegment", _json(segment)),
        ("personalized", _json(variant is not None)),
    ]
    track: list[Member] = [("event", _json(EXPOSURE_EVENT)), ("properties", _object(seen))]
    return _object(
        [
            *seen,
            ("variant", _json(variant.key if variant else None)),
            ("changes", _array([_change(change) for change in variant.changes] if variant else [])),
            ("track", _object(track)),
        ]
    )


def _change(change: Change) -> list[Piece]:
    members: list[Member] = []
    if change.selector is not None:
        members.append(("selector", _json(change.selector)))
    if change.text is not None:
        members.append(("text", _template(change.text)))
    if change.html is not None:
        members.append(("html", _template(change.html)))
    if change.attributes:
        attributes = [(name, _template(value)) for name, value in change.attributes.items()]
        members.append(("attributes", _object(attributes)))
    lists = {"add": change.classes_add, "remove": change.classes_remove}
    if any(lists.values()):
        members.append(("classes", _json({name: classes for name, classes in lists.items() if classes})))
    if change.style:
        members.append(("style", _json(change.style)))
    if change.remove:
        members.append(("remove", _json(change.remove)))
    if change.insert is not None:
        members.append(("insert", _insert(change.insert)))
    if change.redirect is not None:
        members.append(("redirect", _template(change.redirect)))
    return _object(members)


def _insert(insert: Insert) -> list[Piece]:
    return _object([("position", _json(insert.position)), ("html", _template(insert.html))])


def _template(template: Template) -> list[Piece]:
    pieces: list[Piece] = [b'"']
    for index, part in enumerate(template):
        if isinstance(part, Slot):
            pieces.append(filler(part, escape_at(template, index)))
        else:
            pieces.append(_inside_text(part))
    return [*pieces, b'"']


def filler(slot: Slot, escape: Escape) -> Filler:
    """What writes the slot's value, or its default, as it stands between the quotes of a JSON string."""
    root, keys = ROOTS.index(slot.path[0]), slot.path[1:]
    default = (escape(slot.default) if slot.default is not None else None) or ""
    default_bytes = _inside_text(default)

    def fill(roots: Roots) -> bytes:
        value = roots[root]
        for key in keys:
            if type(value) is not dict:
                return default_bytes
            value = value.get(key)
        words = in_words(value)
        if words is None or not words or words.isspace():
            return default_bytes
        try:
            escaped = escape(words)
            return default_bytes if escaped is None else _inside_text(escaped)
        except UnicodeEncodeError:  # half a character (a lone surrogate): no text that could be sent
            return default_bytes

    return fill


def escape_at(template: Template, index: int) -> Escape:
    """The escape of the slot at this place of a template."""
    slot = template[index]
    if not isinstance(slot, Slot):
        raise TypeError(f"expected a slot at {index}, got text")
    return _escape(slot, template[:index], template[index + 1 :])


def _escape(slot: Slot, before: Template, after: Template) -> Escape:
    """The escape for the slot's spot, made stricter where what stands around it asks for that."""
    escape = ESCAPES[slot.spot]
    if "url" not in slot.spot:
        return escape
    in_fragment = slot.spot.startswith("html-")
    goes_on = "".join(part for part in after if isinstance(part, str))
    open_scheme = _may_end_a_scheme(goes_on, ":&" if in_fragment else ":")
    if slot.spot.endswith("url-part"):
        # Behind slots alone, all of which may be empty, this one would begin the URL.
        slots = takewhile(lambda part: isinstance(part, Slot), reversed(before))
        begins = any(isinstance(part, Slot) and part.spot.endswith("url-start") for part in slots)
        return nothing if open_scheme and begins else escape
    if open_scheme:
        escape = in_html(url_start_settled) if in_fragment else url_start_settled
    return before_slash(escape) if goes_on.startswith(("/", "\\")) else escape


def _may_end_a_scheme(text: str, marks: str) -> bool:
    """Could a word in front of this become a scheme? Slots in between are components, which hold no mark."""
    for character in text:
        if character in "/?#\"'":
            return False
        if character in marks:
            return True
    return False


def _inside_text(text: str) -> bytes:
    """The text as it stands between the quotes of a JSON string."""
    return msgspec.json.encode(text)[1:-1]


def _json(value: object) -> list[Piece]:
    return [msgspec.json.encode(value)]


def _object(members: Iterable[Member]) -> list[Piece]:
    inner = [[*_json(name), b":", *value] for name, value in members]
    return [b"{", *_with_commas(inner), b"}"]


def _array(elements: Iterable[Sequence[Piece]]) -> list[Piece]:
    return [b"[", *_with_commas(elements), b"]"]


def _with_commas(elements: Iterable[Sequence[Piece]]) -> list[Piece]:
    pieces: list[Piece] = []
    for element in elements:
        pieces += [b",", *element] if pieces else element
    return pieces


def _joined(pieces: Iterable[Piece]) -> list[Piece]:
    """The same pieces, neighbouring bytes as one."""
    joined: list[Piece] = []
    for constant, run in groupby(pieces, lambda piece: isinstance(piece, bytes)):
        if constant:
            joined.append(b"".join(piece for piece in run if isinstance(piece, bytes)))
        else:
            joined.extend(run)
    return joined
