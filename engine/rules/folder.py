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
from engine.rules.desk import Rest
from engine.rules.document import Document
from engine.rules.doubts.lint import NOTHING_KNOWN, Circumstances
from engine.rules.files import RuleText, read_files, rule_files
from engine.rules.read import read
from engine.rules.yaml.compose import compose
from engine.rules.yaml.source import NOT_UTF8, decode
from engine.words import Ruleset

__all__ = ["Circumstances", "Loaded", "load", "load_texts", "rule_files"]

# Sections whose keys are unique over the folder, and what one of them is called.
_SECTIONS = {"segments": "segment", "traits": "trait", "experiences": "experience", "conversions": "conversion"}


class Loaded(Struct, frozen=True):
    """`ruleset` is `None` if and only if there is an error among `problems`, which are in order of place.

    But first is told which files cannot be read at all: what the others seem to lack may stand there.
    """

    ruleset: Ruleset | None
    problems: tuple[Problem, ...]


def load(
    folder: Path,
    *,
    doubts: bool = True,
    circumstances: Circumstances = NOTHING_KNOWN,
    rest: Rest = lambda: None,
) -> Loaded:
    """Reads a rules folder. Never raises for what files hold, nor for files that cannot be read.

    Without `doubts` there are no warnings, for those who only want the ruleset: half the work. `circumstances` bring
    those that files alone do not raise. `rest` is called every now and then: who loads beside other work sleeps there.
    """
    texts, problems = read_files(folder)
    return _checked(*_load(texts, circumstances, doubts=doubts, rest=rest), problems)


def load_texts(texts: Sequence[RuleText]) -> Loaded:
    """The same for files that lie elsewhere (a git revision, a request)."""
    return _checked(*_load(texts, NOTHING_KNOWN, doubts=True, rest=lambda: None), [])


def _load(
    texts: Sequence[RuleText], circumstances: Circumstances, *, doubts: bool, rest: Rest
) -> tuple[Ruleset | None, list[Problem]]:
    documents: list[Document] = []
    problems: list[Problem] = []
    garbled: set[tuple[str, int]] = set()
    elsewhere: frozenset[str] = frozenset()
    for text in texts:
        rest()
        document, found, lost = _document(text)
        problems += found
        elsewhere |= lost
        garbled |= _garbled(document, found)
        if document is not None:
            documents.append(document)
    problems += _duplicates(documents)
    ruleset, found = build(documents, elsewhere, doubts=doubts, circumstances=circumstances, rest=rest)
    while documents:
        documents.pop()  # one after the other: the trees of a large folder at once hold everything up
    found = problems + found
    return ruleset, [p for p in found if p.code == NOT_UTF8 or (p.place.file, p.place.line) not in garbled]


def _garbled(document: Document | None, problems: Sequence[Problem]) -> set[tuple[str, int]]:
    """File and number of the lines that hold bytes which are not UTF-8: what else seems wrong there may be that alone,
    and it was reported."""
    if document is None or not any(problem.code == NOT_UTF8 for problem in problems):
        return set()
    lines = document.source.lines
    return {(document.file, number) for number, line in enumerate(lines, 1) if "\ufffd" in line}


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
    ordered = (*in_order(more), *in_order(problems))
    return Loaded(None if errors(ordered) else ruleset, ordered)
