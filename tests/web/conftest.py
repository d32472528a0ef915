"""A rules folder, an app to call in this process, and the real service as a process of its own."""

import asyncio
import io
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from pathlib import Path
from types import ModuleType
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest
import uvloop
from msgspec import Struct
from plain import module_at

from engine.cli.demo import crowd_lines, example_rules
from engine.node import Node, utc_now
from engine.profiles.importing import import_lines
from engine.segment.sources import Sources
from engine.settings import Settings
from engine.web.app import build
from engine.web.preview import Ticket, key_made, signed

PATIENCE_S = 60.0  # no test measures time; this only ends what hangs

# One experience whose answer names the edition of the rules; everybody whom the page calls small sees it.
RULES = """\
segments:
  small: {{name: Small company, when: "traits.employees < 50"}}
experiences:
  site:
    name: Site
    pages: ["https://www.example.com/**"]
    audiences:
      - segment: small
        control: 0%
        variants: [{{key: hero, changes: [{{selector: h1, text: "Edition {edition}"}}]}}]
tests:
  - name: small companies see it
    given: {{traits: {{employees: 12}}, page: {{url: "https://www.example.com/"}}}}
    expect: {{experience: site, segment: small}}
"""


# The service: on Linux it is ended (PR_SET_PDEATHSIG) when the tests are gone, also when they were killed.
SERVICE = """\
import ctypes, signal, sys
if sys.platform == "linux":
    ctypes.CDLL(None).prctl(1, signal.SIGTERM)
from engine.cli.main import main
main()
"""


class Answer(Struct, frozen=True):
    """A response."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        """The body, read."""
        return json.loads(self.body)

    @property
    def edition(self) -> str | None:
        """Which edition of the rules answered; none where nothing matched."""
        decisions = self.json["decisions"]
        return decisions[0]["changes"][0]["text"].removeprefix("Edition ") if decisions else None


@pytest.fixture(scope="session")
def rules_of() -> Callable[[object], str]:
    """`rules_of(3)`: the text of a rule file whose answers say `Edition 3`."""
    return lambda edition: RULES.format(edition=edition)


@pytest.fixture
def rules(tmp_path: Path, rules_of: Callable[[object], str]) -> Path:
    """A rules folder with one file, `site.yaml`, edition 1."""
    folder = tmp_path / "rules"
    folder.mkdir()
    (folder / "site.yaml").write_text(rules_of(1))
    return folder


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Node]:
    """A node that is not started: its rules do not change."""
    folder = tmp_path_factory.mktemp("node")
    (folder / "rules").mkdir()
    (folder / "rules" / "site.yaml").write_text(RULES.format(edition=1))
    node = Node(Settings(folder / "rules", folder / "data"))
    yield node
    node.store.close()


class App:
    """An ASGI app, called without a server; `chunks` are the pieces in which the body arrives."""

    def __init__(self, app: Any) -> None:
        self._app = app

    def __call__(
        self,
        method: str = "POST",
        path: str = "/v1/decide",
        chunks: Sequence[bytes] = (b"",),
        headers: Sequence[tuple[str, str]] = (("content-type", "application/json"),),
        query: bytes = b"",
        peer: str = "192.0.2.1",
    ) -> Answer:
        sent: list[dict[str, Any]] = []
        waiting = list(chunks)
        scope = {
            "type": "http",
            "asgi": {"version": "3.0"},
            "http_version": "1.1",
            "method": method,
            "path": path,
            "raw_path": path.encode(),
            "root_path": "",
            "scheme": "http",
            "query_string": query,
            "headers": [(name.encode("latin-1"), value.encode("latin-1")) for name, value in headers],
            "client": (peer, 1),
            "server": ("localhost", 80),
        }

        async def receive() -> dict[str, Any]:
            if not waiting:
                return {"type": "http.disconnect"}
            return {"type": "http.request", "body": waiting.pop(0), "more_body": bool(waiting)}

        async def send(message: dict[str, Any]) -> None:
            sent.append(message)

        asyncio.run(self._app(scope, receive, send))
        start = sent[0]
        headers_sent = {name.decode(): value.decode() for name, value in start["headers"]}
        return Answer(start["status"], headers_sent, b"".join(message["body"] for message in sent[1:]))


@pytest.fixture(scope="session")
def calling() -> type[App]:
    """`calling(app)`: any ASGI app, to be called like a function."""
    return App


@pytest.fixture(scope="module")
def call(node: Node) -> App:
    """The app with its defaults."""
    return App(build(node))


class Service:
    """`mutiny-edge serve` as a user runs it, on a free port; `inside` is a command that runs it."""

    def __init__(
        self, rules: Path, data: Path, *options: str, inside: Sequence[str] = (), program: str = SERVICE
    ) -> None:
        port = () if "--port" in options else ("--port", "0")
        command = [sys.executable, "-c", program, "serve", *port]
        where = ["--rules", str(rules), "--data", str(data)]
        self.process = subprocess.Popen(
            [*inside, *command, *where, *options],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            encoding="utf-8",
            env={name: value for name, value in os.environ.items() if not name.startswith("MUTINY_EDGE_")},
        )
        self.log: list[str] = []
        self.url = ""
        self._told = threading.Event()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        for line in self.process.stderr or ():
            self.log.append(line.rstrip())
            if "serving http://" in line:
                self.url = line.split("serving ")[1].split()[0]
                self._told.set()
        self._told.set()

    def up(self) -> "Service":
        """Wait until it answers."""
        assert self._told.wait(PATIENCE_S)
        assert self.url, self.log
        until(lambda: self.get("/healthz").status == 200)
        return self

    def get(self, path: str) -> Answer:
        """One request on a connection of its own."""
        return self.ask(Request(self.url + path))

    def decide(self, employees: int = 12) -> Answer:
        """A decision for a visitor of a company of that size."""
        visitor = {"visitorId": "v1", "page": {"url": "https://www.example.com/"}, "traits": {"employees": employees}}
        headers = {"content-type": "application/json"}
        return self.ask(Request(self.url + "/v1/decide", json.dumps(visitor).encode(), headers))

    def ask(self, request: Request) -> Answer:
        """The answer, also where it is an error."""
        try:
            with urlopen(request, timeout=PATIENCE_S) as response:
                return Answer(response.status, dict(response.headers), response.read())
        except HTTPError as error:
            with error:
                return Answer(error.code, dict(error.headers), error.read())

    def end(self, number: int = signal.SIGTERM) -> int:
        """Send a signal; the exit code."""
        self.process.send_signal(number)
        return self.ended()

    def ended(self) -> int:
        """The exit code, once it has ended."""
        code = self.process.wait(PATIENCE_S)
        self._reader.join(PATIENCE_S)
        for pipe in (self.process.stdout, self.process.stderr):
            if pipe is not None:
                pipe.close()
        return code


def until(true: Callable[[], bool]) -> None:
    """Wait for what is bound to happen."""
    deadline = time.monotonic() + PATIENCE_S
    while not true():
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.02)


@pytest.fixture(scope="session", name="until")
def _until() -> Callable[[Callable[[], bool]], None]:
    """`until(lambda: …)`: wait for what is bound to happen."""
    return until


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Callable[..., Service]]:
    """`serve(rules, "--workers", "2")`: a service, not yet up; it is ended with the test."""
    started: list[Service] = []

    def serve(rules: Path, *options: str, **how: Any) -> Service:
        started.append(Service(rules, tmp_path / "data", *options, **how))
        return started[-1]

    yield serve
    for service in started:
        if service.process.poll() is None:
            service.end(signal.SIGINT)


@pytest.fixture(scope="session")
def standing(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """A service for all tests that only ask: one worker, edition 1. None of them may end it."""
    folder = tmp_path_factory.mktemp("standing")
    (folder / "rules").mkdir()
    (folder / "rules" / "site.yaml").write_text(RULES.format(edition=1))
    service = Service(folder / "rules", folder / "data", "--drain", "0")
    yield service.up()
    assert not any("Traceback" in line for line in service.log)
    service.end(signal.SIGINT)


class Example(Struct, frozen=True):
    """The example service, and what is secret there, by the names of the shell's variables in which `/docs` has it."""

    service: Service
    environment: dict[str, str]


