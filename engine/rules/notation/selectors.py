"""Are selectors what browsers take? Pure.

What lives here: a reader of CSS selectors (Selectors level 4, as `querySelectorAll` takes them) and their normal
form. What may not: pages, elements.

    list     = complex *("," complex)
    complex  = compound *((" " / ">" / "+" / "~") compound)
    compound = [type] *("#" name / "." name / "[" attribute "]" / ":" pseudo)      at least one of them

1. `cssselect` was tried and is not used: it refuses what browsers take (`:nth-child(2 of .x)`, `:not(a, b)`) and
   takes what they refuse (`#1a`, `:nth-child(foo)`).
2. What browsers take but what cannot be meant is a mistake, too: pseudo-elements (they are no elements of the page) and
   brackets that only the end of the text closes.
3. An unknown pseudo-class passes, since browsers learn new ones, unless it is jQuery's or nearly a known one.
4. `read` answers the selectors of the list in one normal form, so that `h1.a` and `H1.a ` are seen to be the same.
"""

from functools import lru_cache

import re2

from engine import limits
from engine.problems import did_you_mean
from engine.rules.notation.mistake import Mistake

_ESCAPE = r"\\(?:[0-9A-Fa-f]{1,6}[ \t\n]?|[^\n0-9A-Fa-f])"
_START = rf"(?:[A-Za-z_]|[^\x00-\x7f]|{_ESCAPE})"
_PART = rf"(?:[A-Za-z0-9_-]|[^\x00-\x7f]|{_ESCAPE})"
_NAME = re2.compile(rf"(?:--|-?{_START}){_PART}*")
_BLANK = re2.compile(r"(?:[ \t\r\n\f]|/\*(?:[^*]|\*+[^*/])*\*+/)*")
_STRING = re2.compile(r""""(?:[^"\\\n]|\\(?s:.))*"|'(?:[^'\\\n]|\\(?s:.))*'""")
_OPERATOR = re2.compile(r"[~|^$*]?=")
_NTH = re2.compile(r"(?i)[ \t]*(?:even|odd|[+-]?[0-9]*n(?:[ \t]*[+-][ \t]*[0-9]+)?|[+-]?[0-9]+)[ \t]*")
_OF = re2.compile(r"(?i)of(?:[ \t\n]+|$)")
_ARGUMENT = re2.compile(r"[^()]*")

_LISTS = frozenset(
    ["not", "is", "where", "matches", "-webkit-any", "-moz-any", "has", "host", "host-context", "current"]
)
_NTHS = frozenset(["nth-child", "nth-last-child", "nth-of-type", "nth-last-of-type", "nth-col", "nth-last-col"])
_FUNCTIONS = _LISTS | _NTHS | {"lang", "dir", "state"}
_MAY_STAND_ALONE = frozenset(["host", "current"])
_PLAIN = frozenset(
    [
        *["active", "any-link", "autofill", "blank", "buffering", "checked", "default", "defined", "disabled", "empty"],
        *["enabled", "first-child", "first-of-type", "focus", "focus-visible", "focus-within", "fullscreen"],
        *["future", "hover", "in-range", "indeterminate", "invalid", "last-child", "last-of-type", "link"],
        *["local-link", "modal", "muted", "only-child", "only-of-type", "open", "optional", "out-of-range", "past"],
        *["paused", "picture-in-picture", "placeholder-shown", "playing", "popover-open", "read-only", "read-write"],
        *["required", "root", "scope", "seeking", "stalled", "target", "target-within", "user-invalid"],
        *["user-valid", "valid", "visited", "volume-locked"],
    ]
)
_OLD_ELEMENTS = frozenset(["before", "after", "first-line", "first-letter"])
_JQUERY = frozenset(
    [
        *["animated", "button", "checkbox", "contains", "eq", "even", "file", "first", "gt", "header", "hidden"],
        *["image", "input", "last", "lt", "odd", "parent", "password", "radio", "reset", "selected", "submit", "text"],
        "visible",
    ]
)


