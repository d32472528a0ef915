"""What libyaml gives up on, in words that help. Pure but for libyaml's error type.

What lives here: from an error and where the reading stood to one `Finding`. What may not: reading on (`repair`).

1. libyaml says "did not find expected key" for most mistakes, far behind many of them. So the text around the error and
   the value that was being read are looked at, the likeliest mistake first: tabs, blanks from a word processor, a quote
   left open, a value that YAML mangles, a missing blank behind a colon, indentation, a bracket left open.
2. A finding is `sure` where it names the mistake; else it may be the echo of an earlier one.
"""

from collections.abc import Callable, Iterator

import re2
from msgspec import Struct

from engine import limits
from engine.problems import Problem
from engine.rules.yaml import mangled
from engine.rules.yaml.nodes import Node, Scalar
from engine.rules.yaml.source import Source


class TooDeep(Exception):  # noqa: N818
    """More than `limits.YAML_DEPTH` levels, at that index."""

    def __init__(self, index: int) -> None:
        super().__init__(index)
        self.index = index


class Trail(Struct, frozen=True):
    """Where the reading stood: `key` is the innermost key, `before` what stands before the value in question
    (`when:` or `-`), `after` an index before the next value. `value` is the last complete value there, `opened` where
    the innermost [ ] or { } begins, `last` the scalar that came last."""

    key: str = ""
    before: str = ""
    after: int = 0
    value: Node | None = None
    opened: int | None = None
    last: Scalar | None = None

    @property
    def flow(self) -> bool:
        """Whether it is inside [ ] or { }."""
        return self.opened is not None

    @property
    def condition(self) -> bool:
        """Whether the value is a condition."""
        return self.key in mangled.CONDITION_KEYS


class Finding(Struct, frozen=True):
    """A problem, and the line (from 1) whose mistake it is; `value` is where a value begins and ends that is the whole
    mistake."""

    problem: Problem
    line: int
    sure: bool
    value: tuple[int, int] | None = None


class _Scene(Struct, frozen=True):
    """An error of libyaml with all that helps to explain it."""

    source: Source
    trail: Trail
    index: int
    context: int | None  # where the thing began that could not be read to its end
    said: str
    while_: str

    @property
    def line(self) -> int:
        return self.source.position(self.index)[0]

    def text_of(self, line: int) -> str:
        return self.source.lines[line - 1] if 1 <= line <= len(self.source.lines) else ""

    def finding(self, start: int, end: int, code: str, message: str, hint: str = "", *, sure: bool = True) -> Finding:
        problem = self.source.problem(start, end, code, message, hint)
        return Finding(problem, problem.place.line, sure)


def explain(source: Source, trail: Trail, error: Exception) -> Finding:
    """The likeliest mistake behind an error."""
    if isinstance(error, TooDeep):
        message = f"nested deeper than {limits.YAML_DEPTH} levels"
        problem = source.problem(error.index, error.index + 1, "too-deep", message)
        return Finding(problem, problem.place.line, sure=True)
    mark, context = getattr(error, "problem_mark", None), getattr(error, "context_mark", None)
    scene = _Scene(
        source,
        trail,
        index=min(mark.index if mark else 0, len(source.text)),
        context=context.index if context else None,
        said=getattr(error, "problem", None) or str(error),
        while_=getattr(error, "context", None) or "",
    )
    found = next(filter(None, (look(scene) for look in _LOOKS)), None)
    return found or _unknown(scene)


def mangled_value(source: Source, trail: Trail, start: int, reason: str = "") -> Problem:
    """The problem with a value that begins with, or holds, what YAML reads as its own sign."""
    value = mangled.whole(source, start, condition=trail.condition, flow=trail.flow)
    reason = reason or (mangled.BRACES if value.startswith("{{") else mangled.STARTS.get(value[:1], mangled.COLON))
    hint = mangled.hint(trail.before, value, condition=trail.condition, flow=trail.flow)
    what, code = ("condition", "mangled-condition") if trail.condition else ("value", "needs-quotes")
    return source.problem(start, start + len(value), code, f"YAML misreads this {what}: {reason}", hint)


