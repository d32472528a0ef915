"""`{{ path | default: 'text' }}`: the grammar of slots in templates. Pure.

What lives here: cutting a text into literals and holes, and reading paths. What may not: where a hole stands in
HTML or a URL (templates.py), values.

    slot    = "{{" (path ["|" "default" ":" quoted] | quoted) "}}"
    path    = name *("." name / "[" quoted "]")
    name    = [A-Za-z_][A-Za-z0-9_]*
    quoted  = "'" … "'" | '"' … '"'          with a backslash before a quote or backslash that is meant

1. `{{ '{{' }}` is how a literal `{{` is written.
2. A path is insertable or it is a mistake: what a page shows can be claimed by anybody (FACTS: `?ajs_trait_x=`).
3. All mistakes of a text are found in one go, each at its own characters.
"""

from collections.abc import Collection

import re2
from msgspec import Struct

from engine import limits
from engine.problems import did_you_mean
from engine.rules.notation.mistake import Mistake

Path = tuple[str, ...]


class Hole(Struct, frozen=True):
    """A slot as written: `offset` and `width` of the whole `{{ … }}` in the text."""

    path: Path
    default: str | None
    offset: int
    width: int


class Literal(Struct, frozen=True):
    """Text that stands for itself, from `offset` on."""

    text: str
    offset: int


_NAME = re2.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_QUOTED = re2.compile(r"""'((?:[^'\\]|\\.)*)'|"((?:[^"\\]|\\.)*)\"""")
_BLANK = re2.compile(r"\s*")
_HALF = re2.compile(r"\{\s*(?:traits|account|salesforce)[.\[][^{}]*\}")
_FILTER = re2.compile(r"\|\s*([A-Za-z_]*)\s*(:?)\s*")
_EXAMPLE = "{{ traits.company | default: 'your company' }}"

INSERTABLE_ROOTS = ("traits", "account", "salesforce")
ROOTS_TEXT = "`traits.`, `account.`, `salesforce.lead.` or `salesforce.contact.`"


def cut(text: str, insertable: Collection[Path]) -> tuple[list[Literal | Hole], list[Mistake]]:
    """The text as literals and holes in their order, and everything that is wrong with its slots."""
    parts: list[Literal | Hole] = []
    mistakes: list[Mistake] = []
    at = 0
    while at <= len(text):
        start = text.find("{{", at)
        literal = text[at:start] if start >= 0 else text[at:]
        mistakes += _half_slots(literal, at)
        parts += [Literal(literal, at)] if literal else []
        if start < 0:
            break
        window = text[start : start + limits.SLOT_CHARS]
        end = _end(window)
        if end < 0:
            line = window.split("\n", 1)[0].rstrip()
            return parts, [*mistakes, Mistake("`{{` is never closed", "a slot ends with `}}`", start, len(line))]
        try:
            parts.append(_slot(window, end, start, insertable))
        except Mistake as mistake:
            mistakes.append(mistake.moved(start))
        at = start + end
    return parts, mistakes


def _half_slots(literal: str, at: int) -> list[Mistake]:
    """`{ traits.company }`: somebody meant a slot."""
    return [
        Mistake("a slot has two braces on each side", f"`{{{found.group()}}}`", at + found.start(), len(found.group()))
        for found in _HALF.finditer(literal)
    ]


def _end(window: str) -> int:
    """Behind the `}}` that closes the slot, quoted texts passed over; -1 where there is none."""
    at = 2
    while at < len(window):
        if window.startswith("}}", at):
            return at + 2
        if window.startswith("{{", at):
            return -1
        quoted = _QUOTED.match(window, at) if window[at] in "'\"" else None
        at = quoted.end() if quoted else at + 1
    return -1


