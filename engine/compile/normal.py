"""From a tree to normal form: the two formulas "is true" and "is false".

What lives here: the connectives, loops, and the choice of what is left to the reference implementation. What
may not: the meaning of comparisons (`relations`) and operands (`terms`), Python source.

1. T and F of a connective follow from T and F of its parts: T(a && b) = T(a) and T(b), F(a && b) = F(a) or
   F(b), T(!a) = F(a), T(c ? a : b) = T(c) and T(a), or F(c) and T(b). An error is where neither holds.
2. A comparison is taken case by case of its operands (`terms`): T is any case with its own T.
3. Where a term may be odd, the comparison is asked of the reference implementation for odd values only.
4. What raises `Unknown` is asked there as a whole: the smallest boolean expression around it. Inside a loop
   there is nobody to ask, since the element is no root; so there the loop as a whole is asked.
5. T and F can double at every level (`==` of booleans, nested ternaries), so a formula that outgrows its
   limits is asked instead.
"""

from collections.abc import Callable
from itertools import product

from engine.cel.scope import Scope
from engine.cel.tree import Call, Comprehension, Const, Ident, MakeList, Node, Select
from engine.cel.wire import read
from engine.compile import relations
from engine.compile.form import (
    Asked,
    Element,
    Loop,
    Term,
    Truth,
    Unless,
    both,
    contrary,
    depth,
    either,
    extent,
)
from engine.compile.functions import Value
from engine.compile.reference import Reference
from engine.compile.terms import (
    BOOLEAN_CALLS,
    Elements,
    Operands,
    Unknown,
    constant,
    constant_list,
    is_optional,
    odd_terms,
    roots_of,
)

MOST_TESTS = 2_000  # a page of Python; beyond this one call of the reference implementation is cheaper
MOST_LEVELS = 30  # Python's own parser gives up at 200 brackets

_ORDERS = frozenset({"_<_", "_<=_", "_>_", "_>=_"})
_TEXT_TESTS = frozenset({"contains", "startsWith", "endsWith"})


def normal_form(checked: bytes, scope: Scope) -> Truth:
    """Where the checked condition is true and where it is false, for any roots of the scope."""
    return _Normal(checked, scope).truth(read(checked), {})


