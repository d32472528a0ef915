"""Which logs `lift` counts, and that it names them: a node's own, others, and what was shipped of all of them."""

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest
import re2
from click.testing import CliRunner

from engine.cli.lift import command
from engine.events.line import encode

HOUSE = Path(__file__).resolve().parent.parent.parent
GUIDE = HOUSE / "engine/guide/many-nodes.md"
VIEWED = "Mutiny Experience Viewed"
RULES = """\
segments:
  small: {name: Small company, when: traits.employees < 50}
experiences:
  home:
    name: Homepage
    pages: ["https://www.example.com/"]
    audiences:
      - {segment: small, variants: [{key: hero, changes: [{selector: h1, text: Small}]}]}
conversions:
  paid: {event: Paid}
"""


@pytest.fixture
def lift(tmp_path, monkeypatch):
    """`lift("--events", "node-2/events")`, in a folder with rules and three nodes: how many visitors, and stderr."""
    monkeypatch.chdir(tmp_path)
    for name in [name for name in os.environ if name.startswith("MUTINY_EDGE_")]:
        monkeypatch.delenv(name)
    Path("rules").mkdir()
    Path("rules/all.yaml").write_text(RULES)
    for number, node in enumerate(("data", "node-2", "node-3")):
        events = Path(node, "events")
        events.mkdir(parents=True)
        said = {"experience": "Homepage", "audienceSegment": "Small company", "personalized": False}
        message = {"type": "track", "event": VIEWED, "anonymousId": node, "messageId": node, "properties": said}
        line = encode(1_000, "www", json.dumps({**message, "timestamp": "2026-01-01T00:00:00Z"}).encode())
        (events / f"20260101T000000.000Z-{number}-x.ndjson").write_bytes(line)

    def lift(*arguments):
        done = CliRunner().invoke(command, ["--format", "json", *map(str, arguments)])
        assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
        rows = json.loads(done.stdout or "[]")
        return sum(row["control"]["visitors"] for row in rows), done.stderr

    return lift


def test_what_is_named_is_what_is_counted(lift, monkeypatch):
    """`--events` alone is exact, also beside the variable; with `--data` typed, its own events count too."""
    assert lift() == (1, "counted: data/events\n")
    assert lift("--data", "node-2") == (1, "counted: node-2/events\n")
    others = ("--events", "node-2/events", "--events", "node-3/events")
    assert lift(*others) == (2, "counted, 2 logs: node-2/events, node-3/events\n")
    assert lift(*others, "--data", "data") == (3, "counted, 3 logs: data/events, node-2/events, node-3/events\n")
    assert lift("--data", "node-2", *others) == (2, "counted, 2 logs: node-2/events, node-3/events\n")
    assert lift("--data", "gone", *others[:2]) == (1, "counted: node-2/events\nno events in gone/events\n")
    monkeypatch.setenv("MUTINY_EDGE_DATA", "data")
    assert lift(*others)[0] == 2


def test_a_star_is_any_name(lift, tmp_path):
    """In the middle and at the end, here as in a bucket; what is no log is left out, and a folder of that name wins."""
    (tmp_path / "notes").mkdir()
    (tmp_path / ".snapshot/events").mkdir(parents=True)
    everything = "counted, 3 logs: data/events, node-2/events, node-3/events\n"
    assert lift("--events", "*/events") == (3, everything)
    assert lift("--events", tmp_path / "*" / "events", "--events", "node-2/events")[0] == 3
    assert lift("--events", "node-2/*") == (1, "counted: node-2/events\n")
    (tmp_path / "node-2").rename(tmp_path / "*")
    assert lift("--events", "*/events") == (1, "counted: */events\n")


@pytest.mark.parametrize(
    ("folder", "told"),
    [
        (
            "gone/*",
            "--events gone/*: nothing there is a log with events; expected a folder for each node, with *.ndjson",
        ),
        ("*", "--events *: nothing there is a log with events"),
        ("rules/*", "--events rules/*: nothing there is a log with events"),
        ("node-*/events", "there is no such folder; expected that of a log, as DATA/events; * stands for a whole name"),
    ],
)
def test_where_nothing_fits(lift, folder, told):
    """What there should be."""
    seen, stderr = lift("--events", folder)
    assert seen == 0
    assert told in stderr


def test_folders_that_rsync_shipped(lift, tmp_path):
    """By the words of the guide, but for where to: what is being made stays, what is gone goes, and `*` counts it."""
    if shutil.which("rsync") is None:
        assert os.environ.get("CI") != "true", "no rsync on this machine"
        pytest.skip("no rsync on this machine")
    [recipe] = re2.findall(r"(?s)\n(node=[^\n]*rsync .*?)\n```", GUIDE.read_text("utf-8"))
    words = recipe.replace("analytics:/srv/mutiny-logs/", f"{tmp_path}/logs/")
    nameless = subprocess.run(["bash", "-c", words], cwd=tmp_path / "data", check=False, capture_output=True)
    assert nameless.returncode  # else it would mirror one node in place of all
    assert not (tmp_path / "logs").exists()
    for node in ("data", "node-2", "node-3"):
        folder = tmp_path / node
        (folder / "node").write_text(f"id-of-{node}\n")
        for extra in ("events/work/a.ndjson", "events/torn/b.ndjson", "events/damaged/c.ndjson", "events/replacing"):
            (folder / extra).parent.mkdir(exist_ok=True)
            (folder / extra).write_text("{}")
        for _ in range(2):
            subprocess.run(["bash", "-euc", words], cwd=folder, check=True)
            (folder / "events/damaged/c.ndjson").unlink(missing_ok=True)
    shipped = sorted(path.relative_to(tmp_path / "logs").as_posix() for path in (tmp_path / "logs").rglob("*.*"))
    names = enumerate(("data", "node-2", "node-3"))
    assert shipped == [f"id-of-{node}/20260101T000000.000Z-{number}-x.ndjson" for number, node in names]
    assert lift("--events", tmp_path / "logs" / "*")[0] == 3
    seen, stderr = lift("--events", tmp_path / "logs" / "*", "--data", "data")
    assert (seen, stderr.partition(":")[0]) == (3, "counted, 4 logs")
