"""The real service, and Segment's own libraries as the registries hand them out, each in a process of its own.

1. `tests/run` puts the libraries below the environment: `segment-libraries/python-2.3`, `…/python-2.4`, `…/node`.
   Where one could not be had, the tests that want it are skipped and say so; with CI=true they fail.
2. `Edge` is the service with a source for each library, so that the log says who sent what.
3. `Speaker` runs speak.py or speak.cjs: a program that uses the library as its documentation says. `Browser` drives a
   page on another origin (browse.cjs). Nothing in the libraries is replaced; they are told the host as users tell it.
"""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from pathlib import Path
from types import ModuleType
from typing import Any, Final
from urllib.request import Request

import pytest
from msgspec import Struct
from plain import module_at

HERE: Final = Path(__file__).resolve().parent
INSTALLED: Final = Path(sys.prefix) / "segment-libraries"
PATIENCE_S: Final = 600.0  # no test measures time; this only ends what hangs
OF_A_SERVER: Final = ("python-2.3", "python-2.4", "node")
BROWSERS: Final = {"browser-1.70": "analytics-next-1.70", "browser-newest": "@segment/analytics-next"}

# What a page shows is what the profile holds: plan, name and industry.
RULES: Final = """\
segments:
  known: {name: Known, when: has(traits.plan)}
experiences:
  site:
    name: Site
    pages: ["https://www.example.com/**"]
    audiences:
      - segment: known
        control: 0%
        variants:
          - key: hero
            changes:
              - selector: h1
                text: "{{ traits.plan }}/{{ traits.firstName | default: '-' }}/{{ account.industry | default: '-' }}"
insertable: [traits.plan, traits.firstName, account.industry]
"""


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


def source_of(library: str) -> str:
    """The source that a library sends as."""
    return library.replace(".", "-")


class Edge:
    """The service, a source for each library, and what is kept of what they send."""

    def __init__(self, folder: Path) -> None:
        self.rules = folder / "rules"
        self.data = folder / "data"
        self.rules.mkdir()
        (self.rules / "site.yaml").write_text(RULES)
        self.keys = {library: self._key(library, "backend") for library in OF_A_SERVER}
        self.keys |= {library: self._key(library, "website") for library in BROWSERS}
        self._running: Any = None

    def _key(self, library: str, kind: str) -> str:
        program = [sys.executable, "-c", "from engine.cli.main import main; main()"]
        words = ["sources", "add", source_of(library), "--kind", kind, "--data", str(self.data)]
        return subprocess.run([*program, *words], check=True, capture_output=True, text=True).stdout.strip()

    @property
    def url(self) -> str:
        """`http://127.0.0.1:PORT`; it stays the same when the service is started again."""
        return self._running.url

    def start(self) -> None:
        """Start it, again on the port that it had."""
        port = [] if self._running is None else ["--port", self.url.rpartition(":")[2]]
        self._running = service.Service(self.rules, self.data, "--drain", "0", *port).up()

    def end(self, number: int) -> None:
        """Send a signal, and wait until it is gone."""
        self._running.end(number)

    def close(self) -> None:
        """End it if it still runs; it has not stumbled over anything."""
        if self._running is not None and self._running.process.poll() is None:
            self.end(signal.SIGINT)
        assert self._running is None or not any("Traceback" in line for line in self._running.log)

    @property
    def pid(self) -> int:
        """Its process."""
        return self._running.process.pid

    def post(self, path: str, body: object) -> Any:
        """One request, and its answer."""
        return self._running.ask(Request(self.url + path, json.dumps(body).encode(), {"content-type": "text/plain"}))

    def stored(self, library: str) -> list[dict[str, Any]]:
        """The messages that the event log holds from one library; a line that is still being written does not count."""
        files = (file.read_bytes() for file in sorted((self.data / "events").glob("*.ndjson")))
        lines = [json.loads(line) for file in files for line in file.rpartition(b"\n")[0].splitlines()]
        return [line["message"] for line in lines if line["source"] == source_of(library)]

    def shown(self, visitor: str) -> str | None:
        """What the page says to that visitor; nothing where they match no segment."""
        decisions = self.post("/v1/decide", {"visitorId": visitor, "page": {"url": "https://www.example.com/"}}).json
        return decisions["decisions"][0]["changes"][0]["text"] if decisions["decisions"] else None


def _end(process: subprocess.Popen[str]) -> None:
    """Nothing more is said to it; what does not end by that is killed."""
    try:
        if process.stdin is not None and not process.stdin.closed:
            process.communicate(timeout=20)
    except subprocess.TimeoutExpired:
        process.kill()
        process.communicate()