class _Normal:
    """One condition on its way to normal form."""

    def __init__(self, checked: bytes, scope: Scope) -> None:
        self._checked = checked
        self._scope = scope
        self._roots = roots_of(scope)

    @property
    def _operands(self) -> Operands:
        # Made anew for each use: kept, the two would hold each other, and wait for the garbage collector.
        return Operands(self._roots, self.truth)

    def truth(self, node: Node, elements: Elements) -> Truth:
        """The two formulas of a boolean expression; `Unknown` only inside a loop."""
        try:
            truth = self._compiled(node, elements)
            if sum(map(extent, truth)) <= MOST_TESTS and max(map(depth, truth)) <= MOST_LEVELS:
                return truth
        except Unknown:
            pass
        return self._asked(node, elements)

    def _asked(self, node: Node, elements: Elements) -> Truth:
        if elements:
            raise Unknown
        reference = Reference(self._checked, node, self._scope)
        return Truth(Asked(reference, answer=True), Asked(reference, answer=False))

    def _compiled(self, node: Node, elements: Elements) -> Truth:
        match node:
            case Call(function="_&&_", args=(a, b)):
                left, right = self.truth(a, elements), self.truth(b, elements)
                return Truth(both(left.true, right.true), either(left.false, right.false))
            case Call(function="_||_", args=(a, b)):
                left, right = self.truth(a, elements), self.truth(b, elements)
                return Truth(either(left.true, right.true), both(left.false, right.false))
            case Call(function="!_", args=(a,)):
                inner = self.truth(a, elements)
                return Truth(inner.false, inner.true)
            case Call(function="_?_:_", args=(question, yes, no)):
                return self._choice(*(self.truth(part, elements) for part in (question, yes, no)))
            case Comprehension():
                return self._loop(node, elements)
            case Select(operand=operand, field=field, test_only=True) if not is_optional(operand):
                return self._each(node, (operand,), elements, lambda of: relations.has(of, field))
            case Call(function="hasValue", target=target, args=()) if target is not None:
                base, keys = self._operands.optional(target, elements)
                if len(keys) > 1 or odd_terms(base):
                    raise Unknown
                return relations.has(base, keys[0])
        return self._comparison(node, elements)

    @staticmethod
    def _choice(question: Truth, yes: Truth, no: Truth) -> Truth:
        return Truth(
            either(both(question.true, yes.true), both(question.false, no.true)),
            either(both(question.true, yes.false), both(question.false, no.false)),
        )

    def _comparison(self, node: Node, elements: Elements) -> Truth:
        match node:
            case Call(function="_==_", args=(a, b)):
                return self._each(node, (a, b), elements, relations.equal)
            case Call(function="_!=_", args=(a, b)):
                return self._each(node, (a, b), elements, relations.unequal)
            case Call(function="@in", args=(a, b)):
                return self._each(node, (a, b), elements, relations.among)
            case Call(function=function, args=(a, b)) if function in _ORDERS:
                return self._each(node, (a, b), elements, lambda x, y: relations.order(function, x, y))
            case Call(function=function, target=text, args=(part,)) if function in _TEXT_TESTS and text is not None:
                return self._each(node, (text, part), elements, lambda x, y: relations.text_test(function, x, y))
            case Call(function="matches", target=text, args=args):
                operands = args if text is None else (text, *args)
                return self._each(node, operands, elements, relations.matches)
            case Call(function=function) if function in BOOLEAN_CALLS:
                raise Unknown
            case Const() | Ident() | Select(test_only=False) | Call():
                return self._each(node, (node,), elements, relations.boolean)
        raise Unknown

    def _each(
        self, node: Node, operands: tuple[Node, ...], elements: Elements, relation: Callable[..., Truth]
    ) -> Truth:
        """A relation of operands, case by case."""
        true, false = [], []
        for cases in product(*(self._operands.of(operand, elements) for operand in operands)):
            terms = tuple(term for _, term in cases)
            truth = self._where_odd(node, terms, elements, relation(*terms))
            true.append(both(*(condition for condition, _ in cases), truth.true))
            false.append(both(*(condition for condition, _ in cases), truth.false))
        return Truth(either(*true), either(*false))

    def _where_odd(self, node: Node, terms: tuple[Term, ...], elements: Elements, truth: Truth) -> Truth:
        odd = odd_terms(*terms)
        if not odd:
            return truth
        if elements:
            raise Unknown
        reference = Reference(self._checked, node, self._scope)
        return Truth(
            Unless(odd, truth.true, Asked(reference, answer=True)),
            Unless(odd, truth.false, Asked(reference, answer=False)),
        )

    def _loop(self, node: Comprehension, elements: Elements) -> Truth:
        """The macros `exists` and `all`."""
        is_exists, predicate = _macro(node)
        if isinstance(node.iter_range, MakeList):
            return self._unrolled(node, constant_list(node.iter_range).value, elements)
        over = self._operands.term(node.iter_range, elements)
        if odd_terms(over):
            raise Unknown
        element = Element(sum(isinstance(other, Element) for other in elements.values()))
        body = self.truth(predicate, {**elements, node.iter_var: element})
        container = relations.is_kind(over, "container")
        if is_exists:
            some_other = Loop(over, element, contrary(body.false))
            return Truth(Loop(over, element, body.true), both(container, contrary(some_other)))
        some_other = Loop(over, element, contrary(body.true))
        return Truth(both(container, contrary(some_other)), Loop(over, element, body.false))

    def _unrolled(self, node: Comprehension, values: list[Value], elements: Elements) -> Truth:
        """A loop over constants is its body for each of them."""
        is_exists, predicate = _macro(node)
        bodies = [self.truth(predicate, {**elements, node.iter_var: constant(value)}) for value in values]
        true, false = [body.true for body in bodies], [body.false for body in bodies]
        return Truth(either(*true), both(*false)) if is_exists else Truth(both(*true), either(*false))


def _macro(node: Comprehension) -> tuple[bool, Node]:
    """Is the loop `exists`, or else `all`, and of what predicate? Raises `Unknown` for any other loop."""
    match node:
        case Comprehension(
            iter_var2="",
            accu_var=accu,
            accu_init=Const(value=False),
            loop_condition=Call(function="@not_strictly_false", args=(Call(function="!_", args=(Ident(name=a),)),)),
            loop_step=Call(function="_||_", args=(Ident(name=b), predicate)),
            result=Ident(name=c),
        ) if a == b == c == accu:
            return True, predicate
        case Comprehension(
            iter_var2="",
            accu_var=accu,
            accu_init=Const(value=True),
            loop_condition=Call(function="@not_strictly_false", args=(Ident(name=a),)),
            loop_step=Call(function="_&&_", args=(Ident(name=b), predicate)),
            result=Ident(name=c),
        ) if a == b == c == accu:
            return False, predicate
    raise Unknown
