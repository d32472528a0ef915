"""What it weighs: memory of a worker with many segments, bytes of the browser's script."""

from bench import audiences
from bench.http import ask
from bench.service import Service
from bench.table import Row
from engine.web import client

SEGMENTS = 10_000


def memory_mb(folder, segments):
    """What a worker holds that has answered its first visitor."""
    (folder / "rules").mkdir(parents=True)
    audiences.write(folder / "rules", audiences.rules(segments))
    service = Service.serving(folder)
    try:
        assert ask(service, 0)[0] == 200
        return service.memory_mb()
    finally:
        service.end()


def test_memory(table, tmp_path):
    """A worker with 10,000 segments beside one with four: the difference is what segments cost."""
    few, many = memory_mb(tmp_path / "few", 4), memory_mb(tmp_path / "many", SEGMENTS)
    cost = many - few
    what = f"memory of {SEGMENTS:,} segments"
    table.append(Row(what, f"{many:.0f} MB", "4 segments", f"{few:.0f} MB", cost, " MB", bar="memory"))


def test_client(table):
    """The script as browsers get it."""
    size = len(client.script("client.js").forms[b"gzip"])
    table.append(Row("client.js, gzipped", f"{size:,} bytes", figure=size, unit=" bytes", bar="client"))
