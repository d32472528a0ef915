"""JsonLogic in Python (`panzi-json-logic`): a rule for each rule, applied one by one.

Prepared once: the rules as data (it compiles nothing). What is missing is null there, which counts as 0 where numbers
are compared; our smallest bound is 1, so it matches nothing here either.
"""

from collections.abc import Sequence
from typing import Any

from json_logic import jsonLogic

from bench.audiences import Match, Rule

PACKAGE = "panzi-json-logic"


def logic(rule: Rule) -> dict[str, Any]:
    """The rule as JsonLogic has it."""
    employees, industry, plan = ({"var": name} for name in ("employees", "industry", "plan"))
    return {
        "and": [
            {">=": [employees, rule.low]},
            {"<": [employees, rule.high]},
            {"===": [industry, rule.industry]},
            {"in": [plan, list(rule.plans)]},
        ]
    }


def applied(rules: Sequence[Rule]) -> Match:
    """A call for every rule."""
    made = [logic(rule) for rule in rules]
    return lambda traits: [number for number, asked in enumerate(made) if jsonLogic(asked, traits)]


WAYS = {"jsonLogic": applied}
