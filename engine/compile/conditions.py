"""One condition as two functions: is it true, is it false."""

from collections.abc import Callable
from functools import cached_property

from engine.cel.scope import VISIT, Scope
from engine.compile.form import Formula, Truth, asked_of
from engine.compile.loading import file_of
from engine.compile.normal import normal_form
from engine.compile.source import Writer
from engine.compile.terms import parameters
from engine.words import Condition


class Verdict:
    """A condition, compiled. Both functions take the scope's roots in order; where neither holds, it is an error.

    `truth` is the normal form. The functions are made on first use: hardly anybody asks for both.
    """

    def __init__(self, condition: Condition, scope: Scope) -> None:
        self.truth: Truth = normal_form(condition.checked, scope)
        self._parameters = parameters(scope)
        self._filename = file_of(condition.place)

    @property
    def fallbacks(self) -> int:
        """How many parts of the condition are left to the reference implementation, whatever the visitor."""
        return len(asked_of(self.truth.true) | asked_of(self.truth.false))

    @cached_property
    def true(self) -> Callable[..., bool]:
        """Is the condition true?"""
        return self._written(self.truth.true, self._filename)

    @cached_property
    def false(self) -> Callable[..., bool]:
        """Is the condition false? Not the contrary of `true`: an error is neither."""
        return self._written(self.truth.false, f"{self._filename[:-1]} is false>")

    def _written(self, formula: Formula, filename: str) -> Callable[..., bool]:
        return Writer(self._parameters, filename).predicate(formula)


def condition(condition: Condition, scope: Scope = VISIT) -> Verdict:
    """Compiles one condition; all of CEL works, since what is not known is asked of the reference implementation."""
    return Verdict(condition, scope)
