"""A customer's website, the real service and real Chromium, each a process or a server of its own.

1. `site` serves pages that a test writes; `edge` is the service, at another origin. Pages reach it by the script tag
   that README shows: what runs on them is the minified client.
2. `browser` is a fresh profile of Chromium, driven through drive.cjs with what `tests/run` installed; where that could
   not be had, these tests are skipped and say so, and fail with CI=true.
3. No test measures time; patience only ends what hangs.
"""

import json
import os
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import count
from pathlib import Path
from types import ModuleType
from typing import Any, Final
from urllib.request import Request

import pytest
from plain import module_at

HERE: Final = Path(__file__).resolve().parent
NODE: Final = Path(sys.prefix) / "segment-libraries" / "node"
PATIENCE_S: Final = 60.0
# As root there is no sandbox; the names lead to this machine; the rest keeps Chromium from calling home.
FLAGS: Final = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--host-resolver-rules=MAP *.example.com 127.0.0.1",
)
LIBRARY: Final = NODE / "node_modules" / "@segment" / "analytics-next" / "dist" / "umd"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """All of this needs a browser."""
    for item in items:
        if HERE in item.path.parents:
            item.add_marker(pytest.mark.browser)


def _service() -> ModuleType:
    """tests/web/conftest.py, where the service runs as a user runs it."""
    return module_at(HERE.parent / "web" / "conftest.py")


service = _service()


def wanted(path: Path | str | None, what: str) -> str:
    """What was found; where nothing was, the test ends here."""
    if path is not None and Path(path).exists():
        return str(path)
    reason = f"{what} is not here: bash tests/run installs it where it can"
    if os.environ.get("CI") == "true":
        pytest.fail(reason, pytrace=False)
    pytest.skip(reason)


def until(true: Callable[[], bool], why: Callable[[], object] = lambda: "it did not happen") -> None:
    """Wait for what is bound to happen."""
    deadline = time.monotonic() + PATIENCE_S
    while not true():
        assert time.monotonic() < deadline, why()
        time.sleep(0.02)


class Site:
    """A website: `pages` holds what it answers, by path, with headers."""

    def __init__(self) -> None:
        self.pages: dict[str, tuple[bytes, Mapping[str, str]]] = {"/favicon.ico": (b"", {})}
        self.asked: list[str] = []
        site = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                site.answer(self)

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.port = self._server.server_port
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    @property
    def url(self) -> str:
        """Its address, which browsers take for a secure one."""
        return f"http://localhost:{self.port}"

    def answer(self, handler: BaseHTTPRequestHandler) -> None:
        """One request."""
        path = handler.path.partition("?")[0]
        self.asked.append(path)
        content, headers = self.pages.get(path, (b"", {}))
        handler.send_response(200 if path in self.pages else 404)
        for name, value in {"Content-Type": "text/html; charset=utf-8", **headers}.items():
            handler.send_header(name, value)
        handler.send_header("Content-Length", str(len(content)))
        handler.end_headers()
        handler.wfile.write(content)

    def close(self) -> None:
        """End it."""
        self._server.shutdown()
        self._server.server_close()