def _tab(scene: _Scene) -> Finding | None:
    if scene.source.text[scene.index : scene.index + 1] != "\t" and "tab character" not in scene.said:
        return None
    line = scene.text_of(scene.line)
    blank = len(line) - len(line.lstrip(" \t"))
    if "\t" not in line[:blank]:
        return None
    start = scene.source.starts[scene.line - 1]
    more = sum(1 for other in scene.source.lines if "\t" in other[: len(other) - len(other.lstrip(" \t"))]) - 1
    hint = "YAML indents with spaces alone" + (f"; this file has {more} more such lines" if more else "")
    return scene.finding(start + line.index("\t"), start + blank, "tab", "a tab in the indentation", hint)


def _odd_blank(scene: _Scene) -> Finding | None:
    """Blanks that look like spaces and are none: from web pages and word processors."""
    first = scene.source.position(scene.context)[0] if scene.context is not None else scene.line
    for line in dict.fromkeys((scene.line, first, scene.line - 1)):
        text = scene.text_of(line)
        for character in sorted(_ODD_BLANKS.intersection(text)):
            column = text.index(character)
            before = text[:column].strip()
            if not before or before[-1] in ":-":
                at = scene.source.starts[line - 1] + column
                message = f"this blank (U+{ord(character):04X}) looks like a space and is none"
                return scene.finding(at, at + 1, "odd-blank", message, "replace it by an ordinary space")
    return None


def _open_quote(scene: _Scene) -> Finding | None:
    start = None
    if "quoted scalar" in scene.while_ and "escape" not in scene.said and "hexdecimal" not in scene.said:
        start = scene.context
    last = scene.trail.last
    if (
        start is None
        and last is not None
        and last.style in ("'", '"')
        and "\n" in scene.source.text[last.start : last.end]
    ):
        blank = scene.source.text[last.end : max(last.end, scene.index)]
        start = last.start if not blank.strip() or scene.line == scene.source.position(last.end)[0] else None
    if start is None:
        return None
    quote = scene.source.text[start]
    value = mangled.whole(scene.source, start, condition=False, flow=False)
    message = f"the quote {quote} that opens here is not closed on its line"
    hint = f"close it: {quote}{value[1:60].rstrip(' ,]}')}{quote}"
    found = scene.finding(start, start + 1, "open-quote", message, hint)
    return Finding(found.problem, found.line, sure=True, value=(start, _line_end(scene.source, start)))


def _escape(scene: _Scene) -> Finding | None:
    if "escape" not in scene.said and "hexdecimal" not in scene.said:
        return None
    at = scene.source.text.rfind("\\", 0, scene.index + 1)
    at = at if at >= 0 else scene.index
    shown, message, hint = _escaped(scene.source.text[at : at + 22])
    found = scene.finding(at, at + len(shown), "bad-escape", message, hint)
    if scene.context is None:
        return found
    return Finding(found.problem, found.line, sure=True, value=(scene.context, _quote_end(scene.source, scene.context)))


def _escaped(text: str) -> tuple[str, str, str]:
    """What is wrong with the escape that the text begins with: the escape, message and hint."""
    found = _CODE.match(text)
    if found is None:
        shown = text[:2].strip()
        hint = "write the backslash twice, or use single quotes: they leave backslashes alone"
        if shown in _DIGITS:
            return shown, f"behind `{shown}` stand {_DIGITS[shown]} hexadecimal digits", hint
        return shown, f"`{shown}` means nothing in double quotes", hint
    code = int(found.group(1) or found.group(2), 16)
    if not 0xD800 <= code < 0xE000:
        return found.group(), f"`{found.group()}` is no character: there are none beyond U+10FFFF", "write it as it is"
    second = _CODE.match(text[found.end() :])
    low = int(second.group(1) or second.group(2), 16) if second else 0
    if code < 0xDC00 <= low < 0xE000:
        whole = chr(0x10000 + ((code - 0xD800) << 10) + low - 0xDC00)
        hint = f"write {whole} as it is, or `\\U{ord(whole):08X}`"
    else:
        hint = "write the whole character as it is"
    return found.group(), f"`{found.group()}` is half a character: JSON writes some as two, YAML none", hint


