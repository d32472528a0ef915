"""Values that YAML itself mangles, and the line that would be right. Pure.

What lives here: reasons and corrected lines. What may not: finding out that something went wrong (`compose` sees tags
and aliases, `syntax` sees what libyaml gave up on, `read` sees what YAML read silently as something else).

1. A plain (unquoted) value must not begin with one of `STARTS`, and must not hold `: ` or ` #`. Conditions do:
   `!has(traits.x)`, `"a" in traits.x`, `a ? b : c`, `traits.name == "x #1"`.
2. The correction is always the same value, said so that YAML leaves it alone: in the quotes that it does not hold
   itself, or as a `|` block.
3. To show the whole value, its end is looked for the way CEL reads: strings and brackets belong together.
"""

from msgspec import Struct

from engine.rules.yaml.source import Source

CONDITION_KEYS = frozenset({"when", "except", "where"})
STARTS = {
    "!": "YAML takes a word that begins with `!` for a tag",
    "&": "YAML takes a word that begins with `&` for an anchor",
    "*": "YAML takes a word that begins with `*` for an alias",
    '"': "for YAML, a value that begins with a quote ends at the next one",
    "'": "for YAML, a value that begins with a quote ends at the next one",
    "[": "for YAML, a value that begins with `[` is a list",
    "{": "for YAML, a value that begins with `{` is a block of keys",
    "|": "for YAML, `|` begins a text on the lines below",
    ">": "for YAML, `>` begins a text on the lines below",
    "%": "in YAML, a value must not begin with `%`",
    "@": "in YAML, a value must not begin with `@`",
    "`": "in YAML, a value must not begin with a backtick",
}
COLON = "for YAML, `: ` ends a key"
COMMENT = "for YAML, ` #` begins a comment: the rest of the line was cut off"
BRACES = "for YAML, `{{` begins a block of keys within a block of keys"
BRACKET = "inside [ ] and { }, a plain value must not hold brackets of its own"
COMMA = "inside [ ] and { }, YAML splits at every comma"

_OPEN = {"(": ")", "[": "]", "{": "}"}
_SHOWN = 400  # characters of a corrected line


class Reach(Struct, frozen=True):
    """How far a value goes when read like CEL: up to `end`. `is_open`: a string or bracket goes on behind it;
    `closes`: it holds a closing bracket of one that was opened before it."""

    end: int
    is_open: bool
    closes: bool


def reach(text: str, *, flow: bool = False) -> Reach:
    """Reads strings and brackets as CEL does, up to ` #` outside a string; inside [ ] and { } to the item's end."""
    closers: list[str] = []
    quote, at, closes = "", 0, False
    while at < len(text):
        character = text[at]
        if quote:
            if character == "\\":
                at += 1
            elif character == quote:
                quote = ""
        elif character in "\"'":
            quote = character
        elif character == "#" and text[max(0, at - 1)] in " \t\n":
            break
        elif character in _OPEN:
            closers.append(_OPEN[character])
        elif closers and character == closers[-1]:
            closers.pop()
        elif flow and not closers and character in ",]}":
            break
        elif character in ")]}":
            closes = True
        at += 1
    return Reach(min(at, len(text)), bool(quote or closers), closes)


def is_cut(text: str) -> bool:
    """Whether the text ends within a string or a bracket, as what YAML left of a condition does."""
    return reach(text).is_open


def whole(source: Source, start: int, *, condition: bool, flow: bool) -> str:
    """The value that was meant, from `start` on: its line and the lines that go on with it, on one line."""
    value = source.text[start : end(source, start, condition=condition, flow=flow)]
    return " ".join(value.split()) if "\n" in value else value.strip()


def end(source: Source, start: int, *, condition: bool, flow: bool) -> int:
    """The index behind the value that was meant."""
    text = source.text
    line = source.position(start)[0]
    stop = source.starts[line - 1] + len(source.lines[line - 1])
    indent = _indent(source.lines[line - 1])
    while line < len(source.lines) and not flow and _goes_on(source.lines[line], indent):
        stop += 1 + len(source.lines[line])
        line += 1
    value = text[start:stop]
    length = reach(value, flow=flow).end if condition or flow else len(value.split(" #", 1)[0])
    return start + len(value[:length].rstrip())


def _goes_on(line: str, indent: int) -> bool:
    """Whether the line belongs to the value above: deeper, and no list item, comment or `key:` of its own."""
    body = line.strip()
    if not body or _indent(line) <= indent or body[0] == "#" or body.startswith("- "):
        return False
    key = body.split(":", 1)[0]
    return not (len(key) < len(body) and key.replace("_", "").replace("-", "").isalnum())


def _indent(line: str) -> int:
    """Where a line's own keys stand: behind its blanks, and behind the dashes of list items."""
    body = line.lstrip(" ")
    return len(line) - len(body)


def corrected(before: str, value: str, *, condition: bool, flow: bool = False) -> str:
    """The line that YAML reads as meant: `before` is the key with its colon, or the dash."""
    value = _unwrapped(value, condition=condition)[:_SHOWN]
    lead = "" if flow and before == "-" else f"{before} "
    if "'" not in value:
        return f"{lead}'{value}'"
    if '"' not in value and "\\" not in value:
        return f'{lead}"{value}"'
    if flow:
        return f"{lead}'{value.replace(chr(39), chr(39) * 2)}'"
    return f"{before} |\n  {value}"


def _unwrapped(value: str, *, condition: bool) -> str:
    """Without the quotes around it, where they are meant as YAML's: `"traits.name.matches("x")"`."""
    quote = value[:1]
    if quote not in ("'", '"') or len(value) < 2 or not value.endswith(quote):
        return value
    if not condition:
        return value[1:-1]
    close = value.find(quote, 1)
    behind = value[close + 1 : close + 2]
    return value[1:-1] if behind.isalnum() or behind == "_" else value


def hint(before: str, value: str, *, condition: bool, flow: bool = False) -> str:
    """What would be right, for people: without the braces of a slot, which no condition has."""
    if condition and "{{" in value and "|" not in value:
        value = " ".join(value.replace("{{", "").replace("}}", "").split()) or value
    right = corrected(before, value, condition=condition, flow=flow)
    if "\n" in right:
        return f"write it below a `|`, where YAML leaves it alone:\n{right}"
    return f"write it in quotes:\n{right}"
