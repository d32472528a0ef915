"""The demo's website fits the example rules: it has the elements that they change, and applies every kind of change."""

import asyncio
import shutil
import subprocess

import html5lib
import pytest
import re2

from engine.cli.crowd import NAMED
from engine.cli.site import PAGE, Site
from engine.rules.folder import load
from engine.words import Change

SHOWN = {"https://www.example.com/": "/", "https://www.example.com/pricing": "/pricing", "/pricing": "/pricing"}


@pytest.fixture(scope="module")
def tree():
    """The website, parsed as browsers do."""
    return html5lib.parse(PAGE.read_text(encoding="utf-8"), namespaceHTMLElements=False)


@pytest.fixture(scope="module")
def script(tree):
    """What runs on the website."""
    return "".join(tree.find(".//script").itertext())


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
            page = tree.find(f".//template[@data-page='{path}']")
            held = {element.get("id") for element in page.iter()}
            held |= {name for element in page.iter() for name in (element.get("class") or "").split()}
            for variant in (variant for audience in experience.audiences for variant in audience.variants):
                for change in variant.changes:
                    asked += 1
                    assert names_in(change.selector or "") <= held, (experience.key, change.selector)
    assert asked > 10


def test_every_kind_of_change_is_applied(script):
    """The script has an action for each member of a change; a redirect leads away from the website and is left out."""
    kinds = {"classes" if name.startswith("classes_") else name for name in Change.__struct_fields__}
    actions = script.partition("const actions = {")[2].partition("\n};")[0]
    assert set(re2.findall(r"(?m)^  ([a-z]+):", actions)) == kinds - {"selector", "redirect"}


@pytest.mark.skipif(shutil.which("node") is None, reason="no node to read JavaScript with")
def test_the_script_is_javascript(script, tmp_path):
    """It parses."""
    tmp_path.joinpath("site.js").write_text(script, encoding="utf-8")
    done = subprocess.run(
        ["node", "--check", tmp_path / "site.js"], check=False, capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stderr


def ask(method: str, path: str) -> list[dict]:
    """What the site sends, over an engine that answers everything with 418."""
    sent = []

    async def engine(scope, receive, send):
        await send({"type": "http.response.start", "status": 418, "headers": []})

    async def send(message):
        sent.append(message)

    asyncio.run(Site(engine)({"type": "http", "method": method, "path": path}, None, send))
    return sent


def test_only_its_own_addresses():
    """The page and the list of visitors are the site's; everything else is the engine's."""
    assert ask("GET", "/")[0]["status"] == 200
    assert ask("GET", "/visitors.json")[1]["body"].count(b"visitorId") == len(NAMED)
    assert ask("GET", "/v1/decide")[0]["status"] == 418
    assert ask("POST", "/")[0]["status"] == 418