def _quote_end(source: Source, start: int) -> int:
    """Behind the closing quote of the text that opens there, or the end of its line."""
    stop = _line_end(source, start)
    at = start + 1
    while at < stop and source.text[at] != '"':
        at += 2 if source.text[at] == "\\" else 1
    return min(at + 1, stop)


def _line_end(source: Source, index: int) -> int:
    line = source.position(index)[0]
    return source.starts[line - 1] + len(source.lines[line - 1])


def _missing_blank(scene: _Scene) -> Finding | None:
    """`name:Corporate`: without the blank, YAML sees no key."""
    first = scene.source.position(scene.context)[0] if scene.context is not None else scene.line
    for line in dict.fromkeys((first, scene.line, scene.line - 1)):
        text = scene.text_of(line)
        found = _GLUED.match(text)
        if found and ": " not in text:
            start = scene.source.starts[line - 1] + found.start(2)
            right = f"{found.group(2)}: {found.group(3)}"
            return scene.finding(
                start,
                start + len(found.group(2)) + 1,
                "missing-blank",
                "a blank is missing behind the colon",
                f"write `{right[:80]}`",
            )
    return None


def _mangled(scene: _Scene) -> Finding | None:
    """A value that begins with one of YAML's own signs, or holds `: ` or brackets where it must not."""
    start = _value_start(scene)
    if start is None:
        return None
    text, line = scene.source.text, scene.source.position(start)[0]
    begins, condition = text[start], scene.trail.condition
    if line != scene.line and _KEY_LINE.match(scene.text_of(scene.line)):
        return None
    reason = mangled.COLON
    if begins in mangled.STARTS:
        if begins in "|>" or (begins in "[{" and not condition and not text.startswith("{{", start)):
            return None
        reason = ""
    elif condition and scene.trail.flow and text[scene.index : scene.index + 1] in ("[", "{", ":"):
        reason = mangled.COLON if text[scene.index] == ":" else mangled.BRACKET
    elif "mapping values are not allowed" not in scene.said or not text[start : scene.index].strip():
        return None
    end = mangled.end(scene.source, start, condition=condition, flow=scene.trail.flow)
    return Finding(mangled_value(scene.source, scene.trail, start, reason), line, sure=True, value=(start, end))


def _value_start(scene: _Scene) -> int | None:
    """Where the value in question begins: the last complete one, if the error is on its line; else the next one."""
    text, trail = scene.source.text, scene.trail
    if not trail.before:
        return None
    if trail.value is not None:
        gap = text[trail.value.end : scene.index]
        if trail.value.start < trail.value.end and "\n" not in gap and not (trail.flow and "," in gap):
            return trail.value.start
        if trail.before != "-":
            return None
    at = trail.after + (trail.before != "-" and text[trail.after : trail.after + 1] in ('"', "'"))
    while at < len(text) and text[at] in (" \t\n,[-" if trail.before == "-" else " \t\n:"):
        at += 1
    same = at < len(text) and scene.source.position(at)[0] == scene.line
    return at if same and at <= scene.index else None


def _open_bracket(scene: _Scene) -> Finding | None:
    opened = scene.trail.opened
    if opened is None:
        return None
    bracket = scene.source.text[opened]
    line = scene.source.position(opened)[0]
    rest = scene.source.text[scene.index : scene.index + 80].strip()
    if line != scene.line or not rest:
        message, at = f"the `{bracket}` that opens here is not closed", opened
    else:
        close = {"[": "]", "{": "}"}.get(bracket, "]")
        message, at = f"a comma or the closing `{close}` is missing here", scene.index
    return scene.finding(at, at + 1, "open-bracket", message)


def _block_text(scene: _Scene) -> Finding | None:
    if "block scalar" not in scene.while_ or scene.context is None:
        return None
    sign = scene.source.text[scene.context]
    hint = "put the text on the lines below, two spaces deeper than the key"
    return scene.finding(
        scene.context, scene.index, "block-text", f"the text after `{sign}` begins on the next line", hint
    )


