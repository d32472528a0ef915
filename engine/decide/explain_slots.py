"""The variant that a visitor sees, and where the value of each of its slots came from.

What lives here: finding the slots of a variant, and saying which of value, default and nothing was written. What may
not: escaping or filling; both are `render.py`'s own functions, asked one slot at a time.
"""

from collections.abc import Iterator

import msgspec

from engine.cel.scope import ROOTS
from engine.decide.coerce import in_words
from engine.decide.escape import Escape
from engine.decide.explain_facts import Facts, in_sentence
from engine.decide.explanation import Fact, Inserted, Shown, readable
from engine.decide.render import Roots, escape_at, filler
from engine.rules.notation.slots import shown as path_in_words
from engine.words import Change, Slot, Template, Variant

_SPOTS = {
    "text": "a text", "attribute": "an attribute", "html": "HTML", "html-attribute": "an attribute in HTML",
    "url-start": "a URL", "html-url-start": "a URL", "url-part": "a part of a URL", "html-url-part": "a part of a URL",
}  # fmt: skip


def shown(variant: Variant, body: bytes, facts: Facts, roots: Roots) -> Shown:
    """The variant as it goes out in `body` (an entry on the wire), with its slots explained.

    `roots` are those that slots see.
    """
    changes = msgspec.json.decode(body, type=dict[str, msgspec.Raw])["changes"]
    slots = (inserted for change in variant.changes for inserted in _inserted(change, facts, roots))
    return Shown(variant.key, changes, tuple(slots))


def templates(change: Change) -> Iterator[tuple[str, Template]]:
    """The templates of a change, each with the name of what it sets."""
    named = {"text": change.text, "html": change.html}
    yield from ((name, template) for name, template in named.items() if template is not None)
    yield from change.attributes.items()
    if change.insert is not None:
        yield f"insert {change.insert.position}", change.insert.html
    if change.redirect is not None:
        yield "redirect", change.redirect


def _inserted(change: Change, facts: Facts, roots: Roots) -> Iterator[Inserted]:
    for name, template in templates(change):
        where = f"{change.selector} {name}" if change.selector is not None else name
        for index, slot in enumerate(template):
            if isinstance(slot, Slot):
                yield _explained(where, slot, escape_at(template, index), facts.at(slot.path), roots)


def _explained(where: str, slot: Slot, escape: Escape, fact: Fact, roots: Roots) -> Inserted:
    written = msgspec.json.decode(b'"' + filler(slot, escape)(roots) + b'"', type=str)
    refused = _refused(slot, escape, roots)
    if not refused:
        return Inserted(where, fact, "value", written, "the visitor's value")
    if written:
        return Inserted(where, fact, "default", written, f"the slot's default, since {refused}")
    return Inserted(where, fact, "nothing", written, f"nothing, since {refused}, and no default can stand here")


def _refused(slot: Slot, escape: Escape, roots: Roots) -> str:
    """Why the visitor's value is not written; empty where it is. The same questions as `render.filler` asks."""
    value = roots[ROOTS.index(slot.path[0])]
    for key in slot.path[1:]:
        value = value.get(key) if type(value) is dict else None
    if value is None:
        return f"`{path_in_words(slot.path)}` is not known"
    words = in_words(value)
    if words is None:
        return f"the value is {in_sentence(value)}, which is no text"
    if not words or words.isspace():
        return "the value is an empty text"
    try:
        escaped = escape(words)
        readable_all = escaped is not None and bool(msgspec.json.encode(escaped))
    except UnicodeEncodeError:
        return "the value holds half a character"
    return "" if readable_all else f"{readable(in_sentence(value))} may not stand in {_SPOTS[slot.spot]}"
