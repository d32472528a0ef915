"""A condition as a tree of sub-expressions, each with its truth, its text and its place.

What lives here: cutting the text along the tree. What may not: meaning. Every truth is the reference
implementation's word on that very sub-expression (`wire.cut`), within the types of the whole.

1. `&&` and `||` chains are one step with many parts, however the parser grouped them; `!` and `?:` are steps; all
   else is a leaf, a *test*.
2. The tree has the offset of every operator. Its operands' texts are what stands left and right of it, without the
   parentheses around them. Where text and tree do not fit together (what a macro made), the rest is one test.
3. A place counts lines and columns from where the condition begins. It is the file's own wherever the condition is
   written plainly: on one line, or as a block (`|`).
"""

from engine.cel.tokens import Token, tokens
from engine.cel.tree import Call, Node
from engine.cel.wire import read
from engine.decide.explain_facts import Facts
from engine.decide.explanation import Kind, Step, Truth
from engine.words import Condition, Place

_OPENING, _CLOSING = frozenset("([{"), frozenset(")]}")


def steps(condition: Condition, facts: Facts) -> Step:
    """The condition's tree with truths."""
    return _Cutter(condition, facts).step(read(condition.checked), tokens(condition.text))


class _Cutter:
    """One condition in work."""

    def __init__(self, condition: Condition, facts: Facts) -> None:
        self._text = condition.text
        self._place = condition.place
        self._checked = condition.checked
        self._facts = facts

    def step(self, node: Node, words: list[Token]) -> Step:
        """The step of a node whose text these are."""
        words = _bare(words)
        match node:
            case Call(function="_&&_" | "_||_" as function) if (parts := _chain(node, words)) is not None:
                return self._made("all" if function == "_&&_" else "any", node, words, parts)
            case Call(function="!_", args=(operand,)) if words and words[0].offset == node.offset:
                return self._made("not", node, words, [(operand, words[1:])])
            case Call(function="_?_:_") if (parts := _choice(node, words)) is not None:
                return self._made("choice", node, words, parts)
        return self._test(node, words)

    def _made(self, kind: Kind, node: Node, words: list[Token], parts: list[tuple[Node, list[Token]]]) -> Step:
        below = tuple(self.step(part, text) for part, text in parts)
        return Step(kind, self._truth(node), self._words(words), self._at(words), below)

    def _test(self, node: Node, words: list[Token]) -> Step:
        truth = self._truth(node)
        causes = tuple(self._facts.causes(self._checked, node)) if truth == "unknown" else ()
        facts = tuple(self._facts.in_(node))
        return Step("test", truth, self._words(words), self._at(words), facts=facts, causes=causes)

    def _truth(self, node: Node) -> Truth:
        value = self._facts.value(self._checked, node)
        return "true" if value is True else "false" if value is False else "unknown"

    def _words(self, words: list[Token]) -> str:
        return self._text[words[0].offset : words[-1].end]

    def _at(self, words: list[Token]) -> Place:
        before = self._text[: words[0].offset]
        return Place(
            self._place.file,
            self._place.line + before.count("\n"),
            self._place.column + len(before.rpartition("\n")[2]),
        )


def _bare(words: list[Token]) -> list[Token]:
    """The same without parentheses around all of it."""
    while len(words) > 2 and words[0].text == "(" and _closing(words) == len(words) - 1:
        words = words[1:-1]
    return words


def _closing(words: list[Token]) -> int:
    """The index of the token that closes the first one."""
    return next((index for index, depth in enumerate(_depths(words)) if index and depth == 0), -1)


def _depths(words: list[Token]) -> list[int]:
    """How many brackets are open after each token."""
    depths, depth = [], 0
    for word in words:
        if word.kind == "symbol":
            depth += (word.text in _OPENING) - (word.text in _CLOSING)
        depths.append(depth)
    return depths


def _operator(node: Node, words: list[Token]) -> int | None:
    """The index of the node's own operator, outside of all brackets."""
    found = (i for i, depth in enumerate(_depths(words)) if depth == 0 and words[i].offset == node.offset)
    at = next(found, None)
    return at if at is not None and 0 < at < len(words) - 1 else None


def _chain(node: Call, words: list[Token]) -> list[tuple[Node, list[Token]]] | None:
    """The operands of a chain of one connective, with their texts."""
    parts: list[tuple[Node, list[Token]]] = []
    waiting: list[tuple[Node, list[Token]]] = [(node, words)]
    while waiting:
        part, text = waiting.pop()
        text = _bare(text)
        at = _operator(part, text) if isinstance(part, Call) and part.function == node.function else None
        if at is not None and isinstance(part, Call):
            waiting += [(part.args[1], text[at + 1 :]), (part.args[0], text[:at])]
        else:
            parts.append((part, text))
    return parts if len(parts) > 1 else None


def _choice(node: Call, words: list[Token]) -> list[tuple[Node, list[Token]]] | None:
    """Condition and branches of `a ? b : c`, with their texts. Another `?:` within b has parentheses around it."""
    at = _operator(node, words)
    if at is None:
        return None
    colons = (i for i, depth in enumerate(_depths(words)) if i > at and depth == 0 and words[i].text == ":")
    colon = next(colons, None)
    texts = (words[:at], words[at + 1 : colon], words[colon + 1 :]) if colon is not None else ()
    return list(zip(node.args, texts, strict=True)) if texts and all(texts) else None