def _no_colon(scene: _Scene) -> Finding | None:
    at = scene.context if "could not find expected ':'" in scene.said else None
    if at is None and "mapping values are not allowed" in scene.said and scene.trail.value is not None:
        at = scene.trail.value.start  # `small` and below it `name: Small`: YAML reads `small name` as one text
    if at is None:
        return None
    line, column = scene.source.position(at)
    if scene.text_of(line)[: column - 1].strip(" -"):
        return None
    text = scene.text_of(line)
    start = scene.source.starts[line - 1] + len(text) - len(text.lstrip(" "))
    hint = "a key needs a colon behind it; a text that goes on must stand deeper than its key"
    return scene.finding(
        start, start + len(text.strip()), "no-key", "expected `key: value`, got a line without a colon", hint
    )


def _misplaced(scene: _Scene) -> Finding | None:
    """What stands where it may not: a second document, a list beside its key, a key deeper than those above."""
    if "<document start>" in scene.said:
        message, hint = "a second YAML document begins here, and a rule file is only one", "remove the `...` above"
        return scene.finding(scene.index, scene.index + 3, "several-documents", message, hint)
    if "block sequence entries are not allowed" in scene.said:
        message, hint = (
            "a list must not begin on its key's line",
            "put every `- item` on a line of its own below the key",
        )
        return scene.finding(scene.index, scene.index + 1, "list-place", message, hint)
    if "not allowed in this context" not in scene.said:
        return None
    if _KEY_LINE.match(scene.text_of(scene.line)) and scene.trail.before:
        return _indentation(scene)
    return None


def _indentation(scene: _Scene) -> Finding | None:
    text = scene.text_of(scene.line)
    lead = len(text) - len(text.lstrip(" "))
    start = scene.source.starts[scene.line - 1] + lead
    above = list(_levels(scene, lead))
    if not text.strip() or not above or ("expected" not in scene.said and "not allowed" not in scene.said):
        return None
    message = f"this line begins in column {lead + 1}, where no block above begins"
    hint = "keys of one block stand exactly under each other; above, " + ", ".join(
        f"`{name}` begins in column {column}" for column, name in above[:3]
    )
    beside = next((name for column, name in above if column == lead + 1), None)
    if beside is not None and text.lstrip().startswith("-"):
        message, hint = "a list item among keys", "a list stands below a key of its own, deeper than it"
    elif beside is not None:
        message = "a key among list items" if beside.startswith("-") else "expected `key: value` here"
    return scene.finding(start, start + len(text.strip()), "indentation", message, hint, sure=False)


def _levels(scene: _Scene, lead: int) -> Iterator[tuple[int, str]]:
    """Columns at which blocks begin above the line, nearest first, each with its key or dash."""
    least = 10_000
    for line in range(scene.line - 1, max(0, scene.line - 200), -1):
        found = _KEY_LINE.match(scene.text_of(line))
        if found and len(found.group(1)) < least:
            least = len(found.group(1))
            yield least + 1, found.group(2).rstrip() if found.group(2).startswith("-") else found.group(2)
            if least < lead:
                return


def _unknown(scene: _Scene) -> Finding:
    said = f"YAML cannot read this: {scene.said}" + (f" {scene.while_}" if scene.while_ else "")
    return scene.finding(scene.index, scene.index + 1, "yaml-syntax", said, sure=False)


_ODD_BLANKS = frozenset("\u00a0\u2002\u2003\u2007\u2009\u200b\u202f\u3000")
_CODE = re2.compile(r"\\(?:u([0-9A-Fa-f]{4})|U([0-9A-Fa-f]{8}))")
_DIGITS = {r"\x": "two", r"\u": "four", r"\U": "eight"}
_GLUED = re2.compile(r"^(\s*(?:- )?)([A-Za-z_][A-Za-z0-9_-]*):([^\s/:].*)$")
_KEY_LINE = re2.compile(r"^( *)((?:- )*[A-Za-z0-9_.\"'-]+:|-)(?: |$)")
_LOOKS: tuple[Callable[[_Scene], Finding | None], ...] = (
    _tab,
    _odd_blank,
    _escape,
    _open_quote,
    _mangled,
    _missing_blank,
    _block_text,
    _no_colon,
    _open_bracket,
    _misplaced,
    _indentation,
)
