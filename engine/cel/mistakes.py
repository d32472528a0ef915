"""Common mistakes that one can see in the tokens of a condition that does not parse.

What lives here: wrong characters and operators, strings, brackets and commas, each with what would be right.
What may not: words in wrong places (that is `phrases`), types (that is `hints`), conditions that parse.

1. Nothing here decides that a condition is wrong: the reference implementation has refused it already.
2. Each finder looks for one kind of mistake and yields all of them. `mistakes` keeps the first one of any that
   overlap, since the finders stand in the order of how sure they are.
3. After a string without its end the rest of the line means nothing, so then nothing else is looked for.
"""

from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise
from typing import TypeAlias

import re2

from engine.cel.errors import CelError, at, between
from engine.cel.phrases import phrases
from engine.cel.tokens import Token

_MOST = 5  # mistakes that are named at once; more of one text does not help anybody

_OPERATORS = {
    "=": ("`=` does not compare", "write `==`"),
    ":=": ("`:=` does not compare", "write `==`"),
    "===": ("CEL has no `===`", "write `==`"),
    "≈": ("CEL has no `≈`", "write `==`"),
    "!==": ("CEL has no `!==`", "write `!=`"),
    "<>": ("CEL has no `<>`", "write `!=`"),
    "≠": ("CEL has no `≠`", "write `!=`"),
    "=>": ("CEL has no `=>`", "write `>=`"),
    "≥": ("CEL has no `≥`", "write `>=`"),
    "=<": ("CEL has no `=<`", "write `<=`"),
    "≤": ("CEL has no `≤`", "write `<=`"),
    "=~": ("CEL has no `=~`", 'write `traits.name.matches("pattern")`'),
    "!~": ("CEL has no `!~`", 'write `!traits.name.matches("pattern")`'),
    "&": ("CEL has no single `&`", "write `&&`"),
    "∧": ("CEL has no `∧`", "write `&&`"),
    "|": ("CEL has no single `|`", "write `||`"),
    "∨": ("CEL has no `∨`", "write `||`"),
    "¬": ("CEL has no `¬`", "write `!`"),
    "∈": ("CEL has no `∈`", "write `in`"),
    "×": ("CEL has no `×`", "write `*`"),
    "÷": ("CEL has no `÷`", "write `/`"),
    "–": ("this dash is no minus", "write `-`"),
    "—": ("this dash is no minus", "write `-`"),
    "−": ("this minus is typographic", "write `-`"),
    "??": ("CEL has no `??`", 'write `traits.?name.orValue("else")`'),
    "->": ("CEL has no `->`", ""),
    "**": ("CEL has no `**`", ""),
    ";": ("a condition has no `;`", "leave it out, or write `&&` between two conditions"),
}
_NAMED = {
    "#": ("CEL has no `#`", "a comment begins with `//`"),
    "$": ("a name has no `$`", "write the name alone: `traits.plan`"),
    "@": ("CEL has no `@`", ""),
    "^": ("CEL has no `^`", ""),
    "~": ("CEL has no `~`", ""),
    "\\": ("a `\\` stands only in a text", "put the text in quotation marks"),
    "`": ("a backtick makes no text", 'write `"…"`'),
}
_Finder: TypeAlias = Callable[[Sequence[Token]], Iterator[CelError]]
_OPEN = {"(": ")", "[": "]", "{": "}"}
_ESCAPE = re2.compile(r"\\(?:[abfnrtv\\'\"`?]|[xX][0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|U[0-9a-fA-F]{8}|[0-3][0-7]{2}|(.))")


def mistakes(words: Sequence[Token]) -> list[CelError]:
    """The mistakes that the tokens show, in their order, none over another."""
    finders: tuple[_Finder, ...] = (_slots, _odd, _escapes, _brackets, _commas, phrases)
    if any(word.kind == "unclosed" for word in words):
        finders = (_odd,)
    found: list[CelError] = []
    for finder in finders:
        found += [error for error in finder(words) if not any(_overlap(error, other) for other in found)]
    return sorted(found, key=lambda error: error.offset)[:_MOST]