class Told(Struct):
    """What a program says at its end: which library it was, what that took, what it gave up."""

    version: str
    sent: dict[str, str]
    errors: list[str]


class Speaker:
    """speak.py or speak.cjs with one of the libraries, while it runs."""

    def __init__(self, library: str, what: str, edge: Edge, **options: object) -> None:
        language = "node" if library == "node" else "python"
        folder = wanted(INSTALLED / library, library)
        if language == "node":
            program = [wanted(shutil.which("node"), "Node.js"), str(HERE / "speak.cjs")]
            path = {"NODE_PATH": str(Path(folder) / "node_modules")}
        else:
            program = [sys.executable, str(HERE / "speak.py")]
            path = {"PYTHONPATH": folder}
        settings = {"host": edge.url, "key": edge.keys[library], "name": library, "options": options}
        self._process = subprocess.Popen(
            [*program, what, json.dumps(settings)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, **path},
        )

    def told(self) -> Told:
        """Let it stop, and hear what it has to say: it ends when its library has sent everything or given it up."""
        out, _ = self._process.communicate("stop\n", timeout=PATIENCE_S)
        assert self._process.returncode == 0
        return Told(**json.loads(out))

    def close(self) -> None:
        """End it where it still speaks."""
        _end(self._process)


class Browser:
    """A page with the library on it, in Chromium; see browse.cjs for the commands."""

    def __init__(self, name: str, edge: Edge, trouble: Path, **settings: object) -> None:
        folder = wanted(INSTALLED / "node", "@segment/analytics-next")
        found = (shutil.which(program) for program in ("chromium", "chromium-browser", "google-chrome"))
        chromium = wanted(next(filter(None, found), None), "Chromium")
        node = wanted(shutil.which("node"), "Node.js")
        settings |= {"chromium": chromium, "package": BROWSERS[name], "edge": edge.url, "key": edge.keys[name]}
        self._trouble = trouble
        with trouble.open("w") as stderr:
            self._process = subprocess.Popen(
                [node, str(HERE / "browse.cjs"), json.dumps(settings)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=stderr,
                text=True,
                env={**os.environ, "NODE_PATH": str(Path(folder) / "node_modules")},
            )

    def ask(self, command: str, argument: object = None) -> Any:
        """One command, and its answer."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps({command: argument}) + "\n")
        self._process.stdin.flush()
        answer = self._process.stdout.readline()
        assert answer, self._trouble.read_text()
        return json.loads(answer)

    def call(self, method: str, *words: object) -> str | None:
        """Call the library; the id of the message that it made of it."""
        answer = self.ask("call", [method, *words])
        return answer and answer["messageId"]

    def network(self) -> Counter[tuple[str, str, int | str]]:
        """Method, path and status (or error) of what went to the service, counted."""
        return Counter(map(tuple, self.ask("network")))

    def close(self) -> None:
        """Close the page and the browser."""
        _end(self._process)


@pytest.fixture(scope="session")
def edge(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Edge]:
    """One service for all tests that leave it running."""
    with closing(Edge(tmp_path_factory.mktemp("edge"))) as edge:
        edge.start()
        yield edge


@pytest.fixture(scope="session")
def until() -> Callable[[Callable[[], bool]], None]:
    """`until(lambda: …)`: wait for what is bound to happen."""

    def until(true: Callable[[], bool]) -> None:
        deadline = time.monotonic() + PATIENCE_S
        while not true():
            assert time.monotonic() < deadline, "it did not happen"
            time.sleep(0.05)

    return until


class Stage:
    """Starts what a test needs; all of it is ended with the module, however its tests end."""

    def __init__(self, folders: pytest.TempPathFactory, stack: ExitStack) -> None:
        self._folders = folders
        self._stack = stack

    def edge(self) -> Edge:
        """A service of its own, started."""
        edge = self._stack.enter_context(closing(Edge(self._folders.mktemp("edge"))))
        edge.start()
        return edge

    def speaker(self, library: str, what: str, edge: Edge, **options: object) -> Speaker:
        """A program that speaks; the options are those of its library."""
        return self._stack.enter_context(closing(Speaker(library, what, edge, **options)))

    def browser(self, name: str, edge: Edge, **settings: object) -> Browser:
        """A browser, on the page that it opened; the settings are those of browse.cjs."""
        trouble = self._folders.mktemp(name) / "trouble.txt"
        browser = self._stack.enter_context(closing(Browser(name, edge, trouble, **settings)))
        browser.ask("open", "/")
        return browser


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """Whatever has to run for the tests of a module."""
    with ExitStack() as stack:
        yield Stage(tmp_path_factory, stack)
