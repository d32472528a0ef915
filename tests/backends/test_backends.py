"""The guide's examples of back ends, run as they stand there, beside a service that has the same data folder.

What they decide on was sent to the service; what they show is counted there: the exposures go out by Segment's own
library, and lie in the event log.
"""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest
from click.testing import CliRunner
from plain import module_at

from engine import Engine
from engine.cli.main import main

HERE = Path(__file__).resolve().parent
LIBRARY = Path(sys.prefix) / "segment-libraries" / "python-2.4"
EXAMPLES = ("plain", "flags", "fastapi_app", "django_app")
RULES = """\
segments:
  small-company: {name: Small company, when: traits.employees < 50}
  spring: {name: Spring, when: page.query.utm_campaign == "spring"}
experiences:
  homepage:
    name: Homepage by Size
    pages: ["https://www.example.com/**"]
    audiences:
      - segment: small-company
        variants: [{key: hero, changes: [{selector: h1, text: Made for small teams}]}]
      - segment: spring
        control: 0%
        variants: [{key: hero, changes: [{selector: h1, text: Made for small teams}]}]
"""


def _service() -> ModuleType:
    return module_at(HERE.parent / "web" / "conftest.py")


def cli(*words: str) -> str:
    """What a command prints."""
    done = CliRunner().invoke(main, words)
    assert done.exit_code == 0, done.output
    return done.stdout.strip()


@pytest.fixture(scope="module")
def edge(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SimpleNamespace]:
    """The service, running; visitors of small companies in its store, who drew `hero` and control."""
    if not LIBRARY.exists():
        reason = "segment-analytics-python is not here: bash tests/run installs it where it can"
        (pytest.fail if os.environ.get("CI") == "true" else pytest.skip)(reason)
    folder = tmp_path_factory.mktemp("backends")
    (folder / "rules").mkdir()
    (folder / "rules" / "site.yaml").write_text(RULES)
    names = [f"visitor-{number}" for number in range(20)]
    lines = [json.dumps({"visitorId": name, "traits": {"employees": 12}}) for name in names]
    (folder / "visitors.ndjson").write_text("\n".join(lines))
    cli("import", str(folder / "visitors.ndjson"), "--data", str(folder / "data"))
    key = cli("sources", "add", "backend", "--kind", "backend", "--data", str(folder / "data"))
    module = _service()
    service = module.Service(folder / "rules", folder / "data", "--drain", "0").up()
    with Engine.open(folder / "rules", folder / "data") as engine:
        drew = {name: engine.decide(name, url="https://www.example.com/").variant("homepage") for name in names}
    chosen = [next(name for name, variant in drew.items() if variant == wanted) for wanted in ("hero", None)]
    cookies = [*chosen, "stranger", f"{chosen[0]}~1764000000000~3~1764000000000~in", "~out", "", "no id!"]
    yield SimpleNamespace(folder=folder, key=key, url=service.url, cookies=cookies, until=module.until)
    service.end()


@pytest.fixture(scope="module")
def shown(edge: SimpleNamespace) -> dict[str, Any]:
    """By example what each visitor is shown, and the cookie that they get; every warning is an error. By `addresses`
    what a stranger is shown there, by example and address.
    """
    settings = {
        "PYTHONPATH": f"{LIBRARY}:{HERE}",
        "MUTINY_EDGE_RULES": str(edge.folder / "rules"),
        "MUTINY_EDGE_DATA": str(edge.folder / "data"),
        "SEGMENT_WRITE_KEY": edge.key,
        "SEGMENT_HOST": edge.url,
        "DJANGO_KEY": "only for this test",
    }
    done = subprocess.run(
        [sys.executable, "-W", "error", str(HERE / "drive.py"), *edge.cookies],
        check=False,
        capture_output=True,
        text=True,
        env=os.environ | settings,
        timeout=120,
    )
    assert (done.returncode, done.stderr) == (0, "")
    shown: dict[str, Any] = json.loads(done.stdout)
    return shown


def exposures(edge: SimpleNamespace) -> list[tuple[str, bool]]:
    """Who is counted as having seen what, by the event log."""
    files = sorted((edge.folder / "data" / "events").glob("*.ndjson"))
    lines = [json.loads(line) for file in files for line in file.read_bytes().rpartition(b"\n")[0].splitlines()]
    sent = [line["message"] for line in lines]
    assert {message["properties"]["experience"] for message in sent} <= {"Homepage by Size"}
    return [(message["anonymousId"], message["properties"]["personalized"]) for message in sent]


@pytest.mark.parametrize("example", EXAMPLES)
def test_an_example_shows_the_variant(shown: Any, example: str) -> None:
    """To whom it was drawn for, however their cookie was written; control, strangers and those who opted out see the
    page as it is. Who has no cookie, or one that is no id, gets one; nobody else does.
    """
    pages, cookies = zip(*shown[example], strict=True)
    expected = ["Made for small teams", "Welcome", "Welcome", "Made for small teams", *["Welcome"] * 3]
    assert pages == tuple(f"<h1>{heading}</h1>" for heading in expected[: len(pages)])
    assert cookies[:5] == (None,) * min(5, len(cookies))
    assert len(set(cookies[5:]) - {None}) == len(cookies[5:])


@pytest.mark.parametrize("example", sorted({*EXAMPLES} - {"flags"}))
def test_an_example_answers_at_any_address(shown: Any, example: str) -> None:
    """With a space in it, a tab, or without end; and where rules ask for what is in the query, it counts."""
    pages = shown["addresses"][example]
    spring = {address for address in pages if "utm_campaign" in address}
    assert {address for address, page in pages.items() if page == "<h1>Made for small teams</h1>"} == spring
    assert (len(pages), len(spring)) == (10, 3)


@pytest.mark.parametrize("example", EXAMPLES)
def test_the_guide_shows_what_was_run(example: str) -> None:
    """Word for word."""
    guide = HERE.parent.parent / "engine" / "guide" / "in-process.md"
    text = (HERE / f"{example}.py").read_text(encoding="utf-8")
    assert f"```python\n{text}```\n" in guide.read_text(encoding="utf-8")


def test_what_was_shown_is_counted(edge: SimpleNamespace, shown: Any) -> None:
    """Once by each example, control as well, strangers only where they were shown something."""
    hero, control, stranger = edge.cookies[:3]
    of_browsers, by_address = [(hero, True), (control, False), (hero, True)], [(stranger, True)] * 3
    expected = [*of_browsers[:2], *by_address, *of_browsers[:2], *[*of_browsers, *by_address] * 2]
    edge.until(lambda: len(exposures(edge)) >= len(expected))
    assert exposures(edge) == expected