def _overlap(one: CelError, other: CelError) -> bool:
    return one.offset < other.offset + other.width and other.offset < one.offset + one.width


def _slots(words: Sequence[Token]) -> Iterator[CelError]:
    """`{{ traits.a }} == 1`: what stands in braces in a template stands without them here."""
    opened: int | None = None
    for index, (word, then) in enumerate(pairwise(words)):
        double = word.text == then.text and word.end == then.offset
        if double and word.text == "{" and opened is None:
            opened = index
        elif double and word.text == "}" and opened is not None:
            yield between(words[opened], then, "conditions take no braces", f"write `{_without_braces(words)}`")
            return


def _without_braces(words: Sequence[Token]) -> str:
    """The whole condition as it would be without `{{`, `}}` and what stands there behind a `|`."""
    text, dropped = "", False
    for word, before in zip(words, [None, *words], strict=False):
        dropped = (dropped or word.text == "|") and word.text != "}"
        if word.text not in {"{", "}"} and not dropped:
            apart = before is not None and before.end < word.offset
            text += f" {word.text}" if apart else word.text
    return text.strip()


def _odd(words: Sequence[Token]) -> Iterator[CelError]:
    """Characters and operators that CEL does not have, typographic quotes, strings without their end."""
    beyond = 0
    for index, word in enumerate(words):
        if word.offset < beyond:
            continue
        if word.kind == "operator":
            yield at(word, *_OPERATORS[word.text])
        elif word.kind == "quoted":
            yield at(word, "typographic quotation marks make no text", f"write `{_straight(word.text[1:-1])}`")
        elif word.kind == "unclosed":
            yield _unclosed(words, index)
            return  # what comes after it, nobody knows
        elif word.kind == "bad":
            error = _unknown_character(words, index)
            beyond = error.offset + error.width
            yield error


def _straight(inner: str) -> str:
    return f'"{inner}"' if '"' not in inner else f"'{inner}'"


def _unclosed(words: Sequence[Token], index: int) -> CelError:
    word = words[index]
    quote = word.text[0]
    if quote not in "\"'":
        return at(word, "typographic quotation marks make no text", f"write `{_straight(word.text[1:].strip())}`")
    if quote == "'" and (broken := _broken_by_apostrophe(words[:index])):
        first, rest = broken
        hint = f'write it between double quotation marks: `"{first.text[1:-1]}\'{rest.text}"`'
        return between(first, rest, "the apostrophe ends this text", hint)
    if word.text == quote and index:
        return at(word, f"this {quote} opens a text that has no end", "leave it out, or close the text")
    ends = " and ends in a typographic mark" if word.text[-1] in "“”„‟’‘" else ""
    return at(word, f"this text is never closed: it begins with {quote}{ends}", f"close it with {quote}")


def _broken_by_apostrophe(words: Sequence[Token]) -> tuple[Token, Token] | None:
    """`'it's`: a text in single quotation marks that a name follows without a space."""
    broken = (p for p in pairwise(words) if p[0].kind == "string" and p[0].text[-1] == "'" and p[0].end == p[1].offset)
    return next((pair for pair in broken if pair[1].kind == "name"), None)


def _unknown_character(words: Sequence[Token], index: int) -> CelError:
    word = words[index]
    if word.text in _NAMED:
        return at(word, *_NAMED[word.text])
    if not word.text.isprintable():
        return at(word, f"an invisible character (U+{ord(word.text):04X}) stands here", "delete it and type a space")
    if word.text.isalpha():
        return _foreign_name(words, index)
    return at(word, f"CEL has no `{word.text}`")


def _foreign_name(words: Sequence[Token], index: int) -> CelError:
    """A name with letters beyond ASCII: `traits.größe`."""
    first = last = index
    while first and words[first - 1].end == words[first].offset and _is_letters(words[first - 1]):
        first -= 1
    while last + 1 < len(words) and words[last].end == words[last + 1].offset and _is_letters(words[last + 1]):
        last += 1
    name = "".join(word.text for word in words[first : last + 1])
    quoted = f'write `{words[first - 2].text}["{name}"]`' if first >= 2 and words[first - 1].text == "." else ""
    hint = quoted or f'if `{name}` is a text, write `"{name}"`'
    return between(words[first], words[last], f"`{name}` is no name: names have only a-z, A-Z, 0-9 and _", hint)


