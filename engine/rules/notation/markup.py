"""Where a character of an HTML fragment stands: text, attribute, tag, comment … Pure.

What lives here: a walk through HTML as browsers tokenize it (WHATWG HTML, 13.2.5), as far as a slot's place
depends on it. What may not: slots, escaping, messages.

1. `Walk.take(text)` walks on; `Walk.place` says where the next character would stand.
2. The content of `script style title textarea …` is taken as raw until its end tag, also inside of SVG, where
   browsers would look into some of them: no slot may stand there, so that errs on the safe side.
3. `Walk.done` collects every attribute with its whole value and offset, `Walk.tags` every start tag, for checks of
   what is static.
"""

from collections.abc import Collection
from typing import Literal, TypeAlias

from msgspec import Struct

PlaceName: TypeAlias = Literal["text", "tag", "attribute-name", "quoted", "unquoted", "raw", "comment"]

RAW = frozenset(
    {"script", "style", "title", "textarea", "xmp", "iframe", "noembed", "noframes", "noscript", "plaintext"}
)
HOLE = "\0"
_SPACE = frozenset(" \t\n\r\f")


class Attribute(Struct):
    """An attribute that was walked through: `value` so far, as written. The name begins `at`, the value at `offset`."""

    tag: str
    name: str
    value: str
    offset: int
    at: int


class Tag(Struct, frozen=True):
    """A start tag that was walked through; `at` is the place of its `<`."""

    name: str
    at: int


class Walk:
    """The state of the walk. `tag` and `attribute` are the latest; `place` says whether they are open.

    `raw` are the elements whose content is no markup.
    """

    def __init__(self, raw: Collection[str] = RAW) -> None:
        self.place: PlaceName = "text"
        self.tag = ""
        self.attribute = Attribute("", "", "", 0, 0)
        self.done: list[Attribute] = []
        self.tags: list[Tag] = []
        self._raw_elements = raw
        self._state = "data"
        self._closing = False
        self._quote = ""
        self._at = 0
        self._recent = ""

    def take(self, text: str, offset: int) -> None:
        """Walk over `text`, which begins at `offset` of the source."""
        for at, c in enumerate(text, offset):
            self._at = at
            getattr(self, f"_{self._state}")(c)

    def hole(self) -> None:
        """A slot stands here: in an attribute's value it is a `HOLE`."""
        if self.place == "quoted":
            self.attribute.value += HOLE
        self._recent = ""

    def _go(self, state: str, place: PlaceName) -> None:
        self._state, self.place, self._recent = state, place, ""

    def _data(self, c: str) -> None:
        if c == "<":
            self._go("tag_open", "tag")

    def _tag_open(self, c: str) -> None:
        if c == "/" and not self._recent:
            self._recent = "/"
        elif c.isascii() and c.isalpha():
            self._closing = self._recent == "/"
            self._go("tag_name", "tag")
            self.tag = c.lower()
        elif c == "!" and not self._recent:
            self._go("markup", "comment")
        elif self._recent or c == "?":
            # `</` before anything but a letter, and `<?`, are comments up to `>`; `</>` is nothing.
            self._go("data" if c == ">" else "bogus", "text" if c == ">" else "comment")
        else:
            self._go("data", "text")
            self._data(c)

    def _tag_name(self, c: str) -> None:
        if c in _SPACE or c in "/>":
            if not self._closing:
                self.tags.append(Tag(self.tag, self._at - len(self.tag) - 1))
            self._go("before_name", "tag")
            self._before_name(c)
        else:
            self.tag += c.lower()

    def _before_name(self, c: str) -> None:
        if c == ">":
            self._tag_end()
        elif c not in _SPACE and c != "/":
            self.attribute = Attribute(self.tag, c.lower(), "", self._at, self._at)
            self._go("name", "attribute-name")

    def _name(self, c: str) -> None:
        if c == "=":
            self._go("before_value", "unquoted")
        elif c in _SPACE:
            self._go("after_name", "tag")
        elif c in "/>":
            self._finish()
            self._before_name(c)
        else:
            self.attribute.name += c.lower()

    def _after_name(self, c: str) -> None:
        if c == "=":
            self._go("before_value", "unquoted")
        elif c not in _SPACE:
            self._finish()
            self._before_name(c)

    def _before_value(self, c: str) -> None:
        if c in _SPACE:
            return
        if c in "\"'":
            self._quote, self.attribute.offset = c, self._at + 1
            self._go("quoted", "quoted")
        elif c == ">":
            self._finish()
            self._tag_end()
        else:
            self.attribute.offset = self._at
            self._go("unquoted", "unquoted")
            self._unquoted(c)

    def _quoted(self, c: str) -> None:
        if c == self._quote:
            self._finish()
        else:
            self.attribute.value += c

    def _unquoted(self, c: str) -> None:
        if c in _SPACE or c == ">":
            self._finish()
            self._before_name(c)
        else:
            self.attribute.value += c

    def _finish(self) -> None:
        self.done.append(self.attribute)
        self._go("before_name", "tag")

    def _tag_end(self) -> None:
        raw = self.tag in self._raw_elements and not self._closing
        self._go("raw" if raw else "data", "raw" if raw else "text")

    def _raw(self, c: str) -> None:
        self._recent = (self._recent + c.lower())[-len(self.tag) - 3 :]
        end = self._recent
        if end[:-1] == f"</{self.tag}" and (c in _SPACE or c in "/>"):
            self._closing = True
            self._go("before_name", "tag")
            self._before_name(c)

    def _markup(self, c: str) -> None:
        self._recent += c
        if self._recent == "--":
            self._go("comment", "comment")
        elif self._recent != "-":
            self._go("bogus", "comment")
            self._bogus(c)

    def _bogus(self, c: str) -> None:
        if c == ">":
            self._go("data", "text")

    def _comment(self, c: str) -> None:
        # `<!-->` and `<!--->` are whole comments, too, and `--!>` ends one.
        self._recent = (self._recent or "^") + c
        if self._recent in {"^>", "^->"} or self._recent.endswith(("-->", "--!>")):
            self._go("data", "text")
        elif len(self._recent) > 4:
            self._recent = "." + self._recent[-3:]
