"""What a decision does to the page: every action, once to each element, late ones too, and undone with the view."""

from collections.abc import Callable
from typing import Any

import pytest

ACTIONS = """
<p class="text">t</p><p class="html">h</p><a class="attributes" href="/">a</a><p class="classes kept old">c</p>
<p class="style" style="color: red;">s</p><p class="before">b</p><p class="after">a</p><p class="prepend">p</p>
<p class="append">a</p><table><tbody><tr class="row"><td>row</td></tr></tbody></table><p class="remove">r</p>
"""


@pytest.fixture
def page(browser: Any) -> Any:
    """A tab in a fresh profile."""
    return browser.page()


def test_every_action(page: Any, write: Callable[..., str]) -> None:
    """The page is as the changes say, in their order."""
    page.open(write("/actions", ACTIONS))
    assert page.text(".text") == "<b>as it is</b>"
    assert page.js("document.querySelector('.html').innerHTML") == "<b>bold</b> text"
    assert page.js("[...document.querySelector('.attributes').attributes].map((a) => a.value)") == [
        "attributes",
        "/elsewhere",
        "New",
    ]
    assert page.js("document.querySelector('.classes').className") == "classes kept new"
    assert page.js("document.querySelector('.style').getAttribute('style')") == (
        "color: rgb(1, 2, 3); margin-left: 5px !important; --own: x;"
    )
    assert page.js("[...document.querySelectorAll('i')].map((i) => i.textContent + i.className)") == [
        "1seen", "2seen", "afterseen", "firstseen", "lastseen",
    ]  # fmt: skip
    assert page.js("document.querySelector('.before').previousSibling.textContent") == "2"
    assert page.js("document.querySelector('.after').nextSibling.textContent") == "after"
    assert page.text(".prepend") == "firstp"
    assert page.text(".append") == "alast"
    assert page.js("document.querySelector('.row').nextSibling.outerHTML") == "<tr><td>new row</td></tr>"
    assert page.text(".remove") is None
    assert page.errors == []


def test_opting_out_gives_the_page_back(page: Any, write: Callable[..., str]) -> None:
    """Every change can undo itself: the page is what it was, to the letter, and the same elements."""
    address = write("/actions", ACTIONS, head="<script>window.mutinyEdge = {consent: 'wait'}</script>")
    page("goto", address)
    page.ready()
    page.js("window.before = document.body.innerHTML; window.nodes = [...document.body.querySelectorAll('*')]; 1")
    page.js("mutinyEdge.consent()")
    page.until("document.querySelector('.text').textContent !== 't'")
    page.js("mutinyEdge.optOut()")
    page.until("document.querySelector('.text').textContent === 't'")
    assert page.js("document.body.innerHTML.replace('<!---->', '')") == page.js("before")
    assert page.js("nodes.every((node, index) => node === [...document.body.querySelectorAll('*')][index])")


def test_elements_that_come_late(page: Any, write: Callable[..., str]) -> None:
    """They are changed before they are painted, each once; what the page then makes of them stays."""
    page.open(write("/home", "<main></main>"))
    assert page.js("mutinyEdge.decisions.length") == 1
    page.js("document.querySelector('main').innerHTML = '<h1>Late</h1>'; 1")
    page.until("document.querySelector('h1').textContent === 'Made for you'")
    page.js("document.querySelector('h1').textContent = 'By the page'; 1")
    page.js("document.querySelector('main').insertAdjacentHTML('beforeend', '<h1>Later</h1>')")
    page.until("document.querySelectorAll('h1')[1].textContent === 'Made for you'")
    assert page.text("h1") == "By the page"
    seen = page.js("new Promise((seen) => { const h1 = document.createElement('h1'); h1.textContent = 'Latest';"
                   "document.body.append(h1); requestAnimationFrame(() => seen(h1.textContent)) })")  # fmt: skip
    assert seen == "Made for you"


def test_what_changes_insert_does_not_grow(page: Any, write: Callable[..., str]) -> None:
    """Two changes that insert what the other one selects, and one that selects what it inserts, end."""
    page.open(write("/growing", '<p class="a">a</p>'))
    before = page.js("document.body.innerHTML")
    assert page.js("document.querySelectorAll('p').length") == 6
    page.js("document.body.append('more'); 1")
    page.js("new Promise((done) => setTimeout(done, 50))")
    assert page.js("document.body.innerHTML") == before + "more"


@pytest.mark.parametrize("navigation", ["navigation", "undefined"])
def test_a_page_that_moves_without_loading(
    browser: Any, write: Callable[..., str], edge: Any, until: Any, navigation: str
) -> None:
    """pushState is a page view: the changes of the one before are undone before the page draws, and it asks anew."""
    browser.before(f"Object.defineProperty(window, 'navigation', {{value: {navigation}}})")
    page = browser.page()
    body = '<main><h1>App</h1><p class="two">two</p><p class="gone">gone</p></main>'
    page.open(write("/app/one", body, tag=f'data-write-key="{edge.key}"'))
    assert page.text("main") == "Changed onetwoadded"
    seen = page.js("(history.pushState({}, '', '/app/two'), document.querySelector('main').outerHTML)")
    assert seen.replace("<!---->", "") == f'<main class="">{body[6:]}'
    page.until("document.querySelector('.two').textContent === 'Changed two'")
    page("goBack")
    page.until("document.querySelector('h1').textContent === 'Changed one'")
    assert page.text(".two") == "two"
    page.js("history.replaceState({}, '', '/app/one?utm=gone'); history.pushState({}, '', '#part')")
    visitor = page.visitor
    until(lambda: len(edge.exposures(visitor)) == 3)
    assert [seen["experience"] for seen in edge.exposures(visitor)] == ["One", "Two", "One"]
    assert page.errors == []


