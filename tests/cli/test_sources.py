"""`mutiny-edge sources`: keys shown once, kept as hashes, and what a mistake is told."""

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
import re2

from engine.profiles.ids import key
from engine.profiles.lmdb import LmdbStore
from engine.profiles.record import Change, time_ms
from engine.segment.keys import Keys

KEY = re2.compile(r"[0-9a-f]{32}\n")


@pytest.fixture
def www(run):
    """The write key of a source `www`."""
    done = run("sources", "add", "www", "--kind", "website")
    assert done.returncode == 0
    assert done.stderr == ""
    return done.stdout.strip()


def test_the_key_stands_alone_on_stdout(run):
    """So that a script can take it; and is another one each time."""
    first = run("sources", "add", "www", "--kind", "website")
    second = run("sources", "add", "api", "--kind", "backend")
    assert KEY.fullmatch(first.stdout)
    assert KEY.fullmatch(second.stdout)
    assert first.stdout != second.stdout


def test_a_person_is_told_what_it_is(on_terminal):
    """That it is shown this once."""
    assert "cannot be shown again" in on_terminal("sources", "add", "www", "--kind", "website")


def test_the_key_is_kept_as_a_hash(www, tmp_path: Path):
    """No file of the data folder holds it, and it opens its source."""
    for path in (tmp_path / "data").rglob("*"):
        assert not path.is_file() or www.encode() not in path.read_bytes()
    assert Keys(tmp_path / "data").source_of(www.encode()) == "www"


def test_rotating_leaves_the_one_before_valid(run, www, tmp_path: Path):
    """Until the next rotation."""
    new = run("sources", "rotate", "www").stdout.strip()
    keys = Keys(tmp_path / "data")
    assert keys.source_of(www.encode()) == keys.source_of(new.encode()) == "www"
    run("sources", "rotate", "www")
    assert keys.source_of(www.encode()) is None
    assert keys.source_of(new.encode()) == "www"


def test_a_removed_source_opens_nothing(run, www, tmp_path: Path):
    """Neither its write key nor its webhook's secret."""
    assert run("sources", "rotate", "www", "--webhook").returncode == 0
    assert Keys(tmp_path / "data").webhook_secrets("www") != ()
    done = run("sources", "remove", "www")
    assert (done.returncode, done.stdout) == (0, "")
    assert Keys(tmp_path / "data").source_of(www.encode()) is None
    assert Keys(tmp_path / "data").webhook_secrets("www") == ()


def test_the_list(run, www, tmp_path: Path):
    """Name, kind, keys, webhook, and when each was heard last."""
    run("sources", "add", "api", "--kind", "backend")
    run("sources", "rotate", "api", "--webhook")
    at = time_ms(datetime(2026, 11, 1, 12, 34, tzinfo=UTC))
    store = LmdbStore(tmp_path / "data" / "profiles")
    store.apply([Change(key("name", "source:www"), at, {"last": at, "source:www": True})])
    store.close()
    lines = run("sources", "list").stdout.splitlines()
    assert [line.split() for line in lines] == [
        ["source", "kind", "keys", "webhook", "last", "event"],
        ["api", "backend", "1", "yes", "never"],
        ["www", "website", "1", "2026-11-01", "12:34", "UTC"],
    ]
    api, website = json.loads(run("sources", "list", "--format", "json").stdout)
    assert (api["name"], api["webhook"], api["lastEvent"]) == ("api", True, None)
    assert website["lastEvent"] == "2026-11-01T12:34:00Z"
    assert website["keys"] != [www]


def test_no_source_yet(run):
    """The first step is told; programs get an empty list."""
    assert "sources add" in run("sources", "list").stderr
    assert json.loads(run("sources", "list", "--format", "json").stdout) == []


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("add", "www", "--kind", "website"), "there is a source www already"),
        (("add", "Not a name", "--kind", "website"), "1 to 64 of a-z 0-9"),
        (("add", "import", "--kind", "website"), "choose another name"),
        (("add", "other", "--kind", "satellite"), "'website', 'product', 'backend'"),
        (("add", "other"), "--kind"),
        (("rotate", "nobody"), "there is no source of this name"),
        (("rotate", "nobody", "--webhook"), "there is no source of this name"),
        (("remove", "nobody"), "there is no source of this name"),
    ],
)
def test_mistakes_are_told(run, www, arguments, said):
    """In one line that says what would be right; exit code 2, and nothing on stdout."""
    done = run("sources", *arguments)
    assert (done.returncode, done.stdout) == (2, "")
    assert said in done.stderr
    assert "Traceback" not in done.stderr


def test_a_broken_file_is_not_written_over(run, www, tmp_path: Path):
    """Whatever is asked."""
    file = tmp_path / "data" / "sources.json"
    file.write_text("{")
    for arguments in (("add", "api", "--kind", "backend"), ("rotate", "www"), ("remove", "www"), ("list",)):
        done = run("sources", *arguments)
        assert done.returncode == 2
        assert "sources.json" in done.stderr
    assert file.read_text() == "{"