@lru_cache(maxsize=limits.SELECTORS)
def read(text: str) -> tuple[str, ...]:
    """The selectors of the list, each in its normal form; raises `Mistake` at the character where it goes wrong."""
    if len(text) > limits.SELECTOR_CHARS:
        raise Mistake(f"the selector has {len(text)} characters", f"a selector has at most {limits.SELECTOR_CHARS}")
    reader = _Reader(text)
    found = reader.list_(relative=False)
    if reader.at < len(text):
        raise reader.unexpected("a selector")
    return found


class _Reader:
    """A position in the text, moving to the right. Every method is the rule of its name in the grammar above."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0
        self.depth = 0

    def list_(self, *, relative: bool) -> tuple[str, ...]:
        found = [self.complex(relative=relative)]
        while self.take(","):
            found.append(self.complex(relative=relative))
        return tuple(found)

    def complex(self, *, relative: bool) -> str:
        self.blank()
        made = ""
        if relative and self.peek() in tuple(">+~"):
            made = self.next()
            self.blank()
        made += self.compound()
        while True:
            spaced = self.blank()
            if self.peek() in {"", ",", ")"}:
                return made
            if self.peek() in {">", "+", "~"}:
                made += self.next()
                self.blank()
            elif spaced:
                made += " "
            else:
                raise self.unexpected("a combinator")
            made += self.compound()

    def compound(self) -> str:
        start = self.at
        kind = self.type_()
        parts = []
        while self.peek() in {"#", ".", "[", ":"}:
            parts.append({"#": self.named, ".": self.named, "[": self.attribute, ":": self.pseudo}[self.peek()]())
        if self.at == start:
            raise self.unexpected("a selector")
        return kind + "".join(sorted(parts))

    def type_(self) -> str:
        start = self.at
        if self.text.startswith("*|", self.at):
            self.at += 2
        name = self.next() if self.peek() == "*" else self.match(_NAME)
        if self.peek() == "|" and self.text[self.at + 1 : self.at + 2] not in {"=", "|"}:
            raise self.wrong("a selector has no namespace", f"`{self.text[self.at + 1 :]}`", start, self.at + 1 - start)
        return "" if name == "*" else name.lower()

    def named(self) -> str:
        mark, start = self.next(), self.at - 1
        name = self.match(_NAME)
        if not name:
            what = "an id" if mark == "#" else "a class"
            if self.peek().isdigit():
                word = _digits(self.text[self.at :])
                right = f"{mark}\\3{word[0]} {word[1:]}"
                raise self.wrong(f"{what} that begins with a digit is escaped", f"`{right}`", start, len(word) + 1)
            raise self.unexpected(f"the name of {what}")
        return mark + name

    def attribute(self) -> str:
        start = self.at
        self.next()
        self.blank()
        if self.text.startswith("*|", self.at):
            self.at += 2
        name = self.match(_NAME)
        if not name:
            raise self.unexpected("an attribute's name")
        self.blank()
        operator, value, flag = self.match(_OPERATOR), "", ""
        if operator:
            self.blank()
            value = self.value()
            self.blank()
            flag = self.next().lower() if self.peek() in tuple("iIsS") else ""
            self.blank()
        if self.peek() == "":
            raise self.wrong("`[` is never closed", f"`{self.text[start:].rstrip()}]`", start, len(self.text) - start)
        if not self.take("]"):
            raise self.unexpected("`]`" if operator else "`=` or `]`")
        return f"[{name.lower()}{operator}{value}{' ' + flag if flag else ''}]"

    def value(self) -> str:
        quoted = self.match(_STRING)
        if quoted:
            return quoted[1:-1]
        start, name = self.at, self.match(_NAME)
        if not name:
            if self.peek() in {'"', "'"}:
                raise self.wrong(
                    "the quote is never closed", f"end it with `{self.peek()}`", self.at, len(self.text) - self.at
                )
            word = self.text[start:].split("]")[0].strip()
            raise self.wrong(f"the value `{word}` has to be quoted", f'`"{word}"`', start, max(1, len(word)))
        return name

    def pseudo(self) -> str:
        start = self.at
        element = self.text.startswith("::", self.at)
        self.at += 2 if element else 1
        name = self.match(_NAME).lower()
        if not name:
            raise self.unexpected("the name of a pseudo-class")
        width = self.at - start
        if element or name in _OLD_ELEMENTS:
            what = self.text[start : self.at]
            raise self.wrong(f"`{what}` is no element of the page", "select the element itself", start, width)
        called = self.peek() == "("
        self.refuse_unknown(name, start, width, called=called)
        if not called:
            return ":" + name
        self.next()
        argument = self.argument(name)
        if not self.take(")"):
            if self.peek():
                raise self.unexpected("`)`")
            raise self.wrong(
                "`(` is never closed", f"`{self.text.rstrip()})`", start + width, len(self.text) - start - width
            )
        return f":{name}({argument})"

    def refuse_unknown(self, name: str, start: int, width: int, *, called: bool) -> None:
        if name in _FUNCTIONS if called else name in _PLAIN or name in _MAY_STAND_ALONE:
            return
        if name in _FUNCTIONS:
            raise self.wrong(f"`:{name}` needs something in parentheses", f"`:{name}(…)`", start, width)
        if name in _PLAIN:
            raise self.wrong(f"`:{name}` has no parentheses", f"`:{name}`", start, width)
        if name in _JQUERY:
            raise self.wrong(
                f"`:{name}` is jQuery's, browsers do not know it", "a class or attribute selects as well", start, width
            )
        near = did_you_mean(name, _FUNCTIONS if called else _PLAIN)
        if near and not name.startswith("-"):
            raise self.wrong(f"unknown pseudo-class `:{name}`", near.replace("`", "`:", 1), start, width)

    def argument(self, name: str) -> str:
        self.depth += 1
        if self.depth > 20:
            raise self.unexpected("fewer parentheses")
        try:
            if name in _LISTS:
                return ",".join(self.list_(relative=name == "has"))
            return self.nth() if name in _NTHS else self.balanced()
        finally:
            self.depth -= 1

    def nth(self) -> str:
        start = self.at
        formula = self.match(_NTH)
        if not formula:
            raise self.unexpected("`odd`, `even` or a formula such as `2n+1`")
        if not self.match(_OF):
            return "".join(formula.lower().split())
        if not formula[-1:].isspace():
            raise self.wrong("between the formula and `of` stands a space", "`2 of .x`", start, self.at - start)
        return f"{''.join(formula.lower().split())} of {','.join(self.list_(relative=False))}"

    def balanced(self) -> str:
        start = self.at
        self.match(_ARGUMENT)
        if not self.text[start : self.at].strip():
            raise self.unexpected("something in the parentheses")
        while self.peek() == "(":
            self.next()
            self.match(_ARGUMENT)
            self.take(")")
            self.match(_ARGUMENT)
        return self.text[start : self.at].strip()

    def peek(self) -> str:
        return self.text[self.at : self.at + 1]

    def next(self) -> str:
        self.at += 1
        return self.text[self.at - 1]

    def take(self, c: str) -> bool:
        found = self.peek() == c
        self.at += found
        return found

    def blank(self) -> bool:
        return bool(self.match(_BLANK))

    def match(self, rule: "re2._Regexp") -> str:
        found = rule.match(self.text, self.at)
        self.at = found.end() if found else self.at
        return str(found.group()) if found else ""

    def wrong(self, message: str, hint: str, at: int, width: int) -> Mistake:
        return Mistake(message, hint, at, width)

    def unexpected(self, expected: str) -> Mistake:
        c = self.peek()
        if c in {"{", "}"}:
            return Mistake(
                f"`{c}` cannot stand in a selector", "a selector is only what stands before `{` in CSS", self.at, 1
            )
        got = f"`{c}`" if c else "the end"
        return Mistake(f"expected {expected}, got {got}", "a selector is such as `#hero h1` or `.cta > a`", self.at, 1)


def _digits(text: str) -> str:
    return text[: next((i for i, c in enumerate(text) if not (c.isalnum() or c in "_-")), len(text))]
