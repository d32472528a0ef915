"""The reference implementation's complaints in plain words, each with what would be right.

What lives here: reading its error text, and the words for what its checker says. What may not: finding
mistakes in a text by itself (that is `mistakes`), deciding that a condition is wrong.

1. `complaints` reads `ERROR: <input>:line:column: message` lines; places become offsets in code points.
2. A text that does not parse: what `mistakes` sees in its tokens; where that is nothing, the parser's first
   complaint, since the others follow from it.
3. A text that does not check: every complaint, but those about a part that is itself wrong (`*error*`).
4. A name that nobody declared gets the nearest known one; one of another language gets CEL's own.
"""

from collections.abc import Iterator, Sequence
from difflib import get_close_matches

import re2
from msgspec import Struct

from engine.cel.errors import CelError, at
from engine.cel.mistakes import mistakes
from engine.cel.phrases import path_before
from engine.cel.tokens import Token, tokens
from engine.cel.vocabulary import FUNCTIONS, METHODS, OTHER_FUNCTIONS, OTHER_NAMES, operator, type_in_words
from engine.problems import did_you_mean

_COMPLAINT = re2.compile(r"(?m)^(?:[A-Z_]+: )?ERROR: <input>:(-?[0-9]+):(-?[0-9]+): (.*)$")
_UNDECLARED = re2.compile(r"undeclared reference to '([^']*)'")
_OVERLOAD = re2.compile(r"found no matching overload for '([^']*)' applied to '(.*)'")
_NO_RECORD = re2.compile(r"expression of type '(.*)' cannot be the operand of a select operation")
_NO_RANGE = re2.compile(r"expression of type '(.*)' cannot be the range of a comprehension")
_EXPECTED = re2.compile(r"expected type '(.*)' but found '(.*)'")
_RESERVED = re2.compile(r"reserved identifier: (\w+)")
_TOO_DEEP = re2.compile(r"(?i)recursion (?:limit|depth)")
_EXPECTING = re2.compile(r" expecting .*")
_LITERAL = re2.compile(r"(?i)^invalid (?:int|uint|double|string|bytes) literal")

_HAS = 'write `has(traits.name)`; for a key that is no name `"first name" in traits`'
_NEAR = 0.75  # 1 is the same word; `starts` and `startsWith` are 0.75 alike, `foo` and `floor`, too
_NAMESPACES = frozenset({"math", "optional", "base64", "strings", "cel"})
TOO_DEEP = "the condition is nested too deeply"
_NORWAY = {"yes": "true", "on": "true", "no": "false", "off": "false"}
_COMPARING = frozenset({"_==_", "_!=_", "_<_", "_<=_", "_>_", "_>=_"})
_NUMBERS = frozenset({"int", "uint", "double"})
_TIMES = frozenset({"google.protobuf.Timestamp", "google.protobuf.Duration"})


class Complaint(Struct, frozen=True):
    """What the reference implementation said; the offset is None where it names no place."""

    offset: int | None
    message: str


def explain(text: str, said: str, roots: Sequence[str]) -> list[CelError]:
    """The errors for a text that was refused with these words; never empty."""
    found, words = complaints(text, said), tokens(text)
    if _TOO_DEEP.search(said):
        return [CelError(0, _first_line(text), TOO_DEEP, "give parts of it to traits or to several segments")]
    grammar = [complaint for complaint in found if complaint.message.startswith("Syntax error")]
    if grammar:
        return mistakes(words) or [_in_own_words(text, words, grammar[0])]
    own = [complaint for complaint in found if not _follows(words, complaint, found)]
    checked = [_translated(words, roots, complaint) for complaint in own or found]
    return list(dict.fromkeys(checked)) or [CelError(0, _first_line(text), said.partition("\n")[0])]


def complaints(text: str, said: str) -> list[Complaint]:
    """The reference implementation's error text, cut into complaints with offsets."""
    lines = text.split("\n")
    found = []
    for match in _COMPLAINT.finditer(said):
        line, column = int(match.group(1)), int(match.group(2))
        known = 1 <= line <= len(lines) and column >= 1
        offset = sum(len(before) + 1 for before in lines[: line - 1]) + column - 1 if known else None
        found.append(Complaint(offset=offset, message=match.group(3).removesuffix(" [INVALID_ARGUMENT]")))
    return found


def _first_line(text: str) -> int:
    return max(1, len(text.partition("\n")[0]))


def _in_own_words(text: str, words: Sequence[Token], complaint: Complaint) -> CelError:
    """A syntax error of which the tokens say nothing: the parser's words without its list of token names."""
    message = _EXPECTING.sub("", complaint.message.removeprefix("Syntax error: "))
    if "<EOF>" in message and "at '<EOF>'" not in message and "input '<EOF>'" in message:
        message = "the condition ends too early"
    word = _word_at(words, complaint.offset)
    if word is not None:
        return at(word, message)
    return CelError(min(complaint.offset or 0, max(0, len(text) - 1)), 1, message)


def _word_at(words: Sequence[Token], offset: int | None) -> Token | None:
    return next((word for word in words if offset is not None and word.offset <= offset < word.end), None)


