"""Words in places where CEL wants none: `a and b`, `not a`, `a is null`, `traits.first name`, `a &&`.

What lives here: what two neighbouring tokens tell of a condition that does not parse. What may not: single
characters (that is `mistakes`), types (that is `hints`).

1. Two values in a row want an operator between them; a known word of another language says which one was meant.
2. An operator wants a value on each of its sides, a `.` a name, a `?` its `:`.
3. Of a run of such places only the first is told: the others follow from it.
"""

from collections.abc import Iterator, Sequence

from engine.cel.errors import CelError, at, between
from engine.cel.tokens import Token, begins_value, ends_value
from engine.cel.vocabulary import FUNCTIONS

_BINARY = frozenset({"&&", "||", "==", "!=", "<", "<=", ">", ">=", "+", "*", "/", "%", "in", "?", ":"})
_KEYWORDS = frozenset({"in", "true", "false", "null"})

_JOINING = {
    "and": "write `&&`",
    "or": "write `||`",
    "xor": "write `(a || b) && !(a && b)`",
    "equals": "write `==`",
    "equal": "write `==`",
    "eq": "write `==`",
    "is": "write `==`",
    "isnt": "write `!=`",
    "ne": "write `!=`",
    "neq": "write `!=`",
    "lt": "write `<`",
    "le": "write `<=`",
    "lte": "write `<=`",
    "gt": "write `>`",
    "ge": "write `>=`",
    "gte": "write `>=`",
    "mod": "write `%`",
    "div": "write `/`",
    "plus": "write `+`",
    "minus": "write `-`",
    "then": "write `condition ? this : that`",
    "else": "write `condition ? this : that`",
    "between": "write `traits.x >= 1 && traits.x <= 2`",
    "contains": 'write `traits.name.contains("part")`',
    "includes": 'write `traits.name.contains("part")`',
    "has": 'write `traits.name.contains("part")`',
    "like": 'write `traits.name.contains("part")`',
    "ilike": 'write `traits.name.lowerAscii().contains("part")`',
    "startswith": 'write `traits.name.startsWith("part")`',
    "starts": 'write `traits.name.startsWith("part")`',
    "begins": 'write `traits.name.startsWith("part")`',
    "endswith": 'write `traits.name.endsWith("part")`',
    "ends": 'write `traits.name.endsWith("part")`',
    "matches": 'write `traits.name.matches("pattern")`',
    "regex": 'write `traits.name.matches("pattern")`',
    "exists": "write `has(traits.name)`",
}
_LEADING = {
    "not": 'write `!`, with parentheses around what it is for: `!(traits.plan == "free")`',
    "if": "a condition needs no `if`; for a choice write `condition ? this : that`",
    "when": "a condition needs no `when`",
    "where": "a condition needs no `where`",
    "exists": "write `has(traits.name)`",
    "defined": "write `has(traits.name)`",
}
_UNITS = {"s": "s", "sec": "s", "m": "m", "min": "m", "h": "h"}
_HOURS = {"d": 24, "day": 24, "days": 24, "w": 168, "week": 168, "weeks": 168}


def phrases(words: Sequence[Token]) -> Iterator[CelError]:
    """The first place where the words do not make a phrase."""
    pairs = zip([None, *words], [*words, None], strict=True)
    for index, (before, after) in enumerate(pairs):
        error = _pair(words, index, before, after)
        if error is not None:
            yield error
            return
    yield from _choices(words)


def _pair(words: Sequence[Token], index: int, before: Token | None, after: Token | None) -> CelError | None:
    """`index` is that of `after`."""
    if before is not None and before.text == ".":
        return _after_dot(words, index, before, after)
    if before is not None and after is not None and after.text == "(" and before.text in {"if", "when", "where"}:
        return at(before, f"CEL has no `{before.text}`", _LEADING[before.text])
    if before is not None and after is not None and _in_a_row(before, after):
        return _two_values(words, index, before, after)
    if before is not None and _is_binary(before) and (after is None or not begins_value(after)):
        share = before.text == "%" and index >= 2 and words[index - 2].kind == "number"
        hint = "a share is written as a fraction: `0.05`" if share else ""
        return None if _is_told(after) else _missing(before, "after", hint)
    if after is not None and _is_binary(after) and (before is None or before.text in {"(", "[", ","}):
        return None if after.text == "?" else _missing(after, "before")
    return None


def _missing(operator: Token, side: str, hint: str = "") -> CelError:
    return at(operator, f"something is missing {side} `{operator.text}`", hint)


def _is_told(word: Token | None) -> bool:
    """Is it something that `mistakes` names anyway?"""
    return word is not None and word.kind in {"operator", "bad"}


def _is_binary(word: Token) -> bool:
    return word.text in _BINARY and word.kind in {"symbol", "name"}


def _in_a_row(before: Token, after: Token) -> bool:
    """A value right after a value, neither being the word `in`."""
    values = {"name", "number", "string", "quoted"}
    return ends_value(before) and before.text != "in" and after.kind in values and after.text != "in"


