"""OpenFeature in the program itself (`pip install 'mutiny-edge[openfeature]'`): an experience is a flag."""

import os
from typing import Any

from openfeature import api
from openfeature.evaluation_context import EvaluationContext
from openfeature.flag_evaluation import FlagEvaluationDetails
from openfeature.hook import Hook, HookContext, HookHints
from segment import analytics

from engine import Engine
from engine.openfeature import MutinyEdgeProvider

HEADINGS = {"hero": "Made for small teams", "control": "Welcome"}
SEEN = ("experience", "audienceSegment", "personalized")


class Exposure(Hook):
    """Sends the one event by which lift is counted, for every flag that applies to a visitor."""

    def after(
        self,
        hook_context: HookContext,
        details: FlagEvaluationDetails[Any],
        hints: HookHints,  # noqa: ARG002 - the SDK's
    ) -> None:
        """What was decided is about to be shown."""
        if "experience" in details.flag_metadata:
            context, properties = hook_context.evaluation_context, {name: details.flag_metadata[name] for name in SEEN}
            who = context.attributes.get("anonymousId") or context.targeting_key
            analytics.track(anonymous_id=str(who), event="Mutiny Experience Viewed", properties=properties)


analytics.write_key, analytics.host = os.environ["SEGMENT_WRITE_KEY"], os.environ["SEGMENT_HOST"]
api.set_provider_and_wait(MutinyEdgeProvider(Engine.from_environment(os.environ)))
api.add_hooks([Exposure()])


def heading(visitor_id: str, url: str) -> str:
    """The heading that this visitor sees on this page."""
    context = EvaluationContext(visitor_id, {"url": url})
    return HEADINGS[api.get_client().get_string_value("homepage", "control", context)]