def test_what_the_page_changed_since_is_not_undone(page: Any, write: Callable[..., str]) -> None:
    """Undoing never puts an old text over a newer one."""
    page.open(write("/app/one", "<main><h1>App</h1></main>"))
    page.js("document.querySelector('h1').textContent = 'Newer'; history.pushState({}, '', '/app/none')")
    assert page.text("h1") == "Newer"


@pytest.mark.parametrize("then", ["history.pushState({}, '', '/app/none')", "mutinyEdge.optOut()"])
def test_a_text_that_the_page_set_in_place_is_not_undone(page: Any, write: Callable[..., str], then: str) -> None:
    """Frameworks set the text of the node that is there, which may be one of ours."""
    page.open(write("/app/one", "<main><h1>App</h1></main>"))
    page.js("document.querySelector('h1').firstChild.nodeValue = 'Newer'; 1")
    assert page.js(f"({then}, document.querySelector('h1').textContent)") == "Newer"


def test_asking_again_keeps_a_text_that_the_page_set_in_place(page: Any, write: Callable[..., str]) -> None:
    """Where the new answer changes nothing there, it stays; where one does, it comes back with the undo."""
    page.open(write("/app/one", "<main><h1>App</h1></main>"))
    page.js("document.querySelector('h1').firstChild.nodeValue = 'Newer'; 1")
    page.do("mutinyEdge.refresh()")
    assert page.text("h1") == "Changed one"
    page.js("history.pushState({}, '', '/app/none')")
    assert page.text("h1") == "Newer"


def test_asking_again_does_not_flicker(page: Any, write: Callable[..., str]) -> None:
    """`refresh` and the way back from the cache leave the changes where they are until there are new ones."""
    page.open(write("/home"))
    page.js(
        "window.texts = new Set(); window.look = () => { texts.add(document.querySelector('h1').textContent);"
        "requestAnimationFrame(look) }; look()"
    )
    page.do("mutinyEdge.refresh().then(() => new Promise(requestAnimationFrame))")
    assert page.js("[...texts]") == ["Made for you"]


def test_back_from_the_cache_is_a_page_view(page: Any, write: Callable[..., str], edge: Any, until: Any) -> None:
    """A page that the browser kept alive is decided and tracked again when the visitor comes back to it."""
    address = write("/home", "<h1>Hello</h1>", tag=f'data-write-key="{edge.key}"')
    page.open(address)
    page.js("window.kept = true")
    visitor = page.visitor
    until(lambda: len(edge.exposures(visitor)) == 1)
    page.open(write("/plain"))
    page("goBack", {"waitUntil": "commit"})
    assert page.js("window.kept") is True
    until(lambda: len(edge.exposures(visitor)) == 2)
    assert page.text("h1") == "Made for you"


HOSTILE = [
    "<img src=x onerror=alert(1)>",
    '"><script>alert(1)</script>',
    "javascript:alert(1)",
    "java\tscript:alert(1)",
    "data:text/html,<script>alert(1)</script>",
    "//evil.example/",
    "' onmouseover='alert(1)",
    "</b></p></body><h1>Owned</h1>",
    "{{ traits.company }}",
    "\u2028\u202e<!--",
]
SLOTS = "<p class=text></p><p class=html></p><a class=link>l</a><a class=part>p</a><p class=insert></p><h1>H</h1>"


@pytest.fixture(scope="module")
def hostile(edge: Any) -> dict[str, str]:
    """Visitors whose company is one of these, by id."""
    visitors = {f"hostile-{number}": company for number, company in enumerate(HOSTILE)}
    edge.know({visitor: {"company": company} for visitor, company in visitors.items()})
    return visitors


def test_hostile_values(browser: Any, write: Callable[..., str], edge: Any, hostile: dict[str, str]) -> None:
    """Whatever a trait holds, it is shown as text, leads nowhere that code runs, and adds no element."""
    browser.before("window.alert = () => { window.owned = true }")
    page = browser.page()
    page("goto", write("/plain"))
    address = write("/hostile", SLOTS)
    for visitor, company in hostile.items():
        page.js(f"document.cookie = 'mutiny_edge={visitor}'")
        page.open(address)
        assert page.visitor == visitor
        assert page.text(".text") == f"For {company}"
        assert page.text(".html") == company
        assert page.js("document.querySelector('.html b').title") == company
        assert page.js("document.body.querySelectorAll('*').length") == 8
        links = page.js("['.link', '.part', '.insert a'].map((selector) => document.querySelector(selector).href)")
        assert [link for link in links if not link.startswith("http://localhost:")] == []
        page.js("document.querySelectorAll('body *').forEach((one) => one.dispatchEvent(new Event('mouseover')))")
        assert page.js("window.owned ?? null") is None
