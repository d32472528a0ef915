"""How the client comes onto a page: its settings, a tag manager, a page drawn ahead, another client beside it."""

import json
from collections.abc import Callable
from typing import Any


def asked(page: Any) -> list[dict[str, Any]]:
    """The questions that the page asked."""
    return [json.loads(body) for method, _, body, _ in page.requests("/v1/decide") if method == "POST"]


def test_settings_of_the_page(browser: Any, write: Callable[..., str], edge: Any, until: Any) -> None:
    """`window.mutinyEdge` sets what the tag does, and more: traits, and who wants to know when it is ready."""
    settings = {"writeKey": edge.key, "site": "https://shop.example.com", "traits": {"company": "<b>Northbank</b>"}}
    head = (
        f"<script>mutinyEdge = {json.dumps(settings)}; mutinyEdge.ready = (edge) => {{ window.told = edge }}</script>"
    )
    page = browser.page()
    body = "<p class=text></p><p class=html></p><a class=link></a><a class=part></a><p class=insert>"
    page.open(write("/hostile", body, head=head))
    page.until("window.told === window.mutinyEdge")
    assert page.text(".text") == "For <b>Northbank</b>"
    [question] = asked(page)
    assert question["page"] == {"url": "https://shop.example.com/hostile", "referrer": "", "title": "A page"}
    visitor = page.visitor
    until(lambda: edge.exposures(visitor))
    assert page.js("Object.keys(mutinyEdge).sort()") == [
        "consent", "decisions", "optIn", "optOut", "ready", "refresh", "visitorId",
    ]  # fmt: skip


def test_what_goes_over_the_wire(browser: Any, write: Callable[..., str]) -> None:
    """The address without its fragment, where the visitor came from, the visit; within an app from view to view."""
    page = browser.page()
    page.open(write("/home") + "?a=1#access_token=secret")
    page.js("history.pushState(null, '', '/home?a=2')")
    page.do("mutinyEdge.refresh()")
    first, second, third = asked(page)
    root = page.js("location.origin")
    assert (first["page"]["url"], first["page"]["referrer"]) == (f"{root}/home?a=1", "")
    assert (second["page"]["url"], second["page"]["referrer"]) == (f"{root}/home?a=2", f"{root}/home?a=1")
    assert third == second | {"visit": third["visit"]}
    assert first["visit"]["count"] == third["visit"]["count"] == 1
    assert first["visit"]["first_seen"] == third["visit"]["first_seen"]


def test_a_tag_manager(browser: Any, site: Any, edge: Any) -> None:
    """A script that is put into the page later works; what has been seen by then is not hidden."""
    content = """<!doctype html><title>A page</title><h1>Hello</h1><script>
      const seen = new Set(), look = () => {
        seen.add(getComputedStyle(document.querySelector("h1")).visibility);
        requestAnimationFrame(look);
      };
      look();
    </script>"""
    site.pages["/home/managed"] = content.encode(), {}
    page = browser.page()
    page("goto", f"{site.url}/home/managed")
    page.until("performance.getEntriesByName('first-contentful-paint').length")
    page.js(
        "{ const tag = document.createElement('script'); tag.dataset.hide = 'h1';"
        f"tag.src = '{edge.url}/client.js'; document.head.append(tag) }}"
    )
    page.ready()
    page.until("document.querySelector('h1').textContent === 'Made for you'")
    assert page.js("[...seen]") == ["visible"]


def test_a_page_that_is_drawn_ahead(browser: Any, write: Callable[..., str], edge: Any, until: Any) -> None:
    """Nothing is asked and nothing counted before somebody looks at it."""
    browser.before("Object.defineProperty(document, 'prerendering', {get: () => !window.active})")
    page = browser.page()
    page("goto", write("/home", tag=f'data-write-key="{edge.key}"'))
    page.js("new Promise((done) => setTimeout(done, 100))")
    assert (asked(page), browser("cookies")) == ([], [])
    page.js("window.active = true; document.dispatchEvent(new Event('prerenderingchange'))")
    page.ready()
    visitor = page.visitor
    until(lambda: edge.exposures(visitor))
    assert page.text("h1") == "Made for you"


def test_mutinys_own_client_is_left_alone(browser: Any, write: Callable[..., str]) -> None:
    """While a website moves over, both may be there."""
    page = browser.page()
    page.open(write("/home", head="<script>mutiny = {client: {identify: () => 'its own'}}</script>"))
    assert page.js("mutiny.client.identify()") == "its own"
    assert page.text("h1") == "Made for you"


def test_a_page_that_comes_in_pieces(browser: Any, site: Any, write: Callable[..., str]) -> None:
    """What the browser reads after the decision is changed like what was there before it."""
    wait = '<script src="/slow.js"></script>'
    site.pages["/slow.js"] = b"document.write('')", {"Content-Type": "text/javascript"}
    page = browser.page()
    page.open(write("/home", f"<h1>One</h1>{wait}<h1>Two</h1>{wait}<h1>Three</h1>"))
    page.until("[...document.querySelectorAll('h1')].filter((h1) => h1.textContent === 'Made for you').length === 3")
