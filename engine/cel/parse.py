"""From a condition's text to its checked bytes, or to what is wrong with it.

What lives here: the one way in for conditions. What may not: files and lines (offsets are all it knows), and
doubts about conditions that are right (that is `doubts`).

1. Guard: what would do no good in the reference implementation (an empty text, one beyond the limit, lone
   surrogates) is told before it gets there. Nesting it limits by itself, at 32.
2. Parse and check: the reference implementation. Its complaints are put into plain words by `hints`.
3. What CEL cannot know: at most `CONDITION_NODES` nodes, true or false as its type, fields that exist.
4. What comes out can be planned: the bytes are read back once, since a protobuf nests less deeply than CEL.
"""

from engine.cel.closed import unknown_fields
from engine.cel.errors import CelError, CelErrors
from engine.cel.hints import TOO_DEEP, explain
from engine.cel.scope import VISIT, Scope, environment
from engine.cel.tree import Node
from engine.cel.vocabulary import type_in_words
from engine.cel.walk import walk
from engine.cel.wire import read
from engine.limits import CONDITION_CHARS, CONDITION_NODES

__all__ = ["CelError", "CelErrors", "expression", "parse"]

_TRUTHS = frozenset({"bool", "dyn", "wrapper(bool)"})


def parse(text: str, scope: Scope = VISIT) -> bytes:
    """The checked bytes of a condition (`words.Condition.checked`); raises `CelErrors`."""
    checked = expression(text, scope)
    root = read(checked)
    if errors := [*_size(text, root), *_result(text, root), *unknown_fields(text, root, scope)]:
        raise CelErrors(errors)
    return checked


def expression(text: str, scope: Scope = VISIT, *, check: bool = True) -> bytes:
    """The checked bytes of any expression of CEL, whatever its type; with `check=False` it is only parsed."""
    if errors := _guard(text):
        raise CelErrors(errors)
    env = environment(scope)
    try:
        compiled = env.compile(text, disable_check=not check).serialize()
    except RuntimeError as error:
        raise CelErrors(explain(text, str(error), [name for name, _ in scope.names])) from None
    try:
        env.deserialize(compiled)
    except RuntimeError:
        raise CelErrors([_whole(text, TOO_DEEP, "give parts of it to several conditions")]) from None
    return bytes(compiled)


def _guard(text: str) -> list[CelError]:
    if not text.strip():
        hint = "write what has to be true; `true` alone matches everybody"
        return [CelError(offset=0, width=1, message="the condition is empty", hint=hint)]
    if len(text) > CONDITION_CHARS:
        message = f"the condition has {len(text):,} characters; at most {CONDITION_CHARS:,} are read"
        return [CelError(offset=0, width=1, message=message, hint="give long lists to a trait")]
    for offset, character in enumerate(text):
        if "\ud800" <= character <= "\udfff":
            message = f"half a character (U+{ord(character):04X}) stands here"
            return [CelError(offset=offset, width=1, message=message, hint="delete it")]
    return []


def _size(text: str, root: Node) -> list[CelError]:
    nodes = sum(1 for _ in walk(root))
    if nodes <= CONDITION_NODES:
        return []
    message = f"the condition has {nodes:,} parts; at most {CONDITION_NODES:,} are taken"
    return [_whole(text, message, "split it into several conditions, or let a trait say it")]


def _result(text: str, root: Node) -> list[CelError]:
    if root.type in _TRUTHS:
        return []
    message = f"a condition has to be true or false; this one is {type_in_words(root.type)}"
    return [_whole(text, message, "compare it with something, as in `traits.employees > 50`")]


def _whole(text: str, message: str, hint: str) -> CelError:
    """About the whole condition: from its first character that is not space to the end of that line."""
    begin = len(text) - len(text.lstrip())
    return CelError(offset=begin, width=len(text[begin:].partition("\n")[0].rstrip()), message=message, hint=hint)