class Edge:
    """The service with the rules in rules.yaml, a source for the website, and what its log holds."""

    def __init__(self, folder: Path) -> None:
        self.rules, self.data = folder / "rules", folder / "data"
        self.rules.mkdir()
        shutil.copy(HERE / "rules.yaml", self.rules / "rules.yaml")
        self.key = self.command("sources", "add", "www", "--kind", "website")
        self.service: Any = None

    def command(self, *words: str, stdin: str = "") -> str:
        """What a `mutiny-edge` command prints, with this data folder."""
        program = [sys.executable, "-c", "from engine.cli.main import main; main()"]
        done = subprocess.run(
            [*program, *words, "--data", str(self.data)],
            check=True,
            input=stdin,
            capture_output=True,
            text=True,
        )
        return done.stdout.strip()

    def know(self, visitors: Mapping[str, Mapping[str, object]]) -> None:
        """Let the store know visitors with these traits."""
        lines = [json.dumps({"visitorId": visitor, "traits": traits}) for visitor, traits in visitors.items()]
        self.command("import", "-", stdin="\n".join(lines))

    def start(self) -> None:
        """Start it, again on the port that it had."""
        port = [] if self.service is None else ["--port", self.url.rpartition(":")[2]]
        self.service = service.Service(self.rules, self.data, "--drain", "0", *port).up()

    @property
    def url(self) -> str:
        """`http://127.0.0.1:PORT`."""
        return self.service.url

    def said(self, visitor: str) -> list[dict[str, Any]]:
        """The messages in the event log from the devices that said to be this visitor's, in the order of the calls."""
        files = (file.read_bytes() for file in sorted((self.data / "events").glob("*.ndjson")))
        lines = [json.loads(line) for file in files for line in file.rpartition(b"\n")[0].splitlines()]
        messages = [line["message"] for line in lines]
        linked = [m for m in messages if (m.get("traits") or {}).get("mutinyVisitorId") == visitor]
        devices = {message.get("anonymousId") for message in linked}
        return sorted((m for m in messages if m.get("anonymousId") in devices), key=lambda m: m["originalTimestamp"])

    def exposures(self, visitor: str) -> list[dict[str, Any]]:
        """The properties of what they were said to have seen."""
        return [m["properties"] for m in self.said(visitor) if m.get("event") == "Mutiny Experience Viewed"]

    def links(self, visitor: str) -> list[dict[str, Any]]:
        """The identify calls that say who they are."""
        return [m for m in self.said(visitor) if m["type"] == "identify" and "mutinyVisitorId" in m["traits"]]

    def post(self, path: str, body: object) -> Any:
        """One request, and its answer."""
        return self.service.ask(Request(self.url + path, json.dumps(body).encode(), {"content-type": "text/plain"}))

    def close(self) -> None:
        """End it; it has not stumbled over anything."""
        if self.service is not None and self.service.process.poll() is None:
            self.service.end()
        assert not any("Traceback" in line for line in self.service.log), self.service.log


class Thing:
    """Something in the browser: a context or a page. Its methods are those of playwright-core, by their names there."""

    def __init__(self, chromium: "Chromium", name: str) -> None:
        self._chromium = chromium
        self.name = name

    def __call__(self, verb: str, *args: object) -> Any:
        """Call a method, and wait for it."""
        return self._chromium.ask(self.name, verb, *args)


class Page(Thing):
    """A tab."""

    def open(self, address: str) -> "Page":
        """View a page, and wait until the client is through with it."""
        self("goto", address)
        return self.ready()

    def ready(self) -> "Page":
        """Wait until the client is through with the page view."""
        self.until("window.mutinyEdge?.refresh")
        self.do("new Promise((done) => mutinyEdge.ready(done))")
        return self

    def js(self, expression: str) -> Any:
        """The value of an expression there."""
        return self("evaluate", expression)

    def do(self, expression: str) -> None:
        """Wait for what an expression promises there."""
        self("evaluate", f"Promise.resolve({expression}).then(() => null)")

    def until(self, expression: str) -> None:
        """Wait until an expression is true there."""
        self("until", expression)

    def text(self, selector: str) -> str | None:
        """What an element says; None where there is none."""
        return self.js(f"document.querySelector({json.dumps(selector)})?.textContent ?? null")

    @property
    def visitor(self) -> str:
        """Who the client says is here."""
        return self.js("mutinyEdge.visitorId ?? null")

    @property
    def errors(self) -> list[str]:
        """What was thrown, or written as an error to the console."""
        return self("errors")

    def requests(self, part: str) -> list[list[Any]]:
        """What was asked for at addresses with this in them: method, address, body, end."""
        return [request for request in self("requests") if part in request[1]]