@pytest.fixture(scope="session")
def example(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Example]:
    """A service with the example rules, visitors of the demo, a source with a webhook, and an admin key."""
    folder = tmp_path_factory.mktemp("example")
    data, keys = folder / "data", folder / "keys"
    with closing(Node(Settings(example_rules(), data)).store) as store:
        import_lines(io.BytesIO(crowd_lines(20)), store, utc_now())
    sources = Sources(data)
    ticket = Ticket("homepage-customer", "customer", "welcome-back", 2**33)
    secrets = {
        "WRITE_KEY": sources.add("www", "website"),
        "SECRET": sources.rotate_webhook("www"),
        "PREVIEW_TOKEN": signed(ticket, key_made(data)),
    }
    keys.write_text("an-admin-key-for-tests")
    keys.chmod(0o600)
    service = Service(example_rules(), data, "--drain", "0", "--admin-key-file", str(keys))
    yield Example(service.up(), {**secrets, "ADMIN_KEY": keys.read_text()})
    assert not any("Traceback" in line for line in service.log), "\n".join(service.log[:60])
    service.end(signal.SIGINT)


def _module(name: str) -> ModuleType:
    """A plain module of the tests: with importlib mode they are in no package."""
    return module_at(Path(__file__).with_name(f"{name}.py"))


@pytest.fixture(scope="session")
def wire() -> ModuleType:
    """The module `wire.py`: HTTP as bytes, and crowds of clients."""
    return _module("wire")


@pytest.fixture(scope="session")
def sending() -> ModuleType:
    """The module `sending.py`: a source that sends without a pause, and what must be true of its messages."""
    return _module("sending")


@pytest.fixture(scope="module")
def runner() -> Iterator[asyncio.Runner]:
    """One loop for all of a file."""
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        yield runner


@pytest.fixture(scope="session")
def roads_to() -> Any:
    """`roads_to(runner, app)`: the lane and the ordinary road to it (`roads.py`)."""
    return _module("roads").Roads


@pytest.fixture(scope="session")
def collecting() -> ModuleType:
    """The module `collector.py`: a collector of OpenTelemetry on the loopback."""
    return _module("collector")
