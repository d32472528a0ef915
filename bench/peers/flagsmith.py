"""Flagsmith's engine: a segment for each rule, all evaluated by one call.

Prepared once: the segments (the engine reads them as they are). A visitor's call brings traits and segments in one
context, as its SDK does; there are no features in it, so that nothing but segments is evaluated.
"""

from collections.abc import Sequence
from typing import Any

from flag_engine.engine import get_evaluation_result

from bench.audiences import Match, Rule, Traits

PACKAGE = "flagsmith-flag-engine"


def condition(trait: str, operator: str, value: str) -> dict[str, str]:
    """One condition as Flagsmith has it: values are text."""
    return {"property": trait, "operator": operator, "value": value}


def segment(number: int, rule: Rule) -> dict[str, Any]:
    """The rule as Flagsmith has it."""
    conditions = [
        condition("employees", "GREATER_THAN_INCLUSIVE", str(rule.low)),
        condition("employees", "LESS_THAN", str(rule.high)),
        condition("industry", "EQUAL", rule.industry),
        condition("plan", "IN", ",".join(rule.plans)),
    ]
    return {"key": str(number), "name": str(number), "rules": [{"type": "ALL", "conditions": conditions}]}


def evaluation_result(rules: Sequence[Rule]) -> Match:
    """One call for all segments."""
    segments = {str(number): segment(number, rule) for number, rule in enumerate(rules)}
    environment = {"key": "bench", "name": "bench"}

    def match(traits: Traits) -> list[int]:
        identity = {"identifier": "visitor", "key": "visitor", "traits": traits}
        result = get_evaluation_result({"environment": environment, "identity": identity, "segments": segments})
        return [int(found["name"]) for found in result["segments"]]

    return match


WAYS = {"get_evaluation_result": evaluation_result}
