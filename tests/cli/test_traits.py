"""`mutiny-edge traits`: what it shows of what was sent, and what it keeps to itself."""

import json
from collections.abc import Iterable
from contextlib import closing
from datetime import UTC, datetime, timedelta

import pytest

from engine.cli.traits import day
from engine.profiles.ids import key
from engine.profiles.lmdb import LmdbStore
from engine.profiles.record import Change, time_ms

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
AT = time_ms(NOW)


def noted(name: str, first: int, last: int, source: str) -> Iterable[Change]:
    """A name, seen from `first` to `last`."""
    yield Change(key("name", name), -first, {"first": first})
    yield Change(key("name", name), last, {"last": last, f"source:{source}": True})


@pytest.fixture
def sent(tmp_path):
    """A store to which two sources have sent something."""
    with closing(LmdbStore(tmp_path / "data" / "profiles")) as store:
        people = [("anonymous", "a", "free", "12"), ("user", "u", "team", 40), ("user", "w", "team", 7)]
        for kind, id_, plan, employees in people:
            traits = {"plan": plan, "employees": employees, "email": f"{id_}@x.io"}
            store.apply([Change(key(kind, id_), AT, traits, origin="website identify")])
        store.apply([Change(key("group", "acme"), AT, {"seats": 5}, origin="backend group")])
        store.apply([*noted("event:Signed Up", AT - 86_400_000, AT, "website"), *noted("trait:old", AT, AT, "website")])
    return tmp_path


def test_three_tables(run, sent):
    """Traits, account traits, events; the most common first; values only where several people have them."""
    done = run("traits")
    assert (done.returncode, done.stderr) == (0, "")
    titles = [line for line in done.stdout.splitlines() if line.startswith(("Traits", "Account", "Events"))]
    assert titles == ["Traits (of 3 records that hold any)", "Account traits (of 1 record that holds any)", "Events"]
    rows = {line.split()[0]: line for line in done.stdout.splitlines() if line}
    assert rows["plan"].split() == ["plan", "100.0%", "string", "2026-03-01", "2026-03-01", "website", '"team"']
    assert "number 67%, string 33%" in rows["employees"]
    assert rows["old"].split() == ["old", "0.0%", "2026-03-01", "2026-03-01", "website"]
    assert rows["seats"].split()[1:3] == ["100.0%", "number"]
    assert rows["Signed"].split() == ["Signed", "Up", "2026-02-28", "2026-03-01", "website"]
    assert "@x.io" not in done.stdout


def test_for_programs(run, sent):
    """One object, exact times."""
    said = json.loads(run("traits", "--format", "json").stdout)
    assert said["people"] == {"records": 3, "looked": 3, "holding": 3}
    assert [trait["name"] for trait in said["traits"]] == ["email", "employees", "plan", "old"]
    assert said["events"] == [
        {
            "name": "Signed Up",
            "sources": ["website"],
            "firstSeen": "2026-02-28T12:00:00Z",
            "lastSeen": "2026-03-01T12:00:00Z",
        }
    ]


def test_a_sample_has_margins(run, sent):
    """Of whom it speaks, and how far a share may be from the truth; `--all` has none."""
    said = run("traits", "--sample", 2).stdout
    assert said.startswith("Traits (of 2 records that hold any, in a sample of 2 of 3; shares ± 95%)\n")
    assert "100.0% ± " in said
    assert "±" not in run("traits", "--sample", 2, "--all").stdout


def test_nothing_yet(run, tmp_path):
    """No folder: told, and not made. An empty store: a word."""
    done = run("traits")
    assert (done.returncode, done.stdout) == (2, "")
    assert "no such folder" in done.stderr
    assert not (tmp_path / "data").exists()
    run("import", "-", stdin="")
    done = run("traits")
    assert (done.returncode, done.stdout) == (0, "")
    assert done.stderr.startswith("no trait and no event yet")


def test_names_that_a_terminal_would_obey(run, tmp_path):
    """Names come from outside: what is no character of a word is shown and not done."""
    with closing(LmdbStore(tmp_path / "data" / "profiles")) as store:
        store.apply([Change(key("user", "u"), AT, {"a\x1b[31m": 1})])
    assert "a\\x1b[31m" in run("traits").stdout


def test_a_bar_on_a_terminal(on_terminal, sent):
    """A terminal shows how far it is."""
    assert "records" in on_terminal("traits")


@pytest.mark.parametrize(("ago", "said"), [(0, "today"), (1, "yesterday"), (2, "2026-02-27")])
def test_days(ago, said):
    """As people say it."""
    assert day(time_ms(NOW - timedelta(days=ago)), NOW) == said
