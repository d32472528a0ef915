"""Optimizely's SDK: a flag for each rule, rolled out to an audience.

Prepared once: the datafile, which the SDK reads into its config. `decide_all` is what its documentation shows for all
flags at once, with events and variables switched off; `audiences` asks the two evaluators inside that only match,
without bucketing, reasons and notifications.
"""

import json
from collections.abc import Sequence
from typing import Any

from optimizely.decision.optimizely_decide_option import OptimizelyDecideOption
from optimizely.helpers.condition import CustomAttributeConditionEvaluator
from optimizely.helpers.condition_tree_evaluator import evaluate
from optimizely.helpers.sdk_settings import OptimizelySdkSettings
from optimizely.logger import NoOpLogger
from optimizely.optimizely import Optimizely

from bench.audiences import Match, Rule, Traits

PACKAGE = "optimizely-sdk"


def audience(number: int, rule: Rule) -> dict[str, Any]:
    """The rule as Optimizely has it."""

    def condition(trait: str, match: str, value: object) -> dict[str, Any]:
        return {"name": trait, "type": "custom_attribute", "match": match, "value": value}

    conditions = [
        "and",
        condition("employees", "ge", rule.low),
        condition("employees", "lt", rule.high),
        condition("industry", "exact", rule.industry),
        ["or", *(condition("plan", "exact", plan) for plan in rule.plans)],
    ]
    return {"id": str(number), "name": f"audience-{number}", "conditions": conditions}


def rollout(number: int) -> dict[str, Any]:
    """Everybody of the audience, and nobody else, gets the one variation."""
    variation = {"id": f"v{number}", "key": "on", "featureEnabled": True, "variables": []}
    experiment = {
        "id": f"x{number}",
        "key": f"x{number}",
        "status": "Running",
        "layerId": f"r{number}",
        "audienceIds": [str(number)],
        "variations": [variation],
        "trafficAllocation": [{"entityId": variation["id"], "endOfRange": 10_000}],
        "forcedVariations": {},
    }
    return {"id": f"r{number}", "experiments": [experiment]}


def client(rules: Sequence[Rule]) -> Optimizely:
    """The SDK with all rules, and nothing to send anywhere."""
    numbers = range(len(rules))
    flags = [
        {"id": str(number), "key": str(number), "rolloutId": f"r{number}", "experimentIds": [], "variables": []}
        for number in numbers
    ]
    attributes = [{"id": name, "key": name} for name in ("employees", "industry", "plan")]
    datafile = {
        "version": "4",
        "projectId": "1",
        "accountId": "1",
        "revision": "1",
        "anonymizeIP": False,
        "botFiltering": False,
        "attributes": attributes,
        "typedAudiences": [audience(number, rule) for number, rule in enumerate(rules)],
        "rollouts": [rollout(number) for number in numbers],
        "featureFlags": flags,
        **{name: [] for name in ("audiences", "events", "experiments", "groups", "variables")},
    }
    return Optimizely(
        datafile=json.dumps(datafile),
        logger=NoOpLogger(),
        settings=OptimizelySdkSettings(odp_disabled=True),
        default_decide_options=[
            OptimizelyDecideOption.DISABLE_DECISION_EVENT,
            OptimizelyDecideOption.EXCLUDE_VARIABLES,
            OptimizelyDecideOption.ENABLED_FLAGS_ONLY,
        ],
    )


def decide_all(rules: Sequence[Rule]) -> Match:
    """One call for all flags."""
    asked = client(rules)
    return lambda traits: [int(key) for key in asked.create_user_context("visitor", traits).decide_all()]


def audiences(rules: Sequence[Rule]) -> Match:
    """Every audience, evaluated."""
    asked, logger = client(rules), NoOpLogger()
    config = asked.config_manager.get_config()
    made = [config.get_audience(str(number)) for number in range(len(rules))]

    def match(traits: Traits) -> list[int]:
        user = asked.create_user_context("visitor", traits)
        return [
            number
            for number, one in enumerate(made)
            if evaluate(
                one.conditionStructure, CustomAttributeConditionEvaluator(one.conditionList, user, logger).evaluate
            )
        ]

    return match


WAYS = {"decide_all": decide_all, "audience evaluators": audiences}
