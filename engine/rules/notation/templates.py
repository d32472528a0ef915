"""Texts with slots, made into `words.Template`: every slot with the spot that says how it is escaped. Pure.

What lives here: one function a place where a template may stand (text, html, attribute, redirect). What may not:
the grammar of slots (slots.py), walking HTML (markup.py), URLs' schemes (links.py), escaping (`engine.decide`).

1. slots.py cuts the text into literals and holes; here each hole gets its spot, or a mistake where none is safe.
2. HTML is walked as a browser would: a slot stands between tags or in a quoted attribute, nowhere else, and not
   where its text would be code (scripts, styles, `on…`, `srcdoc`) or load code (`<script src>`, `<base href>` …).
3. In an attribute that is a URL, links.py decides: whether the slot may stand there, and if it begins the URL.
4. What is static is looked at, too (inert.py): code is a mistake with and without slots.
"""

from collections.abc import Callable, Collection
from html import unescape
from typing import Literal as Lit
from typing import TypeAlias

import re2

from engine.rules.notation import inert, links, slots
from engine.rules.notation.markup import HOLE, Attribute, Walk
from engine.rules.notation.mistake import Mistake
from engine.rules.notation.slots import Hole, Literal, Path
from engine.words import Slot, Template

Read: TypeAlias = tuple[Template, list[Mistake]]
Spot: TypeAlias = Lit[
    "text", "html", "html-attribute", "attribute", "url-start", "url-part", "html-url-start", "html-url-part"
]

_LISTS = frozenset({"srcset", "imagesrcset"})
# What these load or set is code, or may become a link's target (SVG animations of `href`).
_LOADERS = frozenset(
    [
        "script",
        "link",
        "base",
        "object",
        "embed",
        "applet",
        "param",
        "meta",
        "animate",
        "set",
        "animatetransform",
        "animatemotion",
        "frameset",
    ]
)
_ENTITY = re2.compile(r"&#[xX]?[0-9A-Fa-f]*$")

_WHERE = {
    "tag": "inside of a tag",
    "attribute-name": "in an attribute's name",
    "unquoted": "in an attribute without quotes",
    "raw": "inside of `<{tag}>`",
    "comment": "in a comment",
}


def text(source: str, insertable: Collection[Path]) -> Read:
    """Plain text (`textContent`): slots may stand anywhere."""
    parts, mistakes = slots.cut(source, insertable)
    return _template(parts, lambda _: "text", mistakes), mistakes


def attribute(name: str, source: str, insertable: Collection[Path]) -> Read:
    """The value of the attribute that a change sets; mistakes about the name have the whole text as their place."""
    parts, mistakes = slots.cut(source, insertable)
    name = name.lower()
    refused = inert.refused_attribute(name)
    if refused:
        return (), [*mistakes, refused]
    if name in _LISTS:
        mistakes += [_no_slot(part, f"in `{name}`") for part in parts if isinstance(part, Hole)]
        return _template(parts, lambda _: "attribute", mistakes), mistakes
    if name not in inert.URL_ATTRIBUTES:
        return _template(parts, lambda _: "attribute", mistakes), mistakes
    return _url(parts, mistakes, inert.rule(name))


def redirect(source: str, insertable: Collection[Path]) -> Read:
    """The URL of a redirect: http, https or from the root on; slots only behind the host."""
    parts, mistakes = slots.cut(source, insertable)
    return _url(parts, mistakes, links.in_redirect)


def _url(parts: list[Literal | Hole], mistakes: list[Mistake], rule: links.Rule) -> Read:
    whole = "".join(part.text if isinstance(part, Literal) else HOLE for part in parts)
    faults = rule(whole)
    holes = [part for part in parts if isinstance(part, Hole)]
    mistakes += [_at_hole(fault, holes) for fault in faults]
    starts = whole.lstrip().startswith(HOLE)
    first = holes[0] if holes else None
    return _template(parts, lambda hole: "url-start" if starts and hole is first else "url-part", mistakes), mistakes


