"""The page as a whole: it holds all it needs, every link in it leads somewhere, and what is read aloud makes sense.

What it looks like, and that a browser asks for nothing else, is seen in tests/browser/test_docs.py.
"""

from base64 import b64encode
from hashlib import sha256
from itertools import pairwise
from typing import Any

import html5lib
import pytest

from engine.web.docs.curl import ORIGIN
from engine.web.docs.page import POLICY, page
from engine.web.openapi.document import everything

SAID = everything()
TEXT = page(SAID).replace(ORIGIN, "http://127.0.0.1:8080")


@pytest.fixture(scope="module")
def tree() -> Any:
    """The page, parsed strictly as browsers do: any error of the markup is one."""
    return html5lib.HTMLParser(strict=True, namespaceHTMLElements=False).parse(TEXT)


def test_every_operation_and_schema_has_a_place(tree: Any) -> None:
    """Each under its own id, no id twice; in the list of contents every operation is."""
    ids = [element.get("id") for element in tree.iter() if element.get("id")]
    assert len(ids) == len(set(ids))
    operations = {operation["operationId"] for methods in SAID["paths"].values() for operation in methods.values()}
    assert operations <= set(ids)
    assert {f"schema-{name}" for name in SAID["components"]["schemas"]} <= set(ids)
    listed = {link.get("href") for link in tree.find(".//nav").iter("a")}
    assert {f"#{id_}" for id_ in operations} <= listed


def test_every_link_leads_somewhere(tree: Any) -> None:
    """Within the page, or to the document that it is made of."""
    ids = {element.get("id") for element in tree.iter()}
    for link in tree.iter("a"):
        address = link.get("href")
        assert address == "/openapi.json" or (address.startswith("#") and address[1:] in ids), address


def test_it_holds_all_it_needs(tree: Any) -> None:
    """Nothing in it is at another address: the icon is a text, style and script stand inside."""
    assert not any(element.get("src") for element in tree.iter())
    assert [link.get("href").partition(":")[0] for link in tree.iter("link")] == ["data"]
    assert "@import" not in TEXT
    assert "url(" not in TEXT


def test_nothing_else_may_run(tree: Any) -> None:
    """The policy names the script and the style by what is in them, and forbids the rest."""
    for name in ("script", "style"):
        [content] = [element.text for element in tree.iter(name)]
        assert f"{name}-src 'sha256-{b64encode(sha256(content.encode()).digest()).decode()}';" in POLICY
    assert POLICY.startswith("default-src 'none'; ")
    assert "unsafe" not in POLICY


def test_who_hears_it_finds_the_way(tree: Any) -> None:
    """A language, a title, one main part, a way around the contents, headings in order, tables with heads."""
    assert tree.find("head/title").text
    assert tree.get("lang") == "en"
    assert [element.get("id") for element in tree.iter("main")] == ["reference"]
    assert tree.find("body/a").get("href") == "#reference"
    levels = [int(element.tag[1]) for element in tree.iter() if element.tag in {"h1", "h2", "h3", "h4"}]
    assert levels[0] == 1
    assert all(after <= before + 1 for before, after in pairwise(levels))
    assert all(cell.get("scope") for cell in tree.iter("th"))


def test_what_a_description_says_is_text() -> None:
    """A tag in it is shown and is none."""
    said = {**SAID, "info": {**SAID["info"], "title": "<script>", "description": "<img src=x>"}}
    text = page(said)
    assert "<h1>&lt;script&gt;" in text
    assert "<img" not in text
