"""`mutiny-edge simulate`: a stream as if it had come, with the truth about it, never among real events."""

import json
import signal
from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory

import click
import duckdb
import pytest
import re2

from engine.cli.simulate import Percent, Split, whole
from engine.profiles.lmdb import LmdbStore
from engine.segment.restoring import replay
from engine.settings import Settings

SHOWN = "audiences: [{segment: s, variants: [{key: v, changes: [{selector: h1, text: x}]}]}]"
RULES = f"""
segments: {{s: {{name: Small, when: traits.employees < 50}}}}
experiences:
  e: {{name: Test, pages: ["https://www.example.com/"], {SHOWN}}}
  off: {{name: Off, status: draft, pages: ["/"], {SHOWN}}}
conversions:
  signed-up: {{event: Signed Up, where: 'properties.plan != "free"'}}
"""


@pytest.fixture
def rules(tmp_path):
    """One experience, one goal."""
    folder = tmp_path / "rules"
    folder.mkdir()
    folder.joinpath("all.yaml").write_text(RULES)
    return folder


def asked(folder, select):
    """The answer of the log."""
    columns = "{received: 'BIGINT', source: 'VARCHAR', message: 'JSON'}"
    read = f"read_json('{folder}/*.ndjson', format='newline_delimited', columns={columns})"
    with duckdb.connect() as connection:
        return connection.execute(f"SELECT {select} FROM {read}").fetchall()


def test_it_makes_a_stream_and_tells_the_truth(run, rules, tmp_path):
    """As a table for people; then the next command. Log and store hold it, and a replay of the one is the other."""
    done = run("simulate", "--visitors", "300", "--rate", "20%", "--lift", "50%")
    assert done.returncode == 0, done.stderr
    head, row = done.stdout.splitlines()
    assert head.split()[:3] == ["experience", "segment", "goal"]
    assert row.split()[:3] == ["Test", "Small", "signed-up"]
    assert row.split()[4] == "20.00%"
    assert row.split()[6:] == ["30.00%", "+50.0%"]
    assert "300 visitors who came from" in done.stderr
    assert "Now: mutiny-edge lift --rules rules --data data" in done.stderr
    [(exposed, signed, sources)] = asked(
        tmp_path / "data" / "events",
        "count(*) FILTER (message->>'event' = 'Mutiny Experience Viewed'), "
        "count(*) FILTER (message->>'event' = 'Signed Up'), count(DISTINCT source)",
    )
    assert exposed >= 150
    assert 30 < signed < 150
    assert sources == 2
    with TemporaryDirectory() as folder, closing(LmdbStore(Path(folder))) as store:
        replay(tmp_path / "data" / "events", store)
        again = dict(store.scan())
    with closing(LmdbStore(tmp_path / "data" / "profiles")) as store:
        assert dict(store.scan()) == again
        assert len(list(store.scan("visitor"))) == 300


def test_the_same_seed_gives_the_same_truth(run, rules):
    """For programs, as JSON; a broken split shows in the groups, no lift in the rates."""
    options = ("--visitors", "600", "--format", "json", "--lift", "0%", "--broken-split", "80/20")
    said = [json.loads(run("simulate", "--data", data, *options).stdout) for data in ("a", "b")]
    [effect], [same] = (one["effects"] for one in said)
    assert effect == same
    assert (effect["experience"], effect["audienceSegment"], effect["goal"]) == ("Test", "Small", "signed-up")
    assert effect["lift"] == 0
    assert effect["control"]["rate"] == 0.05
    assert effect["personalized"]["visitors"] > 2 * effect["control"]["visitors"]
    assert said[0]["missing"] == []
    assert said[0]["messages"] > 1_000


def test_never_among_real_events(run, rules, tmp_path, on_terminal):
    """A clear refusal, unless it is meant; nothing was written."""
    assert run("import", "-", stdin='{"visitorId": "v1"}\n').returncode == 0
    done = run("simulate", "--visitors", "10")
    assert done.returncode == 2
    assert "data: holds events or profiles already" in done.stderr
    assert "--add" in done.stderr
    assert not (tmp_path / "data" / "events").exists()
    done = run("simulate", "--data", "new", "--store", "redis://127.0.0.1:1/0")
    assert done.returncode == 2
    assert "redis://127.0.0.1:1: only of the store in a data folder is it known here" in done.stderr
    assert "visitors" in on_terminal("simulate", "--visitors", "10", "--add")
    assert list((tmp_path / "data" / "events").glob("*.ndjson"))


