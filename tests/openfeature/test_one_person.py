"""What the guide's hooks send of a visitor whom a browser knows under another id is that person's, for everybody."""

from collections.abc import Callable, Mapping
from typing import Any

import pytest


@pytest.mark.parametrize("language", ["python", "node"])
def test_the_server_and_the_browser_speak_of_one_person(
    edge: Any, run: Callable[..., str], programs: Mapping[str, str], language: str
) -> None:
    """The profile goes on to lead to the browser's anonymous id, and who logs in there and signs up is who saw it."""
    visitor, browser, user = (f"{what}-{language}" for what in "vau")
    program = programs[language]
    for named, name in (("ada", visitor), ("a-1", browser)):
        program = program.replace(f"'{named}'", f"'{name}'").replace(f'"{named}"', f'"{name}"')
    edge.say("identify", anonymousId=browser, traits={"mutinyVisitorId": visitor, "plan": "pro"})
    before = edge.converters()  # of others
    run(program, language)
    edge.say("identify", anonymousId=browser, userId=user)
    edge.say("track", userId=user, event="Signed Up")
    [seen] = edge.seen(browser)
    assert seen["experience"] == "Homepage"
    assert edge.post("/ofrep/v1/evaluate/flags/plans", {"context": {"targetingKey": visitor}}).json["value"] == "short"
    assert edge.converters() == before + 1
