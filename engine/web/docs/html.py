"""HTML elements from Python values; text is escaped here and nowhere else.

What lives here: `element`, and the little Markdown that descriptions use. What may not: what a page says.
"""

from collections.abc import Iterator
from html import escape
from typing import NewType

Html = NewType("Html", str)

_VOID = frozenset({"meta", "link", "br", "hr"})


def text(words: object) -> Html:
    """Text as it stands between tags."""
    return Html(escape(str(words), quote=False))


def join(*parts: Html, between: str = "") -> Html:
    """Elements one behind the other."""
    return Html(between.join(parts))


def element(name: str, /, *inner: Html, **attributes: str) -> Html:
    """`element("a", text("here"), href="#x")`; a word of Python's is written with a line behind it (`class_`)."""
    said = "".join(f' {key.rstrip("_").replace("_", "-")}="{escape(value)}"' for key, value in attributes.items())
    start = f"<{name}{said}>"
    return Html(start if name in _VOID else f"{start}{''.join(inner)}</{name}>")


def code(words: object) -> Html:
    """Something of a program's."""
    return element("code", text(words))


def inline(words: str) -> Html:
    """One line of Markdown: text, and code between backticks."""
    parts = words.split("`")
    return join(*(code(part) if index % 2 else text(part) for index, part in enumerate(parts)))


def markdown(words: str) -> Html:
    """Paragraphs, lists with hyphens, and code between backticks."""
    return join(*_blocks(words))


def _blocks(words: str) -> Iterator[Html]:
    for block in words.strip().split("\n\n"):
        lines = block.split("\n")
        if lines[0].startswith("- "):
            yield element("ul", *(element("li", inline(line.removeprefix("- "))) for line in lines))
        elif block:
            yield element("p", inline(" ".join(lines)))