def _slot(window: str, end: int, start: int, insertable: Collection[Path]) -> Literal | Hole:
    at, stop = _BLANK.match(window, 2).end(), end - 2
    quoted = _QUOTED.match(window, at)
    if quoted and not window[quoted.end() : stop].strip():
        return Literal(_unquoted(quoted), start)
    path, behind = read_path(window[:stop], at)
    if path not in insertable:
        raise _not_insertable(path, insertable, at, behind - at)
    return Hole(path, _default(window[:stop], _BLANK.match(window, behind).end()), start, end)


def read_path(text: str, at: int = 0) -> tuple[Path, int]:
    """The path that begins at `at`, and where it ends."""
    first = _NAME.match(text, at)
    if first is None:
        found = text[at : at + 40].strip()
        raise Mistake(
            f"expected a path, got {f'`{found}`' if found else 'nothing'}",
            "a path is such as `traits.company`",
            at,
            max(1, len(found)),
        )
    names, at = [first.group()], first.end()
    while text[at : at + 1] in {".", "["}:
        found = _NAME.match(text, at + 1) if text[at] == "." else _QUOTED.match(text, at + 1)
        if found is None or (text[at] == "[" and text[found.end() : found.end() + 1] != "]"):
            raise Mistake(
                f"`{text[at : at + 40].strip()}` does not continue a path",
                'write `traits.company` or `traits["job title"]`',
                at,
                1,
            )
        names.append(found.group() if text[at] == "." else _unquoted(found))
        at = found.end() + (text[at] == "[")
    return tuple(names), at


def _unquoted(found: "re2._Match") -> str:
    inner = found.group(1) if found.group(1) is not None else found.group(2)
    return str(re2.sub(r"\\(.)", r"\1", inner))


def _default(body: str, at: int) -> str | None:
    """What stands behind the path: nothing, or `| default: 'text'`."""
    if at == len(body):
        return None
    if body[at] != "|":
        raise Mistake(
            f"expected `|` or `}}}}`, got `{body[at:].strip()}`", f"`{_EXAMPLE}`", at, len(body[at:].rstrip())
        )
    word = _FILTER.match(body, at)
    if word.group(1) != "default":
        name = word.group(1) or body[at + 1 :].strip()
        near = did_you_mean(name, ["default"])
        raise Mistake(
            f"unknown filter `{name}`",
            f"{near} " * bool(near) + f"the one filter is `{_EXAMPLE}`",
            word.start(1),
            max(1, len(name)),
        )
    at = word.end()
    quoted = _QUOTED.match(body, at) if word.group(2) else None
    if quoted is None:
        given = body[at:].strip()
        right = given.strip("'\"") or "your company"
        raise Mistake(
            "after `default` comes `:` and a quoted text",
            f"`default: '{right}'`",
            word.start(1),
            len(body[word.start(1) :].rstrip()),
        )
    if body[quoted.end() :].strip():
        rest = _BLANK.match(body, quoted.end()).end()
        raise Mistake("a slot has one default and nothing behind it", f"`{_EXAMPLE}`", rest, len(body[rest:].rstrip()))
    return _unquoted(quoted)


def shown(path: Path) -> str:
    """A path as one writes it."""
    return path[0] + "".join(f".{name}" if _NAME.fullmatch(name) else f"[{_quoted(name)}]" for name in path[1:])


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _not_insertable(path: Path, insertable: Collection[Path], at: int, width: int) -> Mistake:
    name = shown(path)
    if path[0] not in INSERTABLE_ROOTS:
        return Mistake(f"a page may not show `{name}`", f"a slot shows what begins with {ROOTS_TEXT}", at, width)
    siblings = {".".join(known[1:]): known for known in insertable if known[0] == path[0]}
    near = did_you_mean(".".join(path[1:]), siblings)
    hint = f"if everybody may see it: `insertable: [{name}]`"
    if near:
        hint = f"did you mean `{shown(siblings[near.split('`')[1]])}`? {hint}"
    return Mistake(f"a page may not show `{name}`: it is not in `insertable`", hint, at, width)
