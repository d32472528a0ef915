r"""The words of a condition's text, right ones and wrong ones. Only for explaining mistakes; pure.

What lives here: cutting text into tokens by CEL's lexical grammar, generously. What may not: deciding whether a
condition is right, which is the reference implementation's word.

1. Right tokens: `name number string symbol`; space and comments are left out.
2. Wrong ones are named by what somebody meant: `operator` (an operator of another language: `=`, `===`, `<>`,
   `&`, `≥`), `quoted` (text in typographic quotes), `unclosed` (a string without its end), `bad` (any other
   character that CEL does not know).
3. Texts are cut whether or not they make sense; every character that is not space is in exactly one token.
"""

import re2
from msgspec import Struct


class Token(Struct, frozen=True):
    """One word of the text; `offset` in code points."""

    kind: str
    text: str
    offset: int

    @property
    def end(self) -> int:
        """The offset right after it."""
        return self.offset + len(self.text)


_GRAMMAR = (
    ("space", r"[ \t\r\n\f]+|//[^\n]*"),
    ("string", r"(?i:br?|r)?(?s:\"\"\"(?:[^\\]|\\.)*?\"\"\"|'''(?:[^\\]|\\.)*?''')"),
    ("string", r"(?i:br|r)(?:\"[^\"\n\r]*\"|'[^'\n\r]*')"),
    ("string", r"(?i:b)?(?:\"(?:[^\"\\\n\r]|\\.)*\"|'(?:[^'\\\n\r]|\\.)*')"),
    ("name", r"[A-Za-z_][A-Za-z0-9_]*|`[A-Za-z0-9_.\-/ ]+`"),
    ("number", r"0[xX][0-9a-fA-F]+[uU]?|[0-9]*\.[0-9]+(?:[eE][+-]?[0-9]+)?|[0-9]+[eE][+-]?[0-9]+|[0-9]+[uU]?"),
    ("operator", r"===|!==|<>|=>|=<|=~|!~|:=|->|\?\?|\*\*"),
    ("symbol", r"&&|\|\||==|!=|<=|>=|[<>\[\]{}().,\-!?:+*/%]"),
    ("operator", r"[=&|;≠≤≥≈×÷¬∧∨∈–—−]"),
    ("quoted", r"[“”„‟«»‘’‚‛][^“”„‟«»‘’‚‛\n]*[“”„‟«»‘’‚‛]"),
    ("unclosed", r"[\"'][^\n]*|[“”„‟«»‘’‚‛][^\n]*"),
    ("bad", r"(?s:.)"),
)
_KINDS = tuple(kind for kind, _ in _GRAMMAR)
_TOKEN = re2.compile("|".join(f"({pattern})" for _, pattern in _GRAMMAR))


def tokens(text: str) -> list[Token]:
    """The text's tokens, in order. The text holds no lone surrogate."""
    found = (Token(_KINDS[m.lastindex - 1], m.group(), m.start()) for m in _TOKEN.finditer(text))
    return [token for token in found if token.kind != "space"]


def ends_value(token: Token) -> bool:
    """May a value end here, so that an operator comes next?"""
    return token.kind in {"name", "number", "string", "quoted"} or token.text in {")", "]", "}"}


def begins_value(token: Token) -> bool:
    """May a value begin here?"""
    return token.kind in {"name", "number", "string", "quoted"} or token.text in {"(", "[", "{", "!", "-", "."}
