"""A rules folder into a ruleset: the one door of this room.

What lives here: the order of the steps. What may not: the steps.

1. files -> bytes -> text (`source`) -> tree (`compose`) -> shape (`read`) -> words (`build`). Each step takes what
   the one before could save, so that one run finds every problem of every file.
2. A key stands once in the whole folder; a second one names the place of the first.
3. The ruleset is there only if nothing is wrong. Nothing a file holds raises.
"""

from collections.abc import Sequence
from pathlib import Path

from msgspec import Struct

from engine.problems import Problem, errors, in_order
from engine.rules.build import build
from engine.rules.compose import compose
from engine.rules.document import Document
from engine.rules.files import RuleText, read_files, rule_files
from engine.rules.read import read
from engine.rules.source import decode
from engine.words import Ruleset

__all__ = ["Loaded", "load", "load_texts", "rule_files"]

# Sections whose keys are unique over the folder, and what one of them is called.
_SECTIONS = {"segments": "segment", "traits": "trait", "experiences": "experience", "conversions": "conversion"}


class Loaded(Struct, frozen=True):
    """`ruleset` is `None` if and only if there is an error among `problems`, which are in order of place."""

    ruleset: Ruleset | None
    problems: tuple[Problem, ...]


def load(folder: Path, *, doubts: bool = True) -> Loaded:
    """Reads a rules folder. Never raises for what files hold, nor for files that cannot be read.

    Without `doubts` there are no warnings, for those who only want the ruleset: half the work.
    """
    texts, problems = read_files(folder)
    return _checked(*_load(texts, doubts=doubts), problems)


def load_texts(texts: Sequence[RuleText]) -> Loaded:
    """The same for files that lie elsewhere (a git revision, a request)."""
    return _checked(*_load(texts, doubts=True), [])


def _load(texts: Sequence[RuleText], *, doubts: bool) -> tuple[Ruleset | None, list[Problem]]:
    documents: list[Document] = []
    problems: list[Problem] = []
    elsewhere: frozenset[str] = frozenset()
    for text in texts:
        document, found, lost = _document(text)
        problems += found
        elsewhere |= lost
        if document is not None:
            documents.append(document)
    problems += _duplicates(documents)
    ruleset, found = build(documents, elsewhere, doubts=doubts)
    return ruleset, problems + found


def _document(text: RuleText) -> tuple[Document | None, list[Problem], frozenset[str]]:
    source, problems = decode(text.file, text.data)
    if source is None:
        return None, problems, frozenset()
    composed = compose(source)
    document, found = read(source, composed)
    return document, problems + composed.problems + found, composed.lost


def _duplicates(documents: Sequence[Document]) -> list[Problem]:
    """Keys that stand in two files (twice in one is `compose`'s)."""
    problems = []
    for section, noun in _SECTIONS.items():
        first: dict[str, Document] = {}
        for document in documents:
            for name in document.names(section):
                other = first.setdefault(name, document)
                if other is document:
                    continue
                there = other.place((section, name))
                key = other.key((section, name))
                there = key.place if key is not None else there
                message = f"duplicate {noun} `{name}`: it stands already in {there.file}:{there.line}"
                hint = "a key is unique over the whole rules folder: rename or remove one of them"
                problems.append(document.problem((section, name), "duplicate-key", message, hint, at="key"))
    return problems


def _checked(ruleset: Ruleset | None, problems: list[Problem], more: list[Problem]) -> Loaded:
    ordered = tuple(in_order(problems + more))
    return Loaded(None if errors(ordered) else ruleset, ordered)