def _translated(words: Sequence[Token], roots: Sequence[str], complaint: Complaint) -> CelError:
    """One complaint of the checker (or of a macro) in plain words."""
    word = _word_at(words, complaint.offset)
    index = words.index(word) if word is not None else 0
    message = complaint.message
    if match := _UNDECLARED.search(message):
        return _undeclared(words, index, match.group(1), roots)
    place = word or (words[0] if words else Token("bad", " ", 0))
    if match := _OVERLOAD.search(message):
        return at(place, *_overload(match.group(1), _types(match.group(2)), words, index))
    if match := _NO_RECORD.search(message):
        return at(place, f"{type_in_words(match.group(1))} has no fields", "only maps have: `traits.company.name`")
    if match := _NO_RANGE.search(message):
        return at(place, f"{type_in_words(match.group(1))} has no elements", "only lists and maps have")
    if match := _EXPECTED.search(message):
        return at(place, f"expected {type_in_words(match.group(1))}, got {type_in_words(match.group(2))}")
    if match := _RESERVED.search(message):
        return at(place, f"`{match.group(1)}` is a reserved word of CEL and no name", "")
    if "has() argument" in message:
        return at(_before(words, index), "`has` wants a field", _HAS)
    if _LITERAL.search(message):
        return at(place, _bad_literal(place, message))
    return at(place, message)


def _bad_literal(place: Token, message: str) -> str:
    if place.kind == "number":
        return f"`{place.text}` is too large for a number"
    return message[:1].lower() + message[1:]


def _before(words: Sequence[Token], index: int) -> Token:
    """The function's name, if the place is its parenthesis."""
    while index and not (words[index].text == "(" and words[index - 1].kind == "name"):
        index -= 1
    return words[max(0, index - 1)]


def _undeclared(words: Sequence[Token], index: int, name: str, roots: Sequence[str]) -> CelError:
    """A name that nobody declared: a function's place is its parenthesis, a path's the dot before its last name."""
    if words[index].text == "(" and index:
        return _undeclared_function(words, index - 1, name)
    root = name.removeprefix(".").partition(".")[0]
    start = next((i for i in range(index, -1, -1) if words[i].text == root), index)
    return at(words[start], f"unknown name `{root}`", _for_name(words, start, root, roots))


def _for_name(words: Sequence[Token], start: int, name: str, roots: Sequence[str]) -> str:
    if _is_dashed(words, start):
        first = start
        while first >= 2 and _is_dashed(words, first):
            first -= 2
        whole = "".join(word.text for word in words[first : start + 1])
        owner = words[first - 2].text if first >= 2 and words[first - 1].text == "." else "traits"
        return f'a `-` is a minus; if the name is `{whole}`, write `{owner}["{whole}"]`'
    if name.lower() in _NORWAY:
        return f'write `{_NORWAY[name.lower()]}`, or `"{name}"` for the text'
    if name in OTHER_NAMES or name.lower() in OTHER_NAMES:
        return OTHER_NAMES.get(name) or OTHER_NAMES[name.lower()]
    if near := did_you_mean(name, roots):
        return near
    alone = not (start + 1 < len(words) and words[start + 1].text in {".", "["})
    facts = f"a trait is `traits.{name}`" + (f', a text is `"{name}"`' if alone else "")
    return facts if "traits" in roots else f"the names here are {', '.join(f'`{root}`' for root in roots)}"


def _is_dashed(words: Sequence[Token], index: int) -> bool:
    """Is it the second half of `first-name`, written without spaces?"""
    if index < 2 or words[index - 1].text != "-":
        return False
    dash, before = words[index - 1], words[index - 2]
    return before.kind == "name" and before.end == dash.offset and dash.end == words[index].offset


def _undeclared_function(words: Sequence[Token], index: int, name: str) -> CelError:
    """`startswith(…)`, `contains(x, y)`, `x.lower()`: the nearest function, or how CEL says it."""
    word, short = words[index], name.rpartition(".")[2]
    is_method = index > 0 and words[index - 1].text == "."
    subject = path_before(words, index - 1) if is_method else _first_argument(words, index)
    if short in METHODS and short in FUNCTIONS:
        return at(word, f"`{short}` does not take that many values")
    other = OTHER_FUNCTIONS.get(short.lower().replace("_", ""), "")
    if not is_method and short in METHODS and not other:
        return at(word, f"`{short}` is written after its value", f"write `{subject or 'traits.name'}.{short}(…)`")
    if is_method and short in FUNCTIONS:
        return at(word, f"`{short}` is written before its value", f"write `{short}({subject or '…'})`")
    hint = other or _nearest(short) or _nearest_other(short)
    if subject:
        hint = hint.replace("traits.name", subject).replace("traits.tags", subject)
    return at(word, f"unknown function `{short}`", hint)


def _nearest(name: str) -> str:
    """Of the functions that there are, one that may be a slip for it; `foo` is for none."""
    near = get_close_matches(name, [*METHODS, *FUNCTIONS], n=1, cutoff=_NEAR)
    return f"did you mean `{near[0]}`?" if near else ""


