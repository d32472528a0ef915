"""The real service, and OpenFeature's own SDKs and providers as the registries hand them out.

1. Those for Python are in the environment; `tests/run` puts the others below it, `openfeature/node`. Where one could
   not be had, the tests that want it are skipped and say so; with CI=true they fail.
2. Programs are those of the guide (engine/guide/openfeature.md), word for word: what people copy is what runs here.
3. Service, website and browser are those of tests/browser; what is sent is read in the service's own event log.
"""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any, Final

import pytest
from click.testing import CliRunner
from plain import module_at

from engine.cli.main import main

HERE: Final = Path(__file__).resolve().parent
GUIDE: Final = HERE.parent.parent / "engine" / "guide" / "openfeature.md"
NODE: Final = Path(sys.prefix) / "openfeature" / "node" / "node_modules"
SEGMENT: Final = Path(sys.prefix) / "segment-libraries"
PATIENCE_S: Final = 60.0
LONG_AFTER: Final = "2099-01-01T00:00:00Z"


browsing: Final = module_at(HERE.parent / "browser" / "conftest.py")
pages: Final = module_at(HERE.parent / "docs" / "pages.py")
wanted: Final = browsing.wanted


class Edge(browsing.Edge):  # type: ignore[misc, name-defined]
    """The service with the rules in rules.yaml, a source, and what its log holds."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        (self.rules / "rules.yaml").write_text((HERE / "rules.yaml").read_text())

    def group(self, visitor: str) -> str:
        """What `/v1/decide` has this visitor see on the homepage of a small company."""
        asked = {"visitorId": visitor, "page": {"url": "https://www.example.com/"}, "traits": {"employees": 12}}
        [decision] = self.post("/v1/decide", asked).json["decisions"]
        return str(decision["variant"] or "control")

    def say(self, type_: str, **said: Any) -> None:
        """Send one message of Segment's."""
        assert self.post(f"/v1/{type_}", {"writeKey": self.key, **said}).status == 200

    def converters(self) -> int:
        """How many of those who saw something have signed up, as lift says long after."""
        asked = ("lift", "--rules", str(self.rules), "--data", str(self.data), "--at", LONG_AFTER, "--format", "json")
        lines = json.loads(CliRunner().invoke(main, asked, catch_exceptions=False).stdout)
        return sum(line[group]["converters"] for line in lines for group in ("control", "personalized"))

    def tracked(self, who: str) -> list[dict[str, Any]]:
        """The messages under this anonymous id that say what somebody saw."""
        files = (file.read_bytes() for file in sorted((self.data / "events").glob("*.ndjson")))
        lines = [json.loads(line) for file in files for line in file.rpartition(b"\n")[0].splitlines()]
        viewed = (line["message"] for line in lines if line["message"].get("event") == "Mutiny Experience Viewed")
        return [message for message in viewed if message["anonymousId"] == who]

    def seen(self, who: str) -> list[dict[str, Any]]:
        """What they say of it."""
        return [message["properties"] for message in self.tracked(who)]


@pytest.fixture(scope="session")
def edge(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """One service for all tests."""
    with closing(Edge(tmp_path_factory.mktemp("edge"))) as edge:
        edge.start()
        yield edge


@pytest.fixture(scope="session")
def site() -> Iterator[Any]:
    """The customer's website."""
    with closing(browsing.Site()) as site:
        yield site


@pytest.fixture(scope="session")
def chromium(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """A browser."""
    with closing(browsing.Chromium(tmp_path_factory.mktemp("chromium") / "trouble.txt")) as chromium:
        yield chromium


@pytest.fixture(scope="session")
def until() -> Callable[..., None]:
    """`until(lambda: …)`: wait for what is bound to happen."""
    return browsing.until  # type: ignore[no-any-return]


@pytest.fixture(scope="session")
def programs() -> Mapping[str, str]:
    """The guide's programs: `python`, `browser`, `node`."""
    text = GUIDE.read_text(encoding="utf-8")
    [python], [browser, node] = pages.fenced(text, "python"), pages.fenced(text, "js")
    return {"python": python, "browser": browser, "node": node}


@pytest.fixture(scope="session")
def modules() -> Path:
    """The folder with OpenFeature's packages for JavaScript."""
    return Path(wanted(NODE, "@openfeature/web-sdk"))


@pytest.fixture
def run(tmp_path: Path, edge: Any) -> Callable[..., str]:
    """`run(program, "python")`, or `"node"`: what a program prints that was copied from the guide."""

    def run(program: str, language: str) -> str:
        if language == "python":
            file, path = (
                tmp_path / "backend.py",
                {"PYTHONPATH": wanted(SEGMENT / "python-2.4", "segment-analytics-python")},
            )
            command: Sequence[str] = [sys.executable, str(file)]
        else:
            file, path = tmp_path / "backend.mjs", {}
            command = [wanted(shutil.which("node"), "Node.js"), str(file)]
            (tmp_path / "node_modules").mkdir()
            for scope, where in (("@openfeature", NODE), ("@segment", SEGMENT / "node" / "node_modules")):
                (tmp_path / "node_modules" / scope).symlink_to(wanted(where / scope, f"{scope} from npm"))
        file.write_text(program)
        done = subprocess.run(
            command,
            capture_output=True,
            text=True,
            timeout=PATIENCE_S,
            check=False,
            env={**os.environ, **path, "EDGE": edge.url, "KEY": edge.key},
        )
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    return run