class Context(Thing):
    """A browser profile: cookies and storage of its own."""

    def page(self) -> Page:
        """A new tab."""
        return Page(self._chromium, self._chromium.named(self.name, "newPage"))

    def block(self, address: str) -> None:
        """Requests to addresses like this fail."""
        self("block", address)

    def reach(self, origin: str, instead: str) -> None:
        """Requests to one origin are answered by another one."""
        self("reach", origin, instead)

    def before(self, script: str) -> None:
        """Run this on every page before anything else."""
        self("addInitScript", {"content": script})


class Chromium:
    """The browser, behind drive.cjs."""

    def __init__(self, trouble: Path) -> None:
        found = (shutil.which(program) for program in ("chromium", "chromium-browser", "google-chrome"))
        chromium = wanted(next(filter(None, found), None), "Chromium")
        program = [wanted(shutil.which("node"), "Node.js"), str(HERE / "drive.cjs"), chromium]
        modules = str(Path(wanted(NODE, "playwright-core")) / "node_modules")
        self._names = count()
        self._trouble = trouble
        with trouble.open("w") as stderr:
            self._process = subprocess.Popen(
                [*program, *FLAGS],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=stderr,
                text=True,
                env={**os.environ, "NODE_PATH": modules},
            )

    def ask(self, on: str, verb: str, *args: object, name: str | None = None) -> Any:
        """One command, and its answer."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps({"on": on, "do": verb, "args": args, "as": name}) + "\n")
        self._process.stdin.flush()
        line = self._process.stdout.readline()
        assert line, self._trouble.read_text()
        answer = json.loads(line)
        assert "error" not in answer, answer["error"]
        return answer["result"]

    def named(self, on: str, verb: str, *args: object) -> str:
        """The name of what a command made."""
        name = f"{verb}-{next(self._names)}"
        self.ask(on, verb, *args, name=name)
        return name

    def context(self, **options: object) -> Context:
        """A new profile."""
        return Context(self, self.named("browser", "newContext", options))

    def close(self) -> None:
        """Close it."""
        try:
            self._process.communicate(timeout=10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.communicate()


@pytest.fixture(scope="session")
def chromium(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chromium]:
    """One browser for all tests."""
    with closing(Chromium(tmp_path_factory.mktemp("chromium") / "trouble.txt")) as chromium:
        yield chromium


@pytest.fixture
def browser(chromium: Chromium) -> Iterator[Context]:
    """A fresh profile in it."""
    context = chromium.context()
    yield context
    context("close")


@pytest.fixture(scope="session")
def edge(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Edge]:
    """One service for all tests that leave it running."""
    with closing(Edge(tmp_path_factory.mktemp("edge"))) as edge:
        edge.start()
        yield edge


@pytest.fixture(scope="session")
def site() -> Iterator[Site]:
    """The customer's website."""
    with closing(Site()) as site:
        yield site


@pytest.fixture(scope="session")
def library() -> Path:
    """The files of @segment/analytics-next for browsers."""
    return Path(wanted(LIBRARY, "@segment/analytics-next"))


@pytest.fixture(scope="session", name="until")
def _until() -> Callable[..., None]:
    """`until(lambda: …)`: wait for what is bound to happen."""
    return until


@pytest.fixture
def write(site: Site, edge: Edge) -> Callable[..., str]:
    """`write("/home", "<h1>Hello</h1>", tag=…, head=…, headers=…)`: a page with the client on it; its address."""

    def write(
        path: str, body: str = "<h1>Hello</h1>", tag: str = "", head: str = "", headers: Mapping[str, str] | None = None
    ) -> str:
        script = f'<script src="{edge.url}/client.js" async {tag}></script>'
        content = f"<!doctype html><html><head><title>A page</title>{head}{script}</head><body>{body}</body></html>"
        site.pages[path] = content.encode(), headers or {}
        return site.url + path

    return write