def _two_values(words: Sequence[Token], index: int, before: Token, after: Token) -> CelError:
    subject = path_before(words, index)
    word, then = after.text.lower(), words[index + 1].text.lower() if index + 1 < len(words) else ""
    if word == "not" and then == "in":
        return between(after, words[index + 1], "CEL has no `not in`", 'write `!(traits.plan in ["free", "pro"])`')
    if word in {"is", "isnt"} and then in {"null", "none", "not", "empty", "undefined", "known", "set"}:
        return at(
            after,
            f"CEL has no `{after.text}`",
            f"whether a trait is known at all says `has({subject or 'traits.name'})`",
        )
    if word in {"like", "ilike"} and then and words[index + 1].kind == "string":
        return at(after, f"CEL has no `{after.text}`", _like(subject or "traits.name", words[index + 1].text, word))
    if after.kind == "name" and word in _JOINING:
        part = words[index + 1].text if then and words[index + 1].kind == "string" else '"part"'
        hint = _JOINING[word].replace("traits.name", subject or "traits.name").replace('"part"', part)
        return at(after, f"CEL has no `{after.text}`", hint)
    if before.kind == "name" and before.text.lower() in _LEADING:
        return at(before, f"CEL has no `{before.text}`", _LEADING[before.text.lower()])
    if before.text in FUNCTIONS and after.kind == "name":
        return at(before, f"`{before.text}` wants parentheses", f"write `{before.text}(…)`")
    if after.kind == "name" and after.text == "IN":
        return at(after, "CEL has no `IN`", "write `in`, in small letters")
    if before.kind == "number" and after.kind == "name" and before.end == after.offset:
        return _number_with_unit(before, after)
    if after.kind == "number" and after.text.startswith(".") and before.end == after.offset:
        last = words[index + 1] if then else after
        return between(after, last, "a name begins with a letter", _quoted_name(words, index))
    if before.kind == after.kind == "name" and index >= 3 and words[index - 2].text in {".", "["}:
        name = f"{before.text} {after.text}"
        hint = f'write `{words[index - 3].text}["{name}"]` if that is the name; otherwise an operator is missing'
        return between(before, after, "two names in a row", hint)
    message = f"an operator is missing between `{before.text}` and `{after.text}`"
    return at(after, message, "write `&&`, `||`, `==` or another operator between them")


def _like(subject: str, pattern: str, word: str) -> str:
    """SQL's `like`: `%` is any text, `_` any character."""
    quote, inner = pattern[-1], pattern.strip("rR")[1:-1]
    subject += ".lowerAscii()" if word == "ilike" else ""
    bare = inner.strip("%")
    bare = bare.lower() if word == "ilike" else bare
    if not bare or "%" in bare or "_" in bare:
        return f"write `{subject}.matches({quote}pattern{quote})`: `.*` is any text, `.` any character"
    if inner == bare or inner.lower() == bare:
        return f"write `{subject} == {quote}{bare}{quote}`"
    method = "contains" if inner[0] == inner[-1] == "%" else "endsWith" if inner[0] == "%" else "startsWith"
    return f"write `{subject}.{method}({quote}{bare}{quote})`"


def _number_with_unit(number: Token, unit: Token) -> CelError:
    """`30d`, `10k`: a number ends where its digits end."""
    hint = ""
    if unit.text in _HOURS and number.text.isdigit():
        hint = f'write `duration("{int(number.text) * _HOURS[unit.text]}h")`'
    elif unit.text in _UNITS:
        hint = f'write `duration("{number.text}{_UNITS[unit.text]}")`'
    return between(number, unit, f"`{number.text}{unit.text}` is no number", hint)


def _quoted_name(words: Sequence[Token], index: int) -> str:
    rest = words[index].text[1:]
    if index + 1 < len(words) and words[index].end == words[index + 1].offset:
        rest += words[index + 1].text
    return f'write `{words[index - 1].text}["{rest}"]`'


def _after_dot(words: Sequence[Token], index: int, dot: Token, after: Token | None) -> CelError | None:
    """A `.` wants a name, or `?` and a name."""
    if after is None:
        return at(dot, "a name is missing after `.`")
    owner = words[index - 2].text if index >= 2 else "traits"
    if after.kind in {"string", "quoted"}:
        return at(after, "after `.` stands a name, not a text", f'write `{owner}["{after.text[1:-1]}"]`')
    if after.text in _KEYWORDS:
        return at(after, f"`{after.text}` is a word of CEL's own", f'write `{owner}["{after.text}"]`')
    if after.kind == "name" or after.text == "?" or _is_told(after):
        return None
    return at(dot, "a name is missing after `.`")


def _choices(words: Sequence[Token]) -> Iterator[CelError]:
    """A `?` without its `:`."""
    asked: list[list[int]] = [[]]
    for index, word in enumerate(words):
        if word.text in {"(", "[", "{"}:
            asked.append([])
        elif word.text in {")", "]", "}"} and len(asked) > 1:
            asked[0][:0] = asked.pop()[:1]
        elif word.text == "?" and index and ends_value(words[index - 1]):
            if asked[-1] and any(later.text == ":" for later in words[index:]):
                yield at(word, "a choice between `?` and `:` wants parentheses", "write `a ? (b ? c : d) : e`")
                return
            asked[-1].append(index)
        elif word.text == ":" and asked[-1]:
            asked[-1].pop()
    if open_ := [index for level in asked for index in level]:
        yield _no_colon(words[open_[0]], words[open_[0] + 1] if open_[0] + 1 < len(words) else None)


def _no_colon(question: Token, then: Token | None = None) -> CelError:
    if then is not None and then.text == "." and then.offset == question.end:
        return between(question, then, "CEL has no `?.`", "write `.?`, and `.orValue(…)` at the end")
    return at(question, "this `?` has no `:`", "write `condition ? this : that`")


def path_before(words: Sequence[Token], index: int) -> str:
    """The path that ends right before a token, as in `traits.company.name` before ` contains`; or nothing."""
    begin = index
    while begin and words[begin - 1].kind == "name" and words[begin - 1].text != "in":
        begin -= 1
        if not (begin and words[begin - 1].text == "."):
            break
        begin -= 1
    return "".join(word.text for word in words[begin:index])
