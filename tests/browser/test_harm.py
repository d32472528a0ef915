"""Whatever goes wrong, the page shows as it is, nothing is tracked, and nothing is thrown into it."""

import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

CLIENT = Path(__file__).resolve().parents[2] / "engine" / "web" / "client.min.js"
ONE = b'{"decisions": [{"changes": [%s], "track": {"event": "x"}}]}'
GARBAGE = [
    b"",
    b"<html>502 Bad Gateway</html>",
    b"null",
    b"[]",
    b'{"decisions": "none"}',
    b'{"decisions": [null]}',
    b'{"decisions": [{"changes": 1, "track": {}}]}',
    ONE % b"null",
    ONE % b'{"selector": "h1", "text": "Half"}, {"selector": "((", "text": "x"}',
    ONE % b'{"selector": "h1", "insert": {"position": "nowhere", "html": "x"}}',
    ONE % b'{"redirect": "javascript:alert(1)"}',
    ONE % b'{"redirect": "http://["}',
]


class Broken:
    """A service that serves the client, and answers decisions as it is told: a status and a body, late or never."""

    def __init__(self) -> None:
        self.status, self.body = 200, b""
        self.answers = threading.Event()
        self.paths: list[str] = []
        broken = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self.reply(200, CLIENT.read_bytes(), "text/javascript")

            def do_POST(self) -> None:
                broken.paths.append(self.path)
                self.rfile.read(int(self.headers["Content-Length"]))
                broken.answers.wait(60)
                self.reply(broken.status, broken.body, "application/json")

            def reply(self, status: int, body: bytes, kind: str) -> None:
                self.send_response(status)
                self.send_header("Content-Type", kind)
                self.send_header("Content-Length", str(len(body)))
                self.send_header("Access-Control-Allow-Origin", "*")
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def close(self) -> None:
        """End it."""
        self.answers.set()
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture
def broken() -> Iterator[Broken]:
    """A service in trouble, which answers at once."""
    broken = Broken()
    broken.answers.set()
    yield broken
    broken.close()


@pytest.fixture
def show(site: Any, broken: Broken) -> Callable[..., str]:
    """`show(tag=…)`: the address of a page that asks the service in trouble."""

    def show(tag: str = "", body: str = "<h1>Hello</h1>") -> str:
        script = f'<script src="{broken.url}/client.js" data-write-key="k" {tag}></script>'
        site.pages["/harm"] = f"<!doctype html><title>A page</title>{script}{body}".encode(), {}
        return f"{site.url}/harm"

    return show


def unharmed(page: Any, broken: Broken) -> None:
    """The page is as it was, visible, and nothing was said."""
    page.ready()
    assert page.text("h1") == "Hello"
    assert page.js("getComputedStyle(document.querySelector('h1')).visibility") == "visible"
    page("goto", "about:blank")
    assert set(broken.paths) == {"/v1/decide"}


def thrown(page: Any) -> list[str]:
    """Errors, but for those that the browser itself tells of requests."""
    return [error for error in page.errors if not error.startswith("Failed to load resource")]


def test_garbage(browser: Any, show: Callable[..., str], broken: Broken) -> None:
    """No answer that is none does anything."""
    page = browser.page()
    for body in GARBAGE:
        broken.body = body
        page.open(show())
        unharmed(page, broken)
    assert thrown(page) == []


def test_errors(browser: Any, show: Callable[..., str], broken: Broken) -> None:
    """Also where an error brings a body like a decision's."""
    broken.body = ONE % b'{"selector": "h1", "text": "x"}'
    page = browser.page()
    for status in (400, 403, 404, 410, 429, 500, 503):
        broken.status = status
        page.open(show())
        unharmed(page, broken)
    assert thrown(page) == []


def test_a_service_that_is_down(browser: Any, show: Callable[..., str], broken: Broken) -> None:
    """It was there and is not any more: the next page view shows the page as it is."""
    broken.body = ONE % b'{"selector": "h1", "text": "Changed"}'
    page = browser.page()
    page.open(show())
    assert page.text("h1") == "Changed"
    page.until("localStorage.mutiny_edge_linked")
    broken.close()
    page.js("history.pushState(null, '', '/harm/more')")
    page.do("mutinyEdge.refresh()")
    assert (page.text("h1"), page.js("mutinyEdge.decisions")) == ("Hello", [])
    assert thrown(page) == []


