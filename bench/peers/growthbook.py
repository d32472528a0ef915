"""GrowthBook's SDK: a feature for each rule, forced on where its condition holds.

Prepared once: the features (its SDK takes them as they are, and compiles nothing). `is_on` is what its README shows;
`evalCondition` is the function inside that only matches, without a feature's other rules, its hash and its callbacks.
"""

from collections.abc import Sequence
from typing import Any

from growthbook import GrowthBook
from growthbook.core import evalCondition

from bench.audiences import Match, Rule, Traits

PACKAGE = "growthbook"


def condition(rule: Rule) -> dict[str, Any]:
    """The rule as GrowthBook has it."""
    return {
        "employees": {"$gte": rule.low, "$lt": rule.high},
        "industry": rule.industry,
        "plan": {"$in": list(rule.plans)},
    }


def is_on(rules: Sequence[Rule]) -> Match:
    """One object for all visitors, whose attributes are set; then every feature is asked."""
    keys = [f"feature-{number}" for number in range(len(rules))]
    features = {
        key: {"defaultValue": False, "rules": [{"condition": condition(rule), "force": True}]}
        for key, rule in zip(keys, rules, strict=True)
    }
    asked = GrowthBook(features=features)

    def match(traits: Traits) -> list[int]:
        asked.set_attributes(traits)
        return [number for number, key in enumerate(keys) if asked.is_on(key)]

    return match


def conditions_alone(rules: Sequence[Rule]) -> Match:
    """Every condition, evaluated."""
    conditions = [condition(rule) for rule in rules]
    return lambda traits: [number for number, asked in enumerate(conditions) if evalCondition(traits, asked)]


WAYS = {"is_on": is_on, "evalCondition": conditions_alone}
