"""Unleash's engine (yggdrasil, in Rust): a feature for each rule, asked one by one.

Prepared once: the state, which the engine compiles. Asked is the engine that `UnleashClient` asks, without what the
client does around it (static context, events); `check_enabled` does not count, which is less work than its
`is_enabled`. Values of a context are text, made once a visitor; each call writes the context as JSON, by itself.
"""

import json
from collections.abc import Sequence
from typing import Any

from yggdrasil_engine.engine import UnleashEngine

from bench.audiences import Match, Rule, Traits

PACKAGE = "UnleashClient"


def feature(number: int, rule: Rule) -> dict[str, Any]:
    """The rule as Unleash has it."""
    constraints = [
        {"contextName": "employees", "operator": "NUM_GTE", "value": str(rule.low)},
        {"contextName": "employees", "operator": "NUM_LT", "value": str(rule.high)},
        {"contextName": "industry", "operator": "IN", "values": [rule.industry]},
        {"contextName": "plan", "operator": "IN", "values": list(rule.plans)},
    ]
    strategy = {"name": "default", "parameters": {}, "constraints": constraints}
    return {"name": f"feature-{number}", "enabled": True, "strategies": [strategy]}


def check_enabled(rules: Sequence[Rule]) -> Match:
    """A call for every feature."""
    engine = UnleashEngine()
    features = [feature(number, rule) for number, rule in enumerate(rules)]
    engine.take_state(json.dumps({"version": 2, "features": features}))
    names = [made["name"] for made in features]

    def match(traits: Traits) -> list[int]:
        context = {"userId": "visitor", "properties": {name: str(value) for name, value in traits.items()}}
        return [number for number, name in enumerate(names) if engine.check_enabled(name, context).is_enabled]

    return match


WAYS = {"check_enabled": check_enabled}
