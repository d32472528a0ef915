"""What a rule file may set on a page runs no code: HTML, attributes and their URLs, with slots or without. Pure.

What lives here: which elements and attributes are refused, and which rule of links.py holds for a URL. What may not:
slots and their spots (templates.py), how HTML is cut (markup.py).

1. Refused are elements that are code or change where code comes from (`<script>`, `<base>`), attributes that are code
   (`on…`, `srcdoc`), and code behind a URL, in whatever attribute takes one.
2. What is shown in a frame and where a form is sent are like redirects: no slot chooses the host.
3. HTML is looked at twice, once as it stands and once with the content of `<style>`, `<noscript>` and their like taken
   as markup, which is what a browser may do with it inside of SVG.
"""

from collections.abc import Iterator, Sequence
from html import unescape

import re2

from engine.rules.notation import links
from engine.rules.notation.markup import HOLE, Attribute, Walk
from engine.rules.notation.mistake import Mistake

URL_ATTRIBUTES = frozenset(
    {
        "href", "src", "action", "formaction", "poster", "data", "cite", "background", "longdesc", "manifest", "ping",
        "codebase", "icon", "usemap", "xlink:href",
    }
)  # fmt: skip
_TARGETS = frozenset({"action", "formaction"})
_FRAMES = frozenset({"iframe", "frame", "portal", "fencedframe", "object", "embed"})
# SVG animations of `href`: a list of URLs, cut at `;`.
_ANIMATIONS = frozenset({"animate", "set"})
_ANIMATED = frozenset({"values", "to", "from", "by"})

_NO_CODE = "a rule file runs no code: let the page's own script do that"
_CODE_ATTRIBUTES = {"style": "use `style:` of the change", "srcdoc": "use `html:` of the change"}
_ATTRIBUTE_NAME = re2.compile("[^\\s\"'<>/=\\x00-\\x1f\\x7f]+")


def refused_element(name: str) -> Mistake | None:
    """Why no HTML of a rule file may hold the element (lower case), if so."""
    if name == "script":
        return Mistake("`<script>` would run code", _NO_CODE)
    if name == "base":
        return Mistake("`<base>` would change where the page's own scripts come from", "write whole URLs")
    return None


def refused_attribute(name: str) -> Mistake | None:
    """Why no change may set the attribute (lower case), if so."""
    if _ATTRIBUTE_NAME.fullmatch(name) is None:
        return Mistake(f"`{name}` is no attribute's name", "an attribute's name is such as `href` or `data-plan`")
    if name.startswith("on"):
        return Mistake(f"`{name}` would run code", _NO_CODE)
    if name in _CODE_ATTRIBUTES:
        return Mistake(f"the attribute `{name}` is not set like this", _CODE_ATTRIBUTES[name])
    return None


def rule(name: str, tag: str = "") -> links.Rule:
    """What holds for a URL in this attribute; `tag` is empty where nobody knows the element."""
    if name in _TARGETS:
        return links.in_form
    return links.in_frame if tag in _FRAMES else links.in_attribute


def elements(walk: Walk) -> list[Mistake]:
    """The elements that may not stand in the HTML that was walked through, each at its tag."""
    found = [(refused_element(tag.name), tag) for tag in walk.tags]
    return [
        Mistake(mistake.message, mistake.hint, tag.at, len(tag.name) + 1)
        for mistake, tag in found
        if mistake is not None
    ]


def code(found: Attribute) -> list[Mistake]:
    """What is code in an attribute without slots (or in what is left of it without them)."""
    if found.name.startswith("on") or found.name == "srcdoc":
        return [Mistake(f"`{found.name}` would run code", _NO_CODE, found.at, len(found.name))]
    faults = [fault for url in _urls(found) for fault in rule(found.name, found.tag)(url) if fault.hole is None]
    return [Mistake(fault.message, fault.hint, found.offset, len(found.value)) for fault in faults[:1]]


def hidden(walk: Walk, deep: Walk) -> Iterator[Mistake]:
    """What `deep`, which takes everything as markup, saw, and `walk` did not."""
    tags = {tag.at for tag in walk.tags}
    attributes = {found.at for found in walk.done}
    yield from (mistake for mistake in elements(deep) if mistake.offset not in tags)
    for found in deep.done:
        if found.at not in attributes:
            yield from code(found)


def _urls(found: Attribute) -> Sequence[str]:
    value = unescape(found.value)
    if found.tag in _ANIMATIONS and found.name in _ANIMATED:
        return value.replace(HOLE, "").split(";")
    return [value] if found.name in URL_ATTRIBUTES else []