def _nearest_other(name: str) -> str:
    near = get_close_matches(name.lower(), OTHER_FUNCTIONS, n=1, cutoff=_NEAR + 0.03)
    return OTHER_FUNCTIONS[near[0]] if near else ""


def _first_argument(words: Sequence[Token], index: int) -> str:
    """The path that is the first argument of the function at `index`, or nothing."""
    end = next((i for i in range(index + 2, len(words)) if words[i].text in {",", ")"}), index + 2)
    path = words[index + 2 : end]
    return "".join(word.text for word in path) if all(w.kind == "name" or w.text == "." for w in path) else ""


def _follows(words: Sequence[Token], complaint: Complaint, found: Sequence[Complaint]) -> bool:
    """Is it only a consequence of another: about a part that is wrong, the `math` of `math.max(…)`, the `x` of
    `tags.any(x, …)`?
    """
    match, word = _UNDECLARED.search(complaint.message), _word_at(words, complaint.offset)
    if match is None or word is None or word.text == "(":
        return "*error*" in complaint.message
    if match.group(1) in _NAMESPACES:
        return True
    called = [w for w in (_word_at(words, other.offset) for other in found) if w is not None and w.text == "("]
    return any(_binds(words, words.index(opened), match.group(1)) for opened in called)


def _binds(words: Sequence[Token], opened: int, name: str) -> bool:
    """Is the name, alone, an argument before the last of the call, as the variable of a macro would be?"""
    texts = [word.text for word in words[opened:]]
    arguments = zip(texts, texts[1:], texts[2:], strict=False)
    return any(before in {"(", ","} and word == name and after == "," for before, word, after in arguments)


def _types(text: str) -> list[str]:
    """`(string, map(string, dyn))` cut at its outer commas."""
    parts, depth = [""], 0
    for character in text.removeprefix("(").removesuffix(")"):
        depth += (character in "(<") - (character in ")>")
        if character == "," and depth == 0:
            parts.append("")
        else:
            parts[-1] += character
    return [part.strip() for part in parts if part.strip()]


def _overload(function: str, types: list[str], words: Sequence[Token], index: int) -> tuple[str, str]:
    """Message and hint for an operator or a function that does not take values of these types."""
    sign, kinds = operator(function), [type_in_words(type_) for type_ in types]
    hint = next(_for_types(function, types, words, index), "")
    if function in _COMPARING and len(types) == 2:
        return f"`{sign}` cannot compare {kinds[0]} with {kinds[1]}", hint
    if function == "@in" and len(types) == 2:
        return f"`in` wants a list or a map on its right, not {kinds[1]}", hint
    if function == "_?_:_":
        return "`?` wants a condition before it, and two values of one type around `:`", hint
    if function in {"_&&_", "_||_", "!_"}:
        wrong = next((kind for kind, type_ in zip(kinds, types, strict=True) if type_ not in {"bool", "dyn"}), kinds[0])
        return f"`{sign}` is for conditions, not for {wrong}", hint
    if sign:
        return f"`{sign}` does not go with {' and '.join(kinds)}", hint
    return f"`{function.rpartition('.')[2]}` does not take {' and '.join(kinds) or 'no value'}", hint


def _for_types(function: str, types: list[str], words: Sequence[Token], index: int) -> Iterator[str]:
    """What would be right, for the mixtures that people write."""
    pair = set(types)
    if function in _COMPARING and "bool" in pair and len(pair) == 2 and _negated_before(words, index):
        yield f"`!` binds more tightly than `{operator(function)}`: write `!(…)` around the comparison"
    elif function in _COMPARING and "bool" in pair and pair & _NUMBERS:
        yield "comparisons make no chain: write `1 < traits.x && traits.x < 9`"
    if function in _COMPARING and "google.protobuf.Timestamp" in pair and pair & {"string", "int"}:
        yield 'write `timestamp("2026-01-31T00:00:00Z")`, with time and zone'
    if function in _COMPARING and "google.protobuf.Duration" in pair and pair & (_NUMBERS | {"string"}):
        yield 'write `duration("720h")`; there are hours, minutes and seconds'
    if function in _COMPARING and "string" in pair and pair & _NUMBERS:
        yield "a number stands without quotation marks, a text within them"
    if function == "@in" and types[-1] == "string":
        yield 'a list is `["a", "b"]`; a part of a text is `traits.name.contains("part")`'
    if not pair - _NUMBERS and len(pair) == 2:
        yield "numbers of one kind go together: write `1.0` beside a fraction, or `double(…)` around the other"
    if function == "_+_" and "string" in pair:
        yield "`string(…)` makes a text of a number"
    if function in {"_+_", "_-_"} and pair & _TIMES:
        yield 'a moment goes with a duration: `now - duration("720h")`'


def _negated_before(words: Sequence[Token], index: int) -> bool:
    """Does a `!` stand before the left side?"""
    for word in reversed(words[:index]):
        if word.text == "!":
            return True
        if word.text in {"&&", "||", "("}:
            return False
    return False
