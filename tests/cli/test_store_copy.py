"""`mutiny-edge store copy`: everything arrives, and what stands in its way is told."""

import json
import os
import signal
import subprocess
from contextlib import closing
from hashlib import sha256

import pytest
from click.testing import CliRunner

from engine.cli.store import command
from engine.node import open_store
from engine.profiles.ids import key
from engine.profiles.lmdb import LmdbStore
from engine.profiles.record import Change
from engine.profiles.store import Span
from engine.settings import Settings


@pytest.fixture
def stored(tmp_path):
    """`data`, with 300 visitors; its file."""
    folder = tmp_path / "data" / "profiles"
    with closing(LmdbStore(folder)) as made:
        made.apply(Change(key("visitor", f"v{n}"), 1, {"plan": f"secret{n}"}) for n in range(300))
    return folder / "data.mdb"


@pytest.fixture
def store(tmp_path, monkeypatch):
    """`store("copy", "data", "other")`, in this process: exit code, stdout and stderr."""
    monkeypatch.chdir(tmp_path)
    for name in [name for name in os.environ if name.startswith("MUTINY_EDGE_")]:
        monkeypatch.delenv(name)

    def store(*arguments):
        done = CliRunner().invoke(command, arguments)
        assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
        return done.exit_code, done.stdout, done.stderr

    return store


def test_a_folder_into_another(store, stored):
    """What was done, on stderr; as JSON; again, it is all there already."""
    code, out, told = store("copy", "data", "lmdb:other")
    assert (code, out) == (0, "")
    assert "other: 300 records (" in told
    assert "300 of them new there\ncompared: all of it is there\n" in told
    said = json.loads(store("copy", "data", "other", "--format", "json")[1])
    assert {name: said[name] for name in ("records", "written", "late", "damaged", "lost")} == {
        "records": 300,
        "written": 0,
        "late": 0,
        "damaged": [],
        "lost": [],
    }
    assert said["bytes"] > said["seconds"] > 0
    kinds = [json.loads(store("stats", "--data", data, "--format", "json")[1])["kinds"] for data in ("data", "other")]
    assert kinds[0] == kinds[1]


def test_a_damaged_record_is_left_out(store, stored):
    """Kind and hash, and how it heals; exit code 1."""
    stored.write_bytes(stored.read_bytes().replace(b"secret77", b"sekret77"))
    code, out, told = store("copy", "data", "other")
    assert (code, out) == (1, f"visitor {sha256(b'v77').hexdigest()[:12]}: its checksum or its type does not fit\n")
    assert "compared: 1 left out or lost" in told
    assert "mutiny-edge store rebuild --from-log" in told
    assert store("verify", "--data", "other")[0] == 0


def test_a_bar_on_a_terminal(on_terminal, stored):
    """Two of them; a pipe stays quiet (above)."""
    shown = on_terminal("store", "copy", "data", "other")
    assert "copying" in shown
    assert "comparing" in shown
    assert "100%" in shown


def test_into_a_cluster_and_back(store, stored, valkey_cluster, valkey_server, tmp_path):
    """The same records, byte by byte; what was applied of the folder's log counts as applied there.

    Between two servers there is no folder, and none is made.
    """
    url = valkey_cluster.url()
    with closing(LmdbStore(stored.parent)) as source:
        source.apply((), {"20261125T120000.ndjson": Span(0, 700)})
        records = dict(source.scan())
    code, _, told = store("copy", "data", url)
    assert code == 0, told
    assert "300 of them new there\nwhat was applied of the folder's event log counts as applied there" in told
    with closing(open_store(Settings(data=tmp_path / "data", store=url))) as shared:
        assert dict(shared.scan()) == records
        assert shared.marks() == {"20261125T120000.ndjson": 700}
    code, _, told = store("copy", url, "back")
    assert (code, "event log" in told) == (0, False), told
    with closing(LmdbStore(tmp_path / "back" / "profiles")) as back:
        assert dict(back.scan()) == records
        assert back.marks() == {}
    said = json.loads(store("copy", url, "data", "--format", "json")[1])
    assert (said["records"], said["written"], said["marks"]) == (300, 0, 1)
    said = json.loads(store("copy", url, valkey_server.url(), "--format", "json")[1])
    assert (said["records"], said["written"], said["marks"]) == (300, 300, 0)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["back", "data"]


def test_a_server_has_many_names(store, valkey_server):
    """A store is not copied into itself, whatever stands in the addresses; another database of it is another store."""
    one = valkey_server.url()
    other = one.replace("redis://", "valkey://").replace("127.0.0.1", "localhost")
    code, out, said = store("copy", one, other)
    assert (code, out) == (2, "")
    assert "are the same store, by two names: expected two stores" in said
    assert store("copy", one, f"{other}/1")[0] == 0


@pytest.mark.parametrize("ends", ["by Ctrl-C", "by the server's death"])
def test_who_is_interrupted_goes_on(store, program, stored, valkey, valkey_servers, surroundings, tmp_path, ends):
    """What is there is told, and how to go on; then only the rest is written."""
    with closing(LmdbStore(stored.parent)) as source:
        source.apply(Change(key("visitor", f"w{n}"), 1, {"n": n}) for n in range(9_700))
    server = valkey_servers.one()
    command = [program, "store", "copy", "data", server.url()]
    with subprocess.Popen(command, cwd=tmp_path, env=surroundings, stderr=subprocess.PIPE, text=True) as copy:
        valkey.until(lambda: server.ask("DBSIZE") > 0, "records arrive")
        if ends == "by Ctrl-C":
            server.stop()
            copy.send_signal(signal.SIGINT)
        else:
            server.kill()
        said = copy.communicate(timeout=60)[1]
    assert copy.returncode == (130 if ends == "by Ctrl-C" else 2)
    assert "records are there; to go on, run it again: that is harmless" in said
    if ends == "by Ctrl-C":
        server.resume()
    else:
        server.restart()
    there = server.ask("DBSIZE")
    said = json.loads(store("copy", "data", server.url(), "--format", "json")[1])
    assert (said["records"], said["written"], said["lost"]) == (10_000, 10_000 - there, [])


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["data", "data/."], "FROM and TO are both data: expected two stores"),
        (["nowhere", "other"], "FROM nowhere: nothing is stored there; expected a data folder with profiles/ in it"),
        (["data/profiles", "other"], "that is the store itself; expected the data folder that it is in: data"),
        (["data", "data/profiles/data.mdb"], "that is a file; expected a data folder"),
        (["data", "redis:/host"], "TO 'redis:/host': expected a data folder, or an address such as redis://HOST:6379"),
        (["data", ""], "TO '': expected a data folder"),
        (["redis://h:6379/0", "valkey://h"], "FROM and TO are both redis://h:6379: expected two stores"),
        (["redis://:sesame@h", "redis://:sesame@h/0"], "FROM and TO are both redis://h:6379: expected two stores"),
        (["http://h", "other"], "FROM: the store's address: Expected redis://HOST:PORT"),
    ],
)
def test_what_cannot_be_copied(store, stored, tmp_path, arguments, told):
    """What is wrong and what would be right, without a password; exit code 2, and nothing is made."""
    code, out, said = store("copy", *arguments)
    assert (code, out) == (2, "")
    assert told in said
    assert "sesame" not in said
    assert not (tmp_path / "other").exists()
