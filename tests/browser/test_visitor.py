"""Who the visitor is, over page views, visits, tabs and subdomains; and that their choice counts."""

from collections.abc import Callable
from typing import Any

import pytest
import re2

UUID = re2.compile("[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
DAY_S = 86_400
GPC = "Object.defineProperty(navigator, 'globalPrivacyControl', {value: true})"


def cookies(browser: Any, name: str = "mutiny_edge") -> list[dict[str, Any]]:
    """The cookies of this name."""
    return [cookie for cookie in browser("cookies") if cookie["name"] == name]


def test_a_return_visit(browser: Any, write: Callable[..., str], edge: Any) -> None:
    """Id and group stay; half an hour without a page view later it is the second visit, and the service hears of it."""
    page = browser.page()
    page.open(write("/split"))
    visitor, first = page.visitor, page.text("h1")
    assert UUID.fullmatch(visitor)
    [cookie] = cookies(browser)
    assert cookie["value"].startswith(visitor + "~")
    assert (cookie["sameSite"], cookie["path"], cookie["secure"]) == ("Lax", "/", False)
    assert 399 * DAY_S < cookie["expires"] - page.js("Date.now()") / 1000 <= 400 * DAY_S
    id_, seen, count, last, _ = cookie["value"].split("~")
    assert (id_, count) == (visitor, "1")
    page.js(f"document.cookie = 'mutiny_edge={id_}~{seen}~1~{int(last) - 1_800_001}~; path=/'")
    again = browser.page()
    again.open(write("/returning"))
    assert (again.visitor, again.text("h1")) == (visitor, "Welcome back")
    assert cookies(browser)[0]["value"].split("~")[1:3] == [seen, "2"]
    again.open(write("/split"))
    assert again.text("h1") == first


def test_the_group_is_the_one_of_the_hash(browser: Any, write: Callable[..., str], edge: Any) -> None:
    """What the page shows is what the engine says of this id."""
    page = browser.page()
    page.open(write("/split"))
    asked = {"visitorId": page.visitor, "page": {"url": page.js("location.href")}, "visit": {"count": 1}}
    [decision] = edge.post("/v1/decide", asked).json["decisions"]
    assert page.text("h1") == ("Personalized" if decision["personalized"] else "Hello")


def test_the_copy_in_local_storage(browser: Any, write: Callable[..., str]) -> None:
    """Who loses the cookie stays who they are; and a cookie that is none is not believed."""
    page = browser.page()
    page.open(write("/home"))
    visitor = page.visitor
    browser("clearCookies")
    assert page.open(write("/home")).visitor == visitor
    page.js("document.cookie = 'mutiny_edge=<script>; path=/'")
    assert page.open(write("/home")).visitor == visitor


def test_an_id_that_is_typed_into_the_console(
    browser: Any, write: Callable[..., str], edge: Any, site: Any, until: Any
) -> None:
    """README's first steps: somebody else by hand, at an address of numbers; what is said of them is on the page."""
    others = "<p class=html></p><a class=link></a><a class=part></a><p class=insert></p><h1></h1>"  # all are waited for
    write("/hostile", f'<p class="text">For everybody</p>{others}', tag=f'data-write-key="{edge.key}"')
    address = f"http://127.0.0.1:{site.port}/hostile"
    page = browser.page()
    assert page.open(address).text(".text") == "For everybody"
    page.js("document.cookie = 'mutiny_edge=mia'")
    traits = {"mutinyVisitorId": "mia", "company": "Northbank"}
    said = {"writeKey": edge.key, "anonymousId": "mia", "traits": traits, "originalTimestamp": "2026-01-01T00:00:00Z"}
    edge.post("/v1/identify", said)
    for seen in (1, 2):  # what the page itself says of her takes nothing away
        assert page.open(address).text(".text") == "For Northbank"
        assert page.visitor == "mia"
        until(lambda seen=seen: len(edge.exposures("mia")) == seen)


def test_two_tabs(browser: Any, write: Callable[..., str]) -> None:
    """They are one visitor, and one visit."""
    one, two = browser.page(), browser.page()
    address = write("/home")
    one.open(address)
    assert two.open(address).visitor == one.visitor
    assert cookies(browser)[0]["value"].split("~")[2] == "1"
    two.do("mutinyEdge.optOut()")
    assert one.js("mutinyEdge.refresh().then((decisions) => decisions.length)") == 0
    assert one.text("h1") == "Hello"


def test_subdomains_share_the_visitor(browser: Any, write: Callable[..., str], site: Any) -> None:
    """The cookie is the whole domain's. These pages are no secure context, and there is an id all the same."""
    write("/home")
    page = browser.page()
    page.open(f"http://www.example.com:{site.port}/home")
    visitor = page.visitor
    assert re2.fullmatch("[0-9]+(-[0-9]+){3}", visitor)
    assert [cookie["domain"] for cookie in cookies(browser)] == [".example.com"]
    assert page.open(f"http://app.example.com:{site.port}/home").visitor == visitor


def test_with_tls_the_cookie_is_secure(browser: Any, write: Callable[..., str], site: Any, edge: Any) -> None:
    """It never goes over the wire as text."""
    write("/home")
    content, headers = site.pages["/home"]
    site.pages["/home"] = content.replace(edge.url.encode(), b"https://edge.example.com"), headers
    browser.reach("https://shop.example.com", site.url)
    browser.reach("https://edge.example.com", edge.url)
    page = browser.page()
    page.open("https://shop.example.com/home")
    assert page.text("h1") == "Made for you"
    [cookie] = cookies(browser)
    assert (cookie["domain"], cookie["secure"], cookie["sameSite"]) == (".example.com", True, "Lax")


def test_the_cookie_of_a_server(browser: Any, write: Callable[..., str]) -> None:
    """What the website's own server has set is taken and never written over; visits are counted beside it."""
    address = write("/returning", tag='data-cookie="server"', headers={"Set-Cookie": "mutiny_edge=from-server; Path=/"})
    page = browser.page()
    assert page.open(address).visitor == "from-server"
    page.js("localStorage.mutiny_edge = localStorage.mutiny_edge.replace(/~1~.*/, '~1~1~')")
    page.open(address)
    assert (page.visitor, page.text("h1")) == ("from-server", "Welcome back")
    assert [cookie["value"] for cookie in cookies(browser)] == ["from-server"]


def test_mutinys_visitor_is_taken_over(browser: Any, write: Callable[..., str]) -> None:
    """The first valid one of its cookies; who has an id of ours already keeps it."""
    token = "0f8fad5b-d9cb-469f-a165-70867728950e"
    page = browser.page()
    page("goto", write("/nothing").replace("/nothing", "/favicon.ico"))
    page.js("document.cookie = 'mutiny.user.token=null; path=/home'")
    page.js(f"document.cookie = 'mutiny.user.token={token}; path=/'")
    assert page.open(write("/home")).visitor == token
    page.js("document.cookie = 'mutiny.user.token=11111111-d9cb-469f-a165-70867728950e; path=/'")
    assert page.open(write("/home")).visitor == token


SHIM = """<script>
(function () {
  const client = { _queue: {} };
  for (const name of ["identify", "trackConversion"])
    client[name] = (...args) => new Promise((resolve, reject) => {
      (client._queue[name] = client._queue[name] || []).push({ args, resolve, reject });
    });
  for (const name of ["defaultOptOut", "optOut", "optIn"])
    client[name] = (...args) => { (client._queue[name] = client._queue[name] || []).push({ args }); };
  window.mutiny = { client };
})();
window.shim = window.mutiny.client;
EARLY
</script>"""


def test_mutinys_calls(browser: Any, write: Callable[..., str], edge: Any, until: Any) -> None:
    """What was called before the client came, and after, does what it did; the promises are kept."""
    early = "shim.identify('u-1', {email: 'ada@example.com'}).then(() => { window.kept = true })"
    page = browser.page()
    page.open(write("/home", head=SHIM.replace("EARLY", early), tag=f'data-write-key="{edge.key}"'))
    page.until("window.kept")
    page.do("shim.trackConversion({name: 'Signed Up'})")
    visitor = page.visitor
    until(lambda: any(message.get("event") == "Signed Up" for message in edge.said(visitor)))
    [identified] = [message for message in edge.said(visitor) if message.get("userId") == "u-1"]
    assert identified["traits"] == {"email": "ada@example.com"}
    assert page.js("shim.trackConversion().then(() => 'no throw')") == "no throw"


def test_mutinys_default_opt_out(browser: Any, write: Callable[..., str], edge: Any, until: Any) -> None:
    """Nobody is personalized or tracked until they opt in; that they did is remembered."""
    address = write("/home", head=SHIM.replace("EARLY", "shim.defaultOptOut()"), tag=f'data-write-key="{edge.key}"')
    page = browser.page()
    page.open(address)
    assert (page.text("h1"), cookies(browser), page.requests("/v1/")) == ("Hello", [], [])
    page.do("shim.optIn()")
    page.until("document.querySelector('h1').textContent === 'Made for you'")
    visitor = page.visitor
    until(lambda: edge.exposures(visitor))
    assert page.open(address).text("h1") == "Made for you"
    page.do("shim.optOut()")
    page.until("document.querySelector('h1').textContent === 'Hello'")
    assert page.open(address).text("h1") == "Hello"


def test_consent(browser: Any, write: Callable[..., str], edge: Any, until: Any) -> None:
    """Nothing is stored and nothing sent until it is given, every time."""
    address = write("/home", tag=f'data-consent="wait" data-write-key="{edge.key}"')
    page = browser.page()
    page.open(address)
    page.do("mutiny.client.trackConversion({name: 'Early'})")
    stored = page.js("localStorage.length + sessionStorage.length")
    assert (cookies(browser), stored, page.requests("/v1/")) == ([], 0, [])
    page.do("mutinyEdge.consent()")
    assert page.text("h1") == "Made for you"
    visitor = page.visitor
    until(lambda: len(edge.said(visitor)) == 3)
    assert {message.get("event") for message in edge.said(visitor)} == {None, "Early", "Mutiny Experience Viewed"}
    assert page.open(address).text("h1") == "Hello"


def test_global_privacy_control(browser: Any, write: Callable[..., str], edge: Any) -> None:
    """Nothing is stored, sent or changed, whatever is called."""
    browser.before(GPC)
    page = browser.page()
    page.open(write("/home", tag=f'data-write-key="{edge.key}"'))
    page.do("mutinyEdge.optIn().then(() => mutinyEdge.refresh())")
    page.do("mutiny.client.trackConversion({name: 'x'})")
    assert (page.text("h1"), page.visitor, page.requests("/v1/")) == ("Hello", None, [])
    assert (cookies(browser), page.js("localStorage.length + sessionStorage.length")) == ([], 0)
    assert page.errors == []


@pytest.mark.parametrize("how", ["mutinyEdge.optOut()", "mutiny.client.optOut()"])
def test_opting_out(browser: Any, write: Callable[..., str], edge: Any, how: str) -> None:
    """The page is as it was, the id is forgotten, and that is remembered; opting in makes a new visitor."""
    page, address = browser.page(), write("/home", tag=f'data-write-key="{edge.key}"')
    page.open(address)
    visitor = page.visitor
    page.until("localStorage.mutiny_edge_linked")
    page.do(how)
    page.until("document.querySelector('h1').textContent === 'Hello'")
    page.open(address)
    assert (page.text("h1"), [cookie["value"] for cookie in cookies(browser)]) == ("Hello", ["~out"])
    assert visitor not in page.js("JSON.stringify(localStorage)")
    page.do("mutinyEdge.optIn()")
    assert (page.text("h1"), page.visitor != visitor) == ("Made for you", True)
