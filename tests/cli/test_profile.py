"""`mutiny-edge profile`: the way through the records, and the origin of every value."""

import json
from contextlib import closing
from datetime import UTC, datetime

import pytest

from engine.profiles.ids import key
from engine.profiles.lmdb import LmdbStore
from engine.profiles.record import Change, time_ms

AT = time_ms(datetime(2026, 3, 1, 12, tzinfo=UTC))


@pytest.fixture
def ada(tmp_path):
    """A visitor who became a user, of an account."""
    with closing(LmdbStore(tmp_path / "data" / "profiles")) as store:
        store.apply(
            [
                Change(key("visitor", "ada"), AT, {"plan": "free", "lang": "de"}, origin="import"),
                Change(key("visitor", "ada"), AT + 1, links={"anonymous": "a1"}, origin="website identify"),
                Change(key("anonymous", "a1"), AT + 2, {"plan": "trial"}, {"user": "u1"}, "website track"),
                Change(key("user", "u1"), AT + 3, {"plan": "team", "lang": None}, {"group": "acme"}, "backend group"),
                Change(key("group", "acme"), AT + 3, {"seats": 7}, origin="backend group"),
            ]
        )
    return tmp_path


EXPECTED = """\
visitor ada
  anonymous a1  since 2026-03-01 12:00:00.001Z by website identify
  user u1       since 2026-03-01 12:00:00.002Z by website track
  group acme    since 2026-03-01 12:00:00.003Z by backend group

Traits
trait  value    set at                    by             in
lang            2026-03-01 12:00:00.003Z  backend group  user u1       removed
lang   "de"     2026-03-01 12:00:00.000Z  import         visitor ada   covered
plan   "team"   2026-03-01 12:00:00.003Z  backend group  user u1
plan   "trial"  2026-03-01 12:00:00.002Z  website track  anonymous a1  covered
plan   "free"   2026-03-01 12:00:00.000Z  import         visitor ada   covered

Account traits
trait  value  set at                    by             in
seats  7      2026-03-01 12:00:00.003Z  backend group  group acme
"""


def test_all_of_it(run, ada):
    """Each record and each value, with whence and since when."""
    done = run("profile", "ada")
    assert (done.returncode, done.stdout, done.stderr) == (0, EXPECTED, "")


def test_for_programs(run, ada):
    """Times in RFC 3339, source and event apart."""
    said = json.loads(run("profile", "ada", "--format", "json").stdout)
    assert [(step["kind"], step["id"], step["source"], step["event"]) for step in said["records"]] == [
        ("visitor", "ada", None, None),
        ("anonymous", "a1", "website", "identify"),
        ("user", "u1", "website", "track"),
        ("group", "acme", "backend", "group"),
    ]
    assert said["records"][1]["linkedAt"] == "2026-03-01T12:00:00.001000Z"
    assert said["traits"][2] == {
        "name": "plan",
        "value": "team",
        "state": "counts",
        "setAt": "2026-03-01T12:00:00.003000Z",
        "source": "backend",
        "event": "group",
        "record": {"kind": "user", "id": "u1"},
    }
    assert said["account"][0]["value"] == 7


def test_whose_id_it_is(run, ada):
    """Found as the first kind that there is a record of, or as the one that is asked for."""
    assert run("profile", "u1").stdout.startswith("user u1\n")
    assert run("profile", "acme", "--kind", "group").stdout.startswith("group acme\n")
    done = run("profile", "u1", "--kind", "visitor")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == "nothing is known of u1, as the id of a visitor\n"
    done = run("profile", "nobody")
    assert done.stderr == "nothing is known of nobody, as the id of a visitor, anonymous, user or group\n"


def test_a_shared_device_and_a_deletion(run, tmp_path):
    """Until when somebody else was there; that what was deleted is gone."""
    with closing(LmdbStore(tmp_path / "data" / "profiles")) as store:
        store.apply(
            [
                Change(key("anonymous", "a1"), AT, {"plan": "theirs"}, {"user": "u1"}),
                Change(key("anonymous", "a1"), AT + 1, links={"user": "u2"}),
                Change(key("user", "u3"), AT + 1, deletes=True),
            ]
        )
    said = run("profile", "a1").stdout
    assert "user u2  since 2026-03-01 12:00:00.001Z  nothing else is known of it\n" in said
    assert "another user had this device until 2026-03-01 12:00:00.000Z" in said
    assert "theirs" not in said
    assert (
        run("profile", "u3").stdout == "user u3  all up to 2026-03-01 12:00:00.001Z was deleted\n\nno trait is known\n"
    )


def test_what_is_no_id(run, ada, tmp_path):
    """Too long: told. No data folder: told, and none is made."""
    done = run("profile", "x" * 500)
    assert (done.returncode, done.stdout) == (2, "")
    assert "this can be no id" in done.stderr
    done = run("profile", "ada", "--data", "elsewhere")
    assert done.returncode == 2
    assert not (tmp_path / "elsewhere").exists()


def test_a_damaged_record(run, ada):
    """It is said which, and that it reads as absent."""
    data = ada / "data" / "profiles" / "data.mdb"
    data.write_bytes(data.read_bytes().replace(b"team", b"taem"))
    said = run("profile", "ada").stdout
    assert "user u1       since" in said
    assert "damaged, reads as absent" in said
    assert "taem" not in said
