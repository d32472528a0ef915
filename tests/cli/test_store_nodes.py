"""Which nodes share a store, and how far their logs are in it."""

import json
from contextlib import closing
from pathlib import Path
from shutil import copytree

import pytest
from click.testing import CliRunner

from engine.cli.main import main
from engine.node import open_store
from engine.profiles.store import Span
from engine.settings import Settings

SENT = Path(__file__).parent / "sent" / "events"


@pytest.fixture
def stats(valkey_server, tmp_path):
    """`stats(data)`: what is said of the nodes, for programs and for people."""

    def stats(data):
        where = ["store", "stats", "--data", str(tmp_path / data), "--store", valkey_server.url()]
        nodes = json.loads(CliRunner().invoke(main, [*where, "--format", "json"]).stdout)["nodes"]
        return nodes, CliRunner().invoke(main, where).stdout.splitlines()

    return stats


def test_nodes(valkey_server, stats, tmp_path):
    """Each by its id; of one's own also what is not applied yet. Who only asks is none."""
    assert stats("asks")[0] == []
    copytree(SENT, tmp_path / "a" / "events")
    replay = ["replay", "--data", str(tmp_path / "a"), "--store", valkey_server.url()]
    assert CliRunner().invoke(main, replay).exit_code == 0
    with closing(open_store(Settings(data=tmp_path / "b", store=valkey_server.url()))) as store:
        store.apply((), {"20261124T235959.000Z-1-x.ndjson": Span(0, 5), "20261125T000000.000Z-1-x.parquet": Span(0, 5)})
    a, b = ((tmp_path / name / "node").read_text().strip() for name in "ab")
    [file] = (tmp_path / "a" / "events").glob("*.ndjson")
    with file.open("ab") as log:
        log.write(b"\n" * 7)
    nodes, lines = stats("a")
    assert sorted(nodes, key=lambda node: node["files"]) == [
        {"node": a, "files": 1, "newest": "2026-06-01T12:00:00Z", "behind_bytes": 7, "trouble": None},
        {"node": b, "files": 2, "newest": "2026-11-25T00:00:00Z", "behind_bytes": None, "trouble": None},
    ]
    of_a, of_b = (next(line for line in lines if line.startswith(node)) for node in (a, b))
    assert of_a.endswith("1  2026-06-01 12:00  this data folder's; 7 bytes of it are not in the store yet")
    assert of_b.endswith("2  2026-11-25 00:00")
    assert any(line.startswith(f"valkey at {valkey_server.url()}: ") for line in lines)
    assert not (tmp_path / "asks").exists()


def test_what_another_program_put_there_is_told(valkey_server, stats, tmp_path):
    """By its key, with what to do; the rest is told all the same."""
    valkey_server.ask("LPUSH", "mutiny:marks:zz", "a")
    [node], _ = stats("a")
    assert (node["node"], node["files"]) == ("zz", 0)
    assert "mutiny:marks:zz: no marks are in it" in node["trouble"]
    assert "MUTINY_EDGE_STORE_PREFIX" in node["trouble"]
