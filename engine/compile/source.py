"""From formulas to Python source.

What lives here: how terms, tests and whole predicates are written, and the namespace of what they name. What
may not: which tests there are in a formula (`normal`), how source becomes a function (`loading`).

1. No constant and no name of a user is ever text in the source: both are objects that the namespace binds to
   made-up names. c0 is a constant or a key, t0 a value, s0 and n0 a value as text and as number, e0 the
   element of a loop, q0 a loop's body, o0 a question to the reference implementation.
2. A term is read once, right before the first statement that needs it.
3. A predicate leaves at the first test that decides; so what is asked first matters (`order`).
4. A loop's body is a function of its own with a namespace of its own. No namespace holds a function that it is
   the namespace of, so old code goes without the garbage collector.
"""

from collections.abc import Callable, Mapping, Sequence
from itertools import repeat
from types import MappingProxyType
from typing import Any as Value

from engine.compile import functions as f
from engine.compile.form import (
    ALWAYS,
    All,
    Any,
    Applied,
    Asked,
    Element,
    Fixed,
    Formula,
    Loop,
    Member,
    Root,
    Term,
    Test,
    Unless,
    View,
    contrary,
    free_terms,
)
from engine.compile.loading import load
from engine.compile.order import in_order, needed
from engine.compile.terms import FUNCTIONS, kind_of

TESTS: dict[str, tuple[str, str]] = {
    "present": ("{0} is not None", "{0} is None"),
    "is_true": ("{0} is True", "{0} is not True"),
    "is_false": ("{0} is False", "{0} is not False"),
    "equals": ("{0} == {1}", "{0} != {1}"),
    "among": ("{0} in {1}", "{0} not in {1}"),
    "holds": ("(type({0}) in CONTAINERS and {1} in {0})", "not (type({0}) in CONTAINERS and {1} in {0})"),
    "contains": ("{1} in {0}", "{1} not in {0}"),
    "starts_with": ("{0}.startswith({1})", "not {0}.startswith({1})"),
    "ends_with": ("{0}.endswith({1})", "not {0}.endswith({1})"),
    "matches": ("{1}({0}) is not None", "{1}({0}) is None"),
    "same": ("same({0}, {1})", "not same({0}, {1})"),
    "_<_": ("{0} < {1}", "not {0} < {1}"),
    "_<=_": ("{0} <= {1}", "not {0} <= {1}"),
    "_>_": ("{0} > {1}", "not {0} > {1}"),
    "_>=_": ("{0} >= {1}", "not {0} >= {1}"),
    "is_text": ("type({0}) is str", "type({0}) is not str"),
    "is_number": ("type({0}) in NUMBERS", "type({0}) not in NUMBERS"),
    "is_map": ("type({0}) is dict", "type({0}) is not dict"),
    "is_container": ("type({0}) in CONTAINERS", "type({0}) not in CONTAINERS"),
}
"""How a test is written, and how its contrary."""

for _name in ("less", "less_or_equal", "is_in", "contains", "starts_with", "ends_with"):
    TESTS[f"{_name}_true"] = (f"{_name}({{0}}, {{1}}) is True", f"{_name}({{0}}, {{1}}) is not True")
    TESTS[f"{_name}_false"] = (f"{_name}({{0}}, {{1}}) is False", f"{_name}({{0}}, {{1}}) is not False")

_NAN = float("nan")
_VOCABULARY: dict[str, Value] = {
    "CONTAINERS": f.CONTAINERS,
    "NUMBERS": f.NUMBERS,
    "NAN": _NAN,
    "ODD": f.ODD,
    "any": any,
    "map": map,
    "repeat": repeat,
    **{
        function.__name__: function
        for function in (f.same, f.less, f.less_or_equal, f.is_in, f.contains, f.starts_with, f.ends_with)
    },
}
"""What every generated function may name; everything else in its namespace is bound while it is written."""