def _is_letters(word: Token) -> bool:
    return word.kind in {"name", "number"} or (word.kind == "bad" and word.text.isalpha())


def _escapes(words: Sequence[Token]) -> Iterator[CelError]:
    r"""`"\d"`: an escape that CEL does not know, in a string that is not raw."""
    for word in words:
        prefix = word.text.partition(word.text[-1])[0].lower()
        if word.kind != "string" or "r" in prefix:
            continue
        for found in _ESCAPE.finditer(word.text):
            if found.group(1) is not None:
                message = f"`{found.group()}` is no escape"
                hint = f"write `r{word.text}`: in a raw text a backslash is a backslash"
                yield CelError(word.offset + found.start(), len(found.group()), message, hint)
                break


def _brackets(words: Sequence[Token]) -> Iterator[CelError]:
    """Brackets without their other half."""
    waiting: list[Token] = []
    for word in words:
        if word.kind != "symbol":
            continue
        if word.text in _OPEN:
            waiting.append(word)
        elif word.text in _OPEN.values():
            if not waiting:
                yield at(word, f"this `{word.text}` closes nothing", "leave it out, or open it before")
            elif _OPEN[(opened := waiting.pop()).text] != word.text:
                wanted = _OPEN[opened.text]
                yield at(word, f"`{opened.text}` is closed by `{word.text}`", f"write `{wanted}`")
                return
    for opened in waiting:
        yield at(opened, f"this `{opened.text}` is never closed", f"close it with `{_OPEN[opened.text]}`")


def _commas(words: Sequence[Token]) -> Iterator[CelError]:
    """Commas that are in no list and in no call: `in ("a", "b")`, `in "a", "b"`, `1,000`, `a, b`."""
    waiting: list[int] = []
    for index, word in enumerate(words):
        if word.kind == "symbol" and word.text in _OPEN:
            waiting.append(index)
        elif word.kind == "symbol" and word.text in _OPEN.values() and waiting:
            waiting.pop()
        elif word.text == "," and word.kind == "symbol" and _is_loose(words, waiting):
            yield _loose_comma(words, index, waiting[-1] if waiting else None)
            return


def _is_loose(words: Sequence[Token], waiting: list[int]) -> bool:
    """Outside of every bracket, or in a parenthesis that is no call's."""
    if not waiting:
        return True
    before = words[waiting[-1] - 1] if waiting[-1] else None
    call = before is not None and before.kind == "name" and before.text != "in"
    return words[waiting[-1]].text == "(" and not call


def _loose_comma(words: Sequence[Token], index: int, opened: int | None) -> CelError:
    before, after = words[index - 1] if index else None, words[index + 1] if index + 1 < len(words) else None
    if before and after and before.kind == after.kind == "number" and before.end + 1 == after.offset:
        digits = before.text + after.text
        return between(before, after, "a number has no thousands separator", f"write `{digits}`")
    if opened and words[opened - 1].text == "in":
        end = next((w for w in words[index:] if w.text == ")"), words[-1])
        inner = _text(words[opened + 1 : words.index(end)] if end.text == ")" else words[opened + 1 :])
        return between(words[opened], end, "a list stands in square brackets", f"write `[{inner}]`")
    if opened is None and index >= 2 and words[index - 2].text == "in" and before:
        hint = f"write `[{_text([w for w in words[index - 1 :] if w.kind in {'string', 'number'} or w.text == ','])}]`"
        return between(before, words[index], "a list stands in square brackets", hint)
    return at(words[index], "a comma joins no conditions", "write `&&` if both have to be true, `||` if one is enough")


def _text(words: Sequence[Token]) -> str:
    """Tokens as one would type them into a list."""
    return "".join(f"{word.text} " if word.text == "," else word.text for word in words).strip()