@pytest.mark.parametrize(
    ("kind", "text", "said"),
    [
        (Percent(-100, 1_000), "20", "from -100% to 1000%, got '20'; did you mean `20%`?"),
        (Percent(-100, 1_000), "many", "got 'many'."),
        (Percent(0.01, 95), "0%", "Expected a share from 0.01% to 95%, got '0%'."),
        (Percent(0.01, 95), "5.5.5%", "Expected a share"),
        (Split(), "55/55", "Expected personalized/control, such as 55/45, got '55/55'."),
        (Split(), "0/100", "Expected personalized/control"),
    ],
)
def test_what_is_no_share(kind, text, said):
    """It is told what would be one."""
    with pytest.raises(click.BadParameter, match=re2.escape(said)):
        kind.convert(text, None, None)


def test_shares_are_fractions():
    """As chance takes them."""
    assert Percent(-100, 1_000).convert("12.5%", None, None) == 0.125
    assert Percent(-100, 1_000).convert("-20%", None, None) == -0.2
    assert Split().convert("55/45", None, None) == 0.55


def test_what_is_wrong_with_the_rules_is_told(run, rules, tmp_path):
    """An experience that there is not, broken files, rules that show nobody or have no goal; nothing is made."""
    assert "there is no live experience `ee`; did you mean `e`?" in run("simulate", "--experience", "ee").stderr
    rules.joinpath("all.yaml").write_text("segments: [")
    assert "all.yaml:1:" in run("simulate").stderr
    rules.joinpath("all.yaml").write_text("conversions: {c: {event: C}}\n")
    assert "no experience is live" in run("simulate").stderr
    rules.joinpath("all.yaml").write_text(RULES[: RULES.index("conversions:")])
    done = run("simulate")
    assert (done.returncode, done.stdout) == (2, "")
    assert "the rules name no goal, so nobody could convert; add one under `conversions:`" in done.stderr
    assert not (tmp_path / "data").exists()


def test_what_nobody_could_be_made_up_for(run, rules):
    """It is named: an audience, a goal."""
    text = RULES.replace("traits.employees < 50", "salesforce.lead.Score > 1").replace('!= "free"', "== 1 && 1 == 2")
    rules.joinpath("all.yaml").write_text(text)
    done = run("simulate", "--visitors", "10")
    assert "nobody could be made up who comes to s of e" in done.stderr
    assert "no event could be made up that counts for signed-up" in done.stderr
    assert "nothing can be compared: nobody was shown anything" in done.stderr
    assert "Now:" not in done.stderr
    text = RULES.replace("{name: Test,", "{name: Test, schedule: {start: 2999-01-01T00:00:00Z},")
    rules.joinpath("all.yaml").write_text(text)
    done = run("simulate", "--data", "other", "--visitors", "10")
    assert (
        "nobody could be made up who comes to s of e: it begins on 2999-01-01, the visitors come from 20" in done.stderr
    )


def cut_short(settings):
    """A stream that is half there when the machine goes down."""
    with whole(settings):
        for name in ("events", "profiles"):
            (settings.data / name).mkdir(parents=True, exist_ok=True)
        (settings.logs.events / "1.ndjson").touch()
        signal.raise_signal(signal.SIGTERM)


@pytest.mark.parametrize("before", [(), ("data",), ("data/events", "data/profiles")], ids=["new", "empty", "used"])
def test_cut_short_nothing_is_left(tmp_path, capsys, before):
    """Of what it made itself; what else is there is told. Half a stream would look like a whole one."""
    for name in before:
        (tmp_path / name).mkdir(parents=True)
    settings = Settings(data=tmp_path / "data")
    with pytest.raises(KeyboardInterrupt):
        cut_short(settings)
    said = capsys.readouterr().err
    if len(before) == 2:
        assert "part of the stream is in" in said
        assert (settings.logs.events / "1.ndjson").exists()
    else:
        assert "nothing of the stream is in" in said
        assert [*tmp_path.iterdir(), *(tmp_path / "data").glob("*")] == [tmp_path / name for name in before]
    with whole(settings):
        pass
    assert capsys.readouterr().err == ""
