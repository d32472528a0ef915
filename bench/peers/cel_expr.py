"""CEL's reference implementation (`cel-expr-python`, C++): a program for each rule, the same text as ours.

Prepared once: the checked and planned expressions. A visitor's traits are handed over once, in one activation. A
missing trait is an error, which it gives as a value: no match.
"""

from collections.abc import Sequence

from cel_expr_python import cel

from bench.audiences import Match, Rule, Traits

PACKAGE = "cel-expr-python"


def an_activation_a_visitor(rules: Sequence[Rule]) -> Match:
    """A call for every expression."""
    environment = cel.NewEnv(variables={"traits": cel.Type("map<string, dyn>")})
    expressions = [environment.compile(rule.condition) for rule in rules]

    def match(traits: Traits) -> list[int]:
        activation = environment.Activation({"traits": traits})
        found = []
        for number, expression in enumerate(expressions):
            value = expression.eval(activation)
            if value.type() == cel.Type.BOOL and value.value():
                found.append(number)
        return found

    return match


WAYS = {"an Activation a visitor": an_activation_a_visitor}
