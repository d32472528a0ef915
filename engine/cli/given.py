"""A file in the form of a test's `given:`, read as rule files are, with the same problems at the same places.

What lives here: putting the rule reader's pieces together for this one block. What may not: a form of its own.

1. The file is the `given` of a test that is not in it. The rule reader wants whole documents, so the tree of the file
   is hung into one; places still count from the file itself.
2. Without `visitorId` it is about `test`, the first whom a test about anybody tries.
3. Anything that is wrong is an error, as in a rule file: a misspelt key would explain another visitor.
"""

import msgspec
from msgspec import structs

from engine.decide.cases import ANYBODY
from engine.problems import Problem, in_order
from engine.rules import shape
from engine.rules.cases import case
from engine.rules.desk import Desk, Known
from engine.rules.document import Document
from engine.rules.plans import Reading
from engine.rules.read import plan
from engine.rules.yaml.compose import compose
from engine.rules.yaml.nodes import Entry, Listing, Mapping, Node, Scalar
from engine.rules.yaml.source import Source, decode
from engine.words import Given, Place

_GIVEN = plan(msgspec.inspect.type_info(shape.Given))
_NOBODY_KNOWS = Known(frozenset(), frozenset(), frozenset(), frozenset())


def read_given(file: str, data: bytes) -> tuple[Given | None, list[Problem]]:
    """Who views what; None where something is wrong, and what that is. JSON is YAML here."""
    source, problems = decode(file, data)
    if source is None:
        return None, problems
    composed = compose(source)
    problems += map(_of_given, composed.problems)
    if composed.root is None:
        nothing = Problem(Place(file, 1, 1), "missing-key", "the file says nothing", "such as `page: {url: …}`")
        return None, problems or [nothing]
    reading = Reading(source, composed.root)
    written: shape.Given = _GIVEN.read(reading, composed.root, ())
    problems += reading.problems
    if problems:
        return None, in_order(problems)
    desk = Desk(_around(source, composed.root), _NOBODY_KNOWS)
    made = case(desk, 0, shape.Test(name=file, given=written, expect="nothing"), {})
    return (None, in_order(desk.problems)) if desk.problems else (_of_somebody(made.given), [])


def _of_somebody(given: Given) -> Given:
    """A test without a visitor is about anybody; one answer needs one of them."""
    profile = given.profile
    return structs.replace(given, profile=structs.replace(profile, visitor_id=profile.visitor_id or ANYBODY[0]))


def _of_given(problem: Problem) -> Problem:
    """The same in the words of this form, where the reader speaks of rule files."""
    if problem.code != "no-keys":
        return problem
    return structs.replace(problem, message="expected keys such as `visitorId:`, `traits:` and `page:`")


def _around(source: Source, root: Mapping) -> Document:
    """The document of a rule file whose only test has this `given`."""
    test = _mapping(source, "given", root)
    tests = Listing(source, root.start, root.end, flow=False, items=[test])
    return Document(source, shape.RuleFile(), _mapping(source, "tests", tests))


def _mapping(source: Source, key: str, value: Node) -> Mapping:
    named = Scalar(source, value.start, value.start, text=key, style="")
    return Mapping(source, value.start, value.end, flow=False, entries={key: Entry(named, value)})