class Writer:
    """Writes one function: its lines, and the namespace that they name.

    `parameters` are what a question to the reference implementation passes on, `more_parameters` come after them.
    """

    def __init__(
        self,
        parameters: Sequence[str],
        filename: str,
        more_parameters: Sequence[str] = (),
        known: Mapping[Term, str] = MappingProxyType({}),
    ) -> None:
        self.lines: list[str] = []
        self.namespace: dict[str, Value] = dict(_VOCABULARY)
        self.known: dict[Term, str] = dict(known)
        self.note = ""
        self._parameters = tuple(parameters)
        self._more_parameters = tuple(more_parameters)
        self._filename = filename
        self._bound: dict[tuple[str, Value], str] = {}

    def predicate(self, formula: Formula) -> Callable[..., bool]:
        """The function that says whether the formula holds."""
        match formula:
            case All(()) | Any(()):
                self.line(1, f"return {formula == ALWAYS}")
            case All() | Any():
                self._decided_by_first(formula)
            case _:
                self.read(formula, 1)
                self.line(1, f"return {self.expression(formula)}")
        return self.function("predicate")

    def _decided_by_first(self, formula: All | Any) -> None:
        *parts, last = in_order(formula)
        for part in parts:
            self.read(part, 1)
            leaves = contrary(part) if isinstance(formula, All) else part
            self.line(1, f"if {self.expression(leaves)}:")
            self.line(2, f"return {isinstance(formula, Any)}")
        self.read(last, 1)
        self.line(1, f"return {self.expression(last)}")

    def line(self, indent: int, text: str) -> None:
        """One line of the function's body, with the note."""
        self.lines.append("    " * indent + text + (f"  # {self.note}" if self.note else ""))

    def function(self, name: str) -> Callable[..., Value]:
        """What was written, as a function."""
        head = f"def {name}({', '.join((*self._parameters, *self._more_parameters))}):"
        return load("\n".join([head, *self.lines, ""]), name, self._filename, self.namespace)

    def read(self, formula: Formula, indent: int) -> None:
        """Reads what the formula needs and nobody has read yet."""
        for term in needed(formula, self.known):
            self.read_term(term, indent)

    def read_term(self, term: Term, indent: int) -> None:
        """Reads a term; those it is made of are read already."""
        if term in self.known or isinstance(term, Fixed | Root | Element):
            return
        prefix = {"text": "s", "number": "n"}[term.kind] if isinstance(term, View) else "t"
        name = f"{prefix}{len(self.known)}"
        self.line(indent, f"{name} = {self._reading(term)}")
        self.known[term] = name

    def _reading(self, term: Term) -> str:
        match term:
            case Member(Root(name, "map"), key):
                return f"{name}.get({self._constant(key)})"
            case Member(of, key):
                return f"{self.value(of)}.get({self._constant(key)}) if type({self.value(of)}) is dict else None"
            case View(kind, of):
                test = f"{self.value(of)} is not None" if kind_of(of) == kind else TESTS[f"is_{kind}"][0]
                stand_in = '""' if kind == "text" else "NAN"
                return f"{self.value(of)} if {test.format(self.value(of))} else {stand_in}"
            case Applied("orElse", (value, default)):
                return f"{self.value(value)} if {self.value(value)} is not None else {self.value(default)}"
            case Applied(function, args):
                return f"{self._object('f', FUNCTIONS[function].run)}({', '.join(map(self.value, args))})"
        raise AssertionError(term)

    def value(self, term: Term) -> str:
        """The name under which a term that was read is known."""
        if term in self.known:
            return self.known[term]
        if isinstance(term, Fixed):
            return self.bind("c", term, term.value)
        if isinstance(term, Root):
            return term.name
        raise AssertionError(term)

    def _constant(self, key: str) -> str:
        return self.bind("c", key, key)

    def _object(self, prefix: str, value: Value) -> str:
        return self.bind(prefix, id(value), value)

    def bind(self, prefix: str, key: Value, value: Value) -> str:
        """The name of an object in the namespace; the same key is the same object."""
        name = self._bound.get((prefix, key))
        if name is None:
            name = self._bound[prefix, key] = f"{prefix}{len(self._bound)}"
            self.namespace[name] = value
        return name

    def expression(self, formula: Formula) -> str:
        """The formula as a Python expression of type bool, over terms that were read."""
        match formula:
            case All(()) | Any(()):
                return str(formula == ALWAYS)
            case All() | Any():
                parts = map(self.expression, in_order(formula, self.known))
                return f"({(' and ' if isinstance(formula, All) else ' or ').join(parts)})"
            case Test(name, terms, holds):
                return TESTS[name][0 if holds else 1].format(*map(self.value, terms))
            case Asked(function, answer, holds):
                call = f"{self._object('o', function)}({', '.join(self._parameters)})"
                return f"{call} {'is' if holds else 'is not'} {answer}"
            case Unless(odd, inner, asked):
                test = " or ".join(f"{self.value(term)} is ODD" for term in odd)
                return f"({self.expression(asked)} if {test} else {self.expression(inner)})"
            case Loop():
                return self._loop(formula)

    def _loop(self, loop: Loop) -> str:
        over, free = self.value(loop.over), sorted(set(free_terms(loop)), key=repr)
        known: dict[Term, str] = {loop.element: f"e{loop.element.depth}"}
        known |= {term: f"x{index}" for index, term in enumerate(free)}
        body = Writer(tuple(known.values()), f"{self._filename[:-1]} loop {len(self._bound)}>", known=known)
        values = [over, *(f"repeat({self.value(term)})" for term in free)]
        call = f"any(map({self._object('q', body.predicate(loop.body))}, {', '.join(values)}))"
        test = f"(type({over}) in CONTAINERS and {call})"
        return test if loop.holds else f"not {test}"
