"""What is said of a visitor arrives in the event log as it is, through analytics.js or without it."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import pytest

# Segment's own snippet, but for the address of the library and where it sends to.
SNIPPET: Final = """<script>
!function(){var i="analytics",analytics=window[i]=window[i]||[];if(!analytics.initialize)if(analytics.invoked)
window.console&&console.error&&console.error("Segment snippet included twice.");else{analytics.invoked=!0;
analytics.methods=["trackSubmit","trackClick","trackLink","trackForm","pageview","identify","reset","group","track",
"ready","alias","debug","page","screen","once","off","on","addSourceMiddleware","addIntegrationMiddleware",
"setAnonymousId","addDestinationMiddleware","register"];analytics.factory=function(e){return function(){if(
window[i].initialized)return window[i][e].apply(window[i],arguments);var n=Array.prototype.slice.call(arguments);
n.unshift(e);analytics.push(n);return analytics}};for(var n=0;n<analytics.methods.length;n++){var key=analytics.
methods[n];analytics[key]=analytics.factory(key)}analytics.load=function(key,n){setTimeout(function(){var t=
document.createElement("script");t.type="text/javascript";t.async=!0;t.setAttribute("data-global-segment-analytics-key"
,i);t.src="/standalone.js";document.head.append(t)},WAIT);analytics._loadOptions=n};analytics._cdn="EDGE";
analytics._writeKey="KEY";analytics.load("KEY",{integrations:{"Segment.io":{apiHost:"HOST/v1",protocol:"http"}}});
analytics.page()}}();
</script>"""


# The library as an import; `bundled` in place of how long it takes.
BUNDLED: Final = """<script src="/index.js"></script><script>
analytics = AnalyticsNext.AnalyticsBrowser.load({writeKey: "KEY", cdnURL: "EDGE"},
  {integrations: {"Segment.io": {apiHost: "HOST/v1", protocol: "http"}}});
