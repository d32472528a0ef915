"""@openfeature/server-sdk with @openfeature/ofrep-provider, as npm has them, against the service."""

from collections.abc import Callable, Mapping
from typing import Any


def test_the_guides_program_tells_what_was_seen(
    edge: Any, run: Callable[..., str], programs: Mapping[str, str], until: Callable[..., None]
) -> None:
    """The value is the decision's; the hook sends the event through Segment's library, here of who has no cookie."""
    program = programs["node"].replace("'ada'", "'grace'").replace("anonymousId: 'a-1', ", "")
    assert run(program, "node") == edge.group("grace")
    until(lambda: edge.tracked("grace"))
    personalized = edge.group("grace") == "hero"
    assert edge.seen("grace") == [
        {"experience": "Homepage", "audienceSegment": "Small company", "personalized": personalized}
    ]
