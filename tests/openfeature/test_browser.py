"""@openfeature/web-sdk with @openfeature/ofrep-web-provider, as npm has them, on another website's page in Chromium."""

import json
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

ALL = "/ofrep/v1/evaluate/flags"
# The modules as the packages have them; a bundler would find them by itself.
IMPORTS = {
    "@openfeature/core": "@openfeature/core/dist/esm/index.js",
    "@openfeature/web-sdk": "@openfeature/web-sdk/dist/esm/index.js",
    "@openfeature/ofrep-core": "@openfeature/ofrep-web-provider/node_modules/@openfeature/ofrep-core/index.esm.js",
    "@openfeature/ofrep-web-provider": "@openfeature/ofrep-web-provider/index.esm.js",
}
PAGE = """\
<!doctype html><title>Shop</title><h1>…</h1>
<script type="importmap">{imports}</script>
<script>
  const EDGE = {edge}, VISITOR = {visitor}
  const say = (body) => fetch(EDGE + '/v1/track', {{
    method: 'POST', headers: {{'content-type': 'text/plain'}}, body: JSON.stringify(body),
  }})
  const who = {{writeKey: {key}, anonymousId: VISITOR}}
  window.analytics = {{track: (event, properties) => say({{...who, event, properties}})}}
</script>
<script type="module">{program}
Object.assign(window, {{OpenFeature, client, ready: true}})
</script>
"""


@pytest.fixture
def shop(
    edge: Any, site: Any, chromium: Any, modules: Path, programs: Mapping[str, str]
) -> Iterator[Callable[..., Any]]:
    """`shop("ada")`: a page with the guide's program on it, viewed by this visitor."""
    for name, file in IMPORTS.items():
        site.pages[f"/{name}.js"] = (modules / file).read_bytes(), {"Content-Type": "text/javascript"}
    context = chromium.context()

    def shop(visitor: str) -> Any:
        text = PAGE.format(
            imports=json.dumps({"imports": {name: f"/{name}.js" for name in IMPORTS}}),
            program=programs["browser"],
            **{
                name: json.dumps(value)
                for name, value in {"edge": edge.url, "visitor": visitor, "key": edge.key}.items()
            },
        )
        site.pages["/shop"] = text.encode(), {}
        page = context.page()
        page("goto", f"{site.url}/shop")
        page.until("window.ready")
        return page

    yield shop
    context("close")


def evaluated(page: Any) -> list[int]:
    """The statuses of what was asked for all flags, preflights left out."""
    return [status for method, _, _, status in page.requests(ALL) if method == "POST"]


def test_the_guides_program_in_a_browser(edge: Any, shop: Callable[..., Any], until: Callable[..., None]) -> None:
    """It shows what was decided, tells what was seen, gets 304 while nothing changed, and hears of changed rules."""
    visitor = next(f"web-{number}" for number in range(99) if edge.group(f"web-{number}") == "hero")
    page = shop(visitor)
    assert page.text("h1") == "Made for you"
    until(lambda: edge.tracked(visitor))
    assert edge.seen(visitor) == [{"experience": "Homepage", "audienceSegment": "Small company", "personalized": True}]
    details = page.js("client.getStringDetails('plans', 'none')")
    assert (details["value"], details["reason"], details["variant"]) == ("none", "DEFAULT", "")
    assert page.js("client.getStringDetails('resting', 'none')")["reason"] == "DISABLED"
    assert page.js("client.getBooleanDetails('homepage', false)")["errorCode"] == "TYPE_MISMATCH"

    # A context that changes nothing; the provider asks again with the tag that it has.
    page.do("OpenFeature.setContext({...OpenFeature.getContext(), irrelevant: 1})")
    until(lambda: evaluated(page) == [200, 304], lambda: page.requests(ALL))
    page.do("OpenFeature.setContext({...OpenFeature.getContext(), plan: 'pro'})")
    assert page.js("client.getStringValue('plans', 'none')") == "short"

    # Other rules: the page is told by its stream, asks anew, and shows it.
    rules = edge.rules / "rules.yaml"
    before = rules.read_text()
    rules.write_text(before.replace('pages: ["https://www.example.com/**", "/shop"]', 'pages: ["/elsewhere"]'))
    try:
        until(lambda: page.text("h1") == "Made for everybody", lambda: page.requests("/ofrep/"))
    finally:
        rules.write_text(before)
    until(lambda: page.text("h1") == "Made for you")
    assert page.errors == []
