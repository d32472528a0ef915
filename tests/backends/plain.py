"""A program without a framework: decide, show, say that it was seen."""

import os

from segment import analytics

from engine import Engine

HEADINGS = {"hero": "Made for small teams"}

engine = Engine.from_environment(os.environ)  # or Engine.open(rules="rules", data="data")
analytics.write_key, analytics.host = os.environ["SEGMENT_WRITE_KEY"], os.environ["SEGMENT_HOST"]


def heading(visitor_id: str, url: str) -> str:
    """The heading that this visitor sees on this page."""
    seen = engine.decide(visitor_id, url=url).experience("homepage")
    if seen is None:  # it does not apply to this visitor, and nothing is sent
        return "Welcome"
    analytics.track(anonymous_id=visitor_id, event=seen.track.event, properties=seen.track.properties)
    return HEADINGS.get(seen.variant or "control", "Welcome")