def _at_hole(fault: links.Fault, holes: list[Hole], start: int = 0) -> Mistake:
    if fault.hole is None:
        return Mistake(fault.message, fault.hint, start, 0)
    return Mistake(fault.message, fault.hint, holes[fault.hole].offset, holes[fault.hole].width)


def html(source: str, insertable: Collection[Path]) -> Read:
    """An HTML fragment: slots between tags or in quoted attributes."""
    parts, mistakes = slots.cut(source, insertable)
    walk, deep = Walk(), Walk(raw=())
    spots: dict[Hole, Spot] = {}
    holes: dict[int, list[Hole]] = {}
    for part in parts:
        if isinstance(part, Literal):
            walk.take(part.text, part.offset)
            deep.take(part.text, part.offset)
            continue
        try:
            spots[part] = _html_spot(part, walk)
        except Mistake as mistake:
            mistakes.append(mistake)
        if walk.place == "quoted":
            holes.setdefault(walk.attribute.at, []).append(part)
        walk.hole()
        deep.hole()
    refused = walk.place == "raw" and inert.refused_element(walk.tag)
    if walk.place != "text" and not mistakes and not refused:
        mistakes.append(_unfinished(walk))
    mistakes += [*inert.elements(walk), *inert.hidden(walk, deep)]
    for found in walk.done:
        mistakes += _attribute(found, holes.get(found.at, []))
    return _template(parts, spots.__getitem__, mistakes), mistakes


def _html_spot(hole: Hole, walk: Walk) -> Spot:
    """The spot of a hole at which the walk stands; raises `Mistake` where a slot may not stand."""
    if walk.place == "text":
        return "html"
    if walk.place != "quoted":
        raise _no_slot(hole, _WHERE[walk.place].format(tag=walk.tag))
    name, tag = walk.attribute.name, walk.attribute.tag
    if inert.refused_attribute(name) or name in _LISTS:
        raise _no_slot(hole, f"in `{name}`")
    if tag in _LOADERS:
        raise _no_slot(hole, f"in an attribute of `<{tag}>`")
    if name not in inert.URL_ATTRIBUTES:
        return "html-attribute"
    if _ENTITY.search(walk.attribute.value):
        raise _no_slot(hole, "within a character reference")
    return "html-url-part" if walk.attribute.value.strip() else "html-url-start"


def _attribute(found: Attribute, holes: list[Hole]) -> list[Mistake]:
    """What is wrong with an attribute of HTML; of one in which no slot may stand that was said already."""
    if not holes:
        return inert.code(found)
    if found.name not in inert.URL_ATTRIBUTES or found.tag in _LOADERS:
        return []
    faults = inert.rule(found.name, found.tag)(unescape(found.value))
    return [_at_hole(fault, holes, found.offset) for fault in faults]


def _no_slot(hole: Hole, where: str) -> Mistake:
    hint = 'a slot stands between tags or in a quoted attribute, such as `<b>{{ … }}</b>` or `title="{{ … }}"`'
    return Mistake(f"no slot may stand {where}", hint, hole.offset, hole.width)


def _unfinished(walk: Walk) -> Mistake:
    what = {"raw": f"`<{walk.tag}>`", "comment": "a comment"}.get(walk.place, f"the tag `<{walk.tag}`")
    return Mistake(f"the HTML ends within {what}", "every tag, comment and quote is closed in the same text")


def _template(parts: list[Literal | Hole], spot: Callable[[Hole], Spot], mistakes: list[Mistake]) -> Template:
    """Literals joined, holes with their spots; nothing at all where there is a mistake."""
    made: list[str | Slot] = []
    if mistakes:
        return ()
    for part in parts:
        if isinstance(part, Hole):
            made.append(Slot(part.path, part.default, spot(part)))
        elif made and isinstance(made[-1], str):
            made[-1] += part.text
        else:
            made.append(part.text)
    return tuple(made)