def test_a_blocked_client(browser: Any, show: Callable[..., str], broken: Broken) -> None:
    """An ad blocker that knows our script leaves a page that works."""
    browser.block("**/client.js")
    page = browser.page()
    page("goto", show('data-hide="h1"'))
    assert page.js("getComputedStyle(document.querySelector('h1')).visibility") == "visible"
    assert thrown(page) == []


FRAMES = """<script>
  const frames = [], look = () => {
    const h1 = document.querySelector("h1");
    if (h1) frames.push(`${getComputedStyle(h1).visibility} ${h1.textContent}`);
    requestAnimationFrame(look);
  };
  look();
</script>"""


def test_a_slow_service(browser: Any, show: Callable[..., str], broken: Broken) -> None:
    """What may change is hidden, and shown again when time is up; an answer that comes after that does nothing."""
    broken.answers.clear()
    broken.body = ONE % b'{"selector": "h1", "text": "Late"}'
    look = "['h1', 'p'].map((name) => getComputedStyle(document.querySelector(name)).visibility)"
    page = browser.page()
    page("goto", show('data-hide="h1, .x"', f"<h1>Hello</h1><p>Text</p><script>const seen = {look}</script>{FRAMES}"))
    page.until("frames.includes('visible Hello')")
    assert page.js("seen") == ["hidden", "visible"]
    broken.answers.set()
    unharmed(page, broken)


def test_hiding_ends_with_the_answer(browser: Any, show: Callable[..., str], broken: Broken) -> None:
    """The element is seen first as it is meant to be."""
    broken.body = ONE % b'{"selector": "h1", "text": "Meant"}'
    page = browser.page()
    page.open(show('data-hide="h1" data-hide-ms="60000"', f"{FRAMES}<h1>Hello</h1>"))
    page.until("frames.includes('visible Meant')")
    assert "visible Hello" not in page.js("frames")


def test_an_invalid_hide_hides_nothing(browser: Any, show: Callable[..., str], broken: Broken) -> None:
    """Nor does it keep the client from its work."""
    broken.body = b'{"decisions": [{"changes": [{"selector": "h1", "text": "Meant"}]}]}'
    page = browser.page()
    page.open(show('data-hide="h1 { color: red } (("'))
    assert page.text("h1") == "Meant"


def test_a_page_that_forbids_storage(browser: Any, show: Callable[..., str], broken: Broken) -> None:
    """Without cookies and storage there is an id for this page view, and no error."""
    broken.body = b'{"decisions": []}'
    browser.before(
        "for (const name of ['localStorage', 'sessionStorage'])"
        "  Object.defineProperty(window, name, {get() { throw Error(name) }});"
        "Object.defineProperty(document, 'cookie', {get: () => '', set() {}})"
    )
    page = browser.page()
    page.open(show())
    assert page.visitor
    assert thrown(page) == []


def test_a_client_that_stands_there_twice(browser: Any, show: Callable[..., str], broken: Broken) -> None:
    """It asks once."""
    broken.body = b'{"decisions": []}'
    page = browser.page()
    page.open(show(body=f'<h1>Hello</h1><script src="{broken.url}/client.js"></script>'))
    assert broken.paths == ["/v1/decide"]


POLICY = (
    "default-src 'none'; script-src 'nonce-abc'; style-src 'nonce-abc'; connect-src {edge}; base-uri 'none'; "
    "require-trusted-types-for 'script'; trusted-types mutiny-edge"
)


def test_a_strict_policy(browser: Any, write: Callable[..., str], edge: Any) -> None:
    """Everything works with a nonce alone, and with trusted types: changes, styles, what is hidden."""
    policy = POLICY.format(edge=edge.url)
    page = browser.page()
    page.open(write("/strict", tag='nonce="abc" data-hide="h1"', headers={"Content-Security-Policy": policy}))
    assert page.text("h1 .mine") == "Styled"
    assert page.js("getComputedStyle(document.querySelector('h1')).color") == "rgb(1, 2, 3)"
    assert page.js("getComputedStyle(document.querySelector('.mine')).color") == "rgb(4, 5, 6)"
    assert [error for error in page.errors if "Content Security Policy" in error] == []