</script>"""


@pytest.fixture
def snippet(edge: Any, site: Any, library: Path) -> Callable[..., str]:
    """`snippet(wait_ms=500)`: Segment's snippet for a page's head; the library comes after so long."""
    for file in library.glob("*.js"):
        site.pages[f"/{file.name}"] = file.read_bytes(), {"Content-Type": "text/javascript"}

    def snippet(wait_ms: int | str = 0) -> str:
        known = {"WAIT": str(wait_ms), "EDGE": edge.url, "KEY": edge.key, "HOST": edge.url.removeprefix("http://")}
        text = BUNDLED if wait_ms == "bundled" else SNIPPET
        for name, value in known.items():
            text = text.replace(name, value)
        return text

    return snippet


def seen(name: str, *, personalized: bool) -> dict[str, object]:
    """The properties of the guide."""
    return {"experience": name, "audienceSegment": "Anybody", "personalized": personalized}


@pytest.mark.parametrize("wait_ms", [0, 700, "bundled"])
def test_through_segment(
    browser: Any, write: Callable[..., str], snippet: Callable[..., str], edge: Any, until: Any, wait_ms: int | str
) -> None:
    """Once who it is, and on every page view what was seen, with the properties of the guide and nothing else.

    Also where the calls were made to the stub, before the library came.
    """
    page = browser.page()
    address = write("/home", head=snippet(wait_ms))
    for _ in range(2):
        page.open(address)
        visitor = page.visitor
        page.until("(analytics.instance ?? analytics).initialized && localStorage.mutiny_edge_linked")
    until(lambda: len(edge.exposures(visitor)) == 2, lambda: (edge.said(visitor), page.requests("")))
    assert edge.exposures(visitor) == [seen("Home", personalized=True)] * 2
    assert [link["traits"] for link in edge.links(visitor)] == [{"mutinyVisitorId": visitor}]
    assert edge.links(visitor)[0]["userId"] is None
    assert page.text("h1") == "Made for you"
    assert page.errors == []


@pytest.mark.parametrize("behind", [True, False])
def test_what_segment_learns_is_in_the_next_decision(
    browser: Any, write: Callable[..., str], snippet: Callable[..., str], edge: Any, site: Any, until: Any, behind: bool
) -> None:
    """A stranger matches nothing, and it is said who they are; once the website knows them, so does the page.

    Also where Segment's snippet stands behind the client.
    """
    address = write("/hostile", '<p class="text"></p>', head="" if behind else snippet())
    if behind:
        content, headers = site.pages["/hostile"]
        site.pages["/hostile"] = content.replace(b"</body>", f"{snippet()}</body>".encode()), headers
    page = browser.page()
    page.open(address)
    visitor = page.visitor
    assert page.js("mutinyEdge.decisions") == []
    page.until("window.analytics.initialized")
    page.js(f"analytics.identify('user-{behind}', {{company: 'Northbank'}}).then(() => 1)")
    question = {"visitorId": visitor, "page": {"url": address}}
    until(lambda: edge.post("/v1/decide", question).json["decisions"], lambda: edge.said(visitor))
    assert page.open(address).text(".text") == "For Northbank"


def test_another_person_is_linked_at_once(
    browser: Any, write: Callable[..., str], snippet: Callable[..., str], edge: Any, until: Any
) -> None:
    """A reset makes a new anonymous id, and who the visitor is, is said of that one too."""
    page = browser.page()
    page.open(write("/home", head=snippet()))
    visitor = page.visitor
    page.until("localStorage.mutiny_edge_linked")
    page.js("analytics.reset()")
    until(lambda: len(edge.links(visitor)) == 2, lambda: edge.said(visitor))
    assert len({link["anonymousId"] for link in edge.links(visitor)}) == 2


# What analytics.js is told to keep its ids in, and what takes its cookies away.
NO_COOKIE: Final = {
    "not persisted": ("disableClientPersistence: true, ", ""),
    "localStorage": ("storage: {stores: ['localStorage']}, ", ""),
    "memory": ("storage: {stores: ['memory']}, ", ""),
    "cookies blocked": ("", "Object.defineProperty(document, 'cookie', {get: () => '', set() {}})"),
}


@pytest.mark.parametrize("wait_ms", [0, "bundled"])
@pytest.mark.parametrize("how", NO_COOKIE)
def test_an_anonymous_id_without_a_cookie(
    browser: Any,
    write: Callable[..., str],
    snippet: Callable[..., str],
    edge: Any,
    until: Any,
    how: str,
    wait_ms: int | str,
) -> None:
    """It is said once which visitor it is, and of another one once more; our own call leads to no other."""
    options, before = NO_COOKIE[how]
    browser.before(before)
    head = snippet(wait_ms)
    head = head.replace('{integrations: {"S', f'{{{options}integrations: {{"S')
    head = head.replace('{integrations:{"S', f'{{{options}integrations:{{"S')
    page = browser.page()
    page.open(write("/home", head=head))
    visitor = page.visitor
    until(lambda: edge.links(visitor) and edge.exposures(visitor), lambda: page.requests(""))
    assert "ajs_anonymous_id" not in page.js("document.cookie")
    page.js("analytics.identify({plan: 'x'}).then(() => new Promise((done) => setTimeout(done, 500))).then(() => 1)")
    until(lambda: len(edge.said(visitor)) >= 3)
    assert len([link for link in edge.links(visitor) if "plan" not in link["traits"]]) == 1
    page.js("Promise.resolve(analytics.reset()).then(() => new Promise((done) => setTimeout(done, 500))).then(() => 1)")
    until(lambda: len({link["anonymousId"] for link in edge.links(visitor)}) == 2, lambda: edge.said(visitor))
    assert len([link for link in edge.links(visitor) if "plan" not in link["traits"]]) == 2
    assert page.errors == []


TELLS_NO_ID: Final = """<script>
window.calls = [];
window.analytics = {
  heard: [], track() {}, on(event, listener) { if (event === "identify") this.heard.push(listener) },
  async identify(id, traits, options, done) {
    calls.push(traits);
    await 0;
    done({event: {anonymousId: ANOTHER}});
    this.heard.forEach((listener) => listener());
  },
  user: () => ({anonymousId: () => ID}),
};
</script>"""


@pytest.mark.parametrize(
    ("own", "another"), [("null", "'b'"), ("null", "null"), ("'a'", "'b'"), ("Math.random()", "1")]
)
def test_a_library_that_is_not_sure_of_its_id(browser: Any, write: Callable[..., str], own: str, another: str) -> None:
    """Whatever it says, our own call is not answered with the next one."""
    page = browser.page()
    page.open(write("/home", head=TELLS_NO_ID.replace("ANOTHER", another).replace("ID", own)))
    page.js("new Promise((done) => setTimeout(done, 300))")
    assert page.js("calls.length <= 2"), page.js("calls.length")


def test_control_and_no_match(browser: Any, write: Callable[..., str], edge: Any, until: Any) -> None:
    """Control sees the page as it is and is tracked as control; who matches nothing is not tracked."""
    page, tag = browser.page(), f'data-write-key="{edge.key}"'
    page.open(write("/returning", tag=tag))
    assert (page.text("h1"), page.js("mutinyEdge.decisions")) == ("Hello", [])
    page.open(write("/control", tag=tag))
    visitor = page.visitor
    until(lambda: edge.exposures(visitor))
    assert page.text("h1") == "Hello"
    assert edge.exposures(visitor) == [seen("Control", personalized=False)]


def test_without_segment(browser: Any, write: Callable[..., str], edge: Any, until: Any) -> None:
    """The service itself is told the same two things; who it is only once."""
    page = browser.page()
    address = write("/home", tag=f'data-write-key="{edge.key}"')
    for times in (1, 2):
        page.open(address)
        page.until("localStorage.mutiny_edge_linked")
        visitor = page.visitor
        until(lambda times=times, visitor=visitor: len(edge.exposures(visitor)) == times)
        until(lambda: all(end for *_, end in page.requests("/v1/batch")))  # who leaves before never hears of it
    assert edge.exposures(visitor) == [seen("Home", personalized=True)] * 2
    assert [link["traits"] for link in edge.links(visitor)] == [{"mutinyVisitorId": visitor}]
    sent = page.requests("/v1/batch")
    assert {(method, end) for method, _, _, end in sent} == {("POST", 200)}  # and no preflight
    assert page.errors == []


def test_who_leaves_at_once_is_counted(browser: Any, write: Callable[..., str], edge: Any, until: Any) -> None:
    """What was not sent yet goes out while the page is left."""
    page = browser.page()
    stub = "<script>window.analytics = [['page']]; analytics.track = () => {}</script>"
    page.open(write("/home", head=stub, tag=f'data-write-key="{edge.key}"'))
    visitor = page.visitor
    assert page.requests("/v1/batch") == []  # it waits for the library behind the stub
    page("goto", "about:blank")
    until(lambda: edge.exposures(visitor))
    assert edge.exposures(visitor) == [seen("Home", personalized=True)]


def test_a_blocked_library(
    browser: Any, write: Callable[..., str], snippet: Callable[..., str], edge: Any, until: Any
) -> None:
    """The page is personalized all the same. With a write key the service is told in place of the library."""
    browser.block("**/standalone.js")
    browser.before("{ const now = Date.now; Date.now = () => now() + (window.later || 0) }")
    page = browser.page()
    page.open(write("/home", head=snippet()))
    assert page.text("h1") == "Made for you"
    page.open(write("/home", head=snippet(), tag=f'data-write-key="{edge.key}"'))
    visitor = page.visitor
    assert page.requests("/v1/batch") == []
    page.js("window.later = 6000")  # so long it has waited for the library
    until(lambda: edge.exposures(visitor), lambda: page.requests(""))
    assert edge.exposures(visitor) == [seen("Home", personalized=True)]
    assert [error for error in page.errors if "ERR_BLOCKED_BY_CLIENT" not in error] == []


def test_a_blocked_package(
    browser: Any, write: Callable[..., str], snippet: Callable[..., str], edge: Any, until: Any
) -> None:
    """The library as an import never comes to life without its settings: with a write key the service is told."""
    browser.block("**/settings")
    browser.before("{ const now = Date.now; Date.now = () => now() + (window.later || 0) }")
    page = browser.page()
    page.open(write("/home", head=snippet("bundled"), tag=f'data-write-key="{edge.key}"'))
    visitor = page.visitor
    assert page.requests("/v1/batch") == []
    page.js("window.later = 6000")
    until(lambda: edge.exposures(visitor), lambda: page.requests(""))
    assert edge.exposures(visitor) == [seen("Home", personalized=True)]


def test_a_late_consent(browser: Any, write: Callable[..., str]) -> None:
    """How long the library may take, counts from what there is to say: consent may come minutes after the page."""
    browser.before("{ const now = Date.now; Date.now = () => now() + (window.later || 0) }")
    page = browser.page()
    page.open(write("/home", tag='data-consent="wait"'))
    page.js("window.later = 120_000")
    page.do("mutinyEdge.consent()")
    assert page.text("h1") == "Made for you"
    page.js("window.calls = []; window.analytics = {identify() {}, track: (event) => void calls.push(event)}; 1")
    page.until("calls.length")
    assert page.js("calls") == ["Mutiny Experience Viewed"]


def test_a_part_that_is_there(browser: Any, write: Callable[..., str], edge: Any, until: Any) -> None:
    """A variant that is there in part is counted when the page is left; one of which nothing comes is not."""
    page, tag = browser.page(), f'data-write-key="{edge.key}"'
    page.open(write("/partly", tag=tag))
    visitor = page.visitor
    assert page.requests("/v1/batch") == []
    page.open(write("/partly", "<p>neither</p>", tag=tag))
    page.open(write("/control", tag=tag))
    until(lambda: len(edge.exposures(visitor)) == 2)
    assert [told["experience"] for told in edge.exposures(visitor)] == ["Partly", "Control"]


def test_a_redirect_is_counted_where_it_leads(
    browser: Any, write: Callable[..., str], site: Any, edge: Any, until: Any
) -> None:
    """The query goes along; nothing is said before the other page is there."""
    tag = f'data-write-key="{edge.key}"'
    write("/to", "<h1>There</h1>", tag=tag)
    page = browser.page()
    page("goto", write("/from", tag=tag) + "?utm_source=ad")
    page.until("location.pathname === '/to'")
    page.ready()
    visitor = page.visitor
    until(lambda: edge.exposures(visitor))
    assert edge.exposures(visitor) == [seen("Redirect", personalized=True)]
    assert page.js("location.search") == "?utm_source=ad"
    assert json.loads(page.requests("/v1/batch")[-1][2])["context"]["page"]["path"] == "/to"


def test_a_redirect_to_a_page_without_the_client(
    browser: Any, write: Callable[..., str], site: Any, edge: Any, until: Any
) -> None:
    """It is counted by the next page that has it, once."""
    tag = f'data-write-key="{edge.key}"'
    site.pages["/to"] = b"<!doctype html><h1>There</h1>", {}
    page = browser.page()
    page("goto", write("/from", tag=tag))
    page.until("location.pathname === '/to'")
    for _ in range(2):
        page.open(write("/control", tag=tag))
    visitor = page.visitor
    until(lambda: len(edge.exposures(visitor)) == 3)
    assert [told["experience"] for told in edge.exposures(visitor)] == ["Redirect", "Control", "Control"]


def test_a_redirect_to_another_website(
    browser: Any, write: Callable[..., str], site: Any, edge: Any, until: Any
) -> None:
    """It is counted before the page is left."""
    page = browser.page()
    browser.reach("http://www.example.com", site.url)
    write("/far", "<h1>Far</h1>")
    page.open(write("/plain"))
    visitor = page.visitor
    page("goto", write("/away", tag=f'data-write-key="{edge.key}"'))
    page.until("location.host === 'www.example.com'")
    until(lambda: edge.exposures(visitor))
    assert edge.exposures(visitor) == [seen("Away", personalized=True)]


def test_redirects_in_a_circle_end(browser: Any, write: Callable[..., str], site: Any, until: Any) -> None:
    """A page that leads back to where a redirect began is shown after some rounds."""
    site.pages["/to"] = b"<!doctype html><script>location.replace('/from')</script>", {}
    page = browser.page()
    before = site.asked.count("/from")
    page("goto", write("/from", "<h1>Here</h1>"))
    until(lambda: site.asked.count("/from") - before == 4)
    page.until("location.pathname === '/from' && document.readyState === 'complete'")
    page.ready()
    page.js("new Promise((done) => setTimeout(done, 100))")
    assert page.text("h1") == "Here"
    assert site.asked.count("/from") - before == 4
