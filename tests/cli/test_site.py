"""The demo's website fits the example rules: it has the elements that they change, and the client on it.

That all of it works in a browser is tested in tests/browser.
"""

import asyncio
import json
import shutil
import subprocess
from contextlib import closing

import html5lib
import pytest
import re2

from engine.cli.crowd import NAMED
from engine.cli.site import PAGES, Site, page
from engine.node import Node
from engine.rules.folder import load
from engine.settings import Settings

SHOWN = {"https://www.example.com/": "/", "https://www.example.com/pricing": "/pricing", "/pricing": "/pricing"}


@pytest.fixture(scope="module")
def tree():
    """The website, parsed as browsers do."""
    return html5lib.parse(page("KEY").decode(), namespaceHTMLElements=False)


@pytest.fixture
def node(house, tmp_path):
    """A node with the example rules."""
    node = Node(Settings(house / "rules", tmp_path / "data"))
    with closing(node.store):
        yield node


def names_in(selector: str) -> set[str]:
    """The ids and classes that a selector asks for."""
    return set(re2.findall(r"[#.]([a-z]+)", selector))


def test_every_element_that_the_rules_change_is_there(tree, house):
    """Ids and classes in the selectors of the shown pages stand in the website's page of that path."""
    ruleset = load(house / "rules").ruleset
    assert ruleset is not None
    asked = 0
    for experience in ruleset.experiences.values():
        for path in {SHOWN[pattern] for pattern in experience.pages if pattern in SHOWN}:
            drawn = tree.find(f".//template[@data-page='{path}']")
            held = {element.get("id") for element in drawn.iter()}
            held |= {name for element in drawn.iter() for name in (element.get("class") or "").split()}
            for variant in (variant for audience in experience.audiences for variant in audience.variants):
                for change in variant.changes:
                    asked += 1
                    assert names_in(change.selector or "") <= held, (experience.key, change.selector)
    assert asked > 10


def test_one_tag_is_the_client(tree):
    """As on any website: the script, the site that it stands for, the write key."""
    [tag] = [script for script in tree.findall(".//script") if script.get("src")]
    assert tag.get("src") == "/client.js"
    assert tag.get("data-site") == "https://www.example.com"
    assert tag.get("data-write-key") == "KEY"


@pytest.mark.skipif(shutil.which("node") is None, reason="no node to read JavaScript with")
def test_the_scripts_are_javascript(tree, tmp_path):
    """They parse, and the visitors that they offer are those of the crowd."""
    scripts = ["".join(script.itertext()) for script in tree.findall(".//script") if not script.get("src")]
    offer = "{const localStorage = {clear() {}}, document = {cookie: ''}, window = {};" + scripts[0]
    program = offer.replace('"use strict";', "") + "console.log(JSON.stringify(visitors)) }"
    for number, script in enumerate((*scripts, program)):
        tmp_path.joinpath(f"{number}.js").write_text(script, encoding="utf-8")
        subprocess.run(["node", "--check", tmp_path / f"{number}.js"], check=True, timeout=60)
    done = subprocess.run(["node", tmp_path / "2.js"], check=True, capture_output=True, text=True, timeout=60)
    assert [visitor["visitorId"] for visitor in json.loads(done.stdout)] == [named.visitor_id for named in NAMED]


def ask(node, method: str, path: str) -> list[dict]:
    """What the site sends, over an engine that answers everything with 418."""
    sent = []

    async def engine(scope, receive, send):
        await send({"type": "http.response.start", "status": 418, "headers": []})

    async def send(message):
        sent.append(message)

    asyncio.run(Site(engine, node, "KEY")({"type": "http", "method": method, "path": path}, None, send))
    return sent


def test_only_its_own_addresses(node):
    """The pages and the list of previews are the site's; everything else is the engine's."""
    for path in (*PAGES, "/previews.json"):
        assert ask(node, "GET", path)[0]["status"] == 200
    assert ask(node, "GET", "/v1/decide")[0]["status"] == 418
    assert ask(node, "POST", "/")[0]["status"] == 418


def test_a_preview_of_every_variant_that_is_shown(node):
    """Each leads to its page."""
    previews = json.loads(ask(node, "GET", "/previews.json")[1]["body"])
    assert {preview["link"].partition("?")[0] for preview in previews} == set(PAGES)
    assert "Year-end Offer: banner for returning" in {preview["name"] for preview in previews}
    assert len({preview["link"] for preview in previews}) == len(previews) == 11
