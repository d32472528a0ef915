"""`mutiny-edge lift`: from rules and a log to an answer, for people, programs and warehouses."""

import csv
import io
import json
from datetime import UTC, datetime, timedelta
from shutil import copytree

import duckdb
import pytest
from click.testing import CliRunner

from engine.cli.lift import command
from engine.cli.main import main
from engine.events.line import encode
from engine.events.log import EventLog

BEGIN = datetime(2026, 11, 1, tzinfo=UTC)
AT = "2026-11-25T12:00:00Z"
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
  paid: {event: Signed Up, where: properties.plan != "free"}
  signed-up: {event: Signed Up}
"""
TEXT = """\
Homepage
segment        goal            control    personalized    lift     95% interval  better
Small company  paid       15% of 1,000  20.0% of 1,001  +33.2%  -2.0% to +81.1%   99.8%
Small company  signed-up  30% of 1,000  40.0% of 1,001  +33.2%  +9.8% to +61.6%  >99.9%
"""


def messages():
    """Two thousand visitors: 30% of control sign up, 40% of personalized; half of them pay. One came lately."""
    for number in range(2_000):
        personalized, ids = number % 2 == 1, {"anonymousId": f"a{number}", "userId": None}
        yield number / 1_000, exposure(personalized) | ids
        if number // 2 % 10 < (4 if personalized else 3):
            plan = {"plan": "pro" if number // 20 % 2 else "free"}
            yield 3 + number / 1_000, {"type": "track", "event": "Signed Up", "properties": plan, **ids}
    yield 1, exposure(True) | {"anonymousId": None, "userId": "u1"}
    yield 20, exposure(False) | {"anonymousId": "late", "userId": None}


def exposure(personalized):
    said = {"experience": "Homepage", "audienceSegment": "Small company", "personalized": personalized}
    return {"type": "track", "event": "Mutiny Experience Viewed", "properties": said}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Rules, and a data folder with a log."""
    folder = tmp_path_factory.mktemp("lift")
    (folder / "rules").mkdir()
    (folder / "rules" / "all.yaml").write_text(RULES)
    log = EventLog(folder / "data" / "events", lambda: BEGIN)
    lines = []
    for number, (day, message) in enumerate(messages()):
        moment = BEGIN + timedelta(days=day)
        stamp = moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
        whole = {**message, "messageId": f"m{number}", "timestamp": stamp}
        lines.append(encode(int(moment.timestamp() * 1000), "website", json.dumps(whole).encode()))
    log.append(lines)
    log.close()
    return folder


@pytest.fixture
def lift(folder, monkeypatch):
    """`lift("home", "--format", "json")` in that folder, as of the 25th; exit code, stdout and stderr."""
    monkeypatch.chdir(folder)
    for name in ("MUTINY_EDGE_RULES", "MUTINY_EDGE_DATA"):
        monkeypatch.delenv(name, raising=False)

    def lift(*arguments, at=AT, stdin=None):
        when = [] if at is None else ["--at", at]
        done = CliRunner().invoke(command, [*when, *map(str, arguments)], input=stdin)
        assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
        return done.exit_code, done.stdout, done.stderr

    return lift


def test_for_people(run, folder):
    """The whole page, by the installed command: a table, a sentence for each line, a note."""
    done = run("lift", "--at", AT, cwd=folder)
    assert (done.returncode, done.stderr) == (0, "counted: data/events\n")
    assert done.stdout == (
        TEXT + "  Small company, paid: Undecided: the lift lies somewhere between -2.0% and +81.1%, so it may be none."
        " At this traffic, a lift of 10% would take more than a year to show.\n"
        "  Small company, signed-up: Personalized is better: 40.0% of its visitors convert, of control 30%, a lift of"
        " +33.2% (95% sure: between +9.8% and +61.6%).\n"
        "\n"
        "Counted are visitors whose window is over; 1 visitor is still in theirs (--open shows them).\n"
    )


def test_for_programs(lift):
    """A list; the fields of DESIGN first, in their order."""
    code, stdout, _ = lift("--format", "json", "--goal", "signed-up")
    [line] = json.loads(stdout)
    assert code == 0
    assert list(line)[:10] == [
        *("experience", "audienceSegment", "goal", "control", "personalized", "lift", "interval", "probabilityBetter"),
        *("sampleRatio", "verdict"),
    ]
    assert line["control"] == {"visitors": 1_000, "converters": 300, "rate": 0.3}
    assert line["sampleRatio"]["expected"] == 0.5
    assert line["verdict"] == "better"


def test_only_what_is_asked(lift):
    """An experience by its key or its name, some goals, visitors since then."""
    assert lift("home", "--format", "json")[1] == lift("Homepage", "--format", "json")[1]
    rows = list(csv.DictReader(io.StringIO(lift("--format", "csv", "--since", "2026-11-02T00:00:00Z")[1])))
    assert [row["goal"] for row in rows] == ["paid", "signed-up"]
    assert int(rows[0]["control.visitors"]) == 500
    assert "No exposures" in lift("--since", "2026-11-24T00:00:00Z")[1]


def test_open_windows(lift):
    """A table of their own, without a verdict."""
    _, stdout, _ = lift("--open", "--goal", "signed-up")
    assert "Window still open, and so no verdict:\n" in stdout
    assert "0% of 1" in stdout
    assert "(--open shows them)" not in stdout


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["hom"], "unknown experience `hom`; did you mean `home`?"),
        (["elsewhere"], "unknown experience `elsewhere`; there are home"),
        (["--goal", "payd"], "unknown goal `payd`; did you mean `paid`?"),
        (["--data", "nowhere"], "nowhere/events: no events yet; `mutiny-edge simulate` makes some"),
        (["--events", "data"], "--events data: expected the folder of a log; did you mean `data/events`?"),
        (["--plot", "a.pdf"], "expected a name that ends in .png or .svg"),
        (["--plot", "gone/a.png"], "there is no folder gone"),
        (["--sql"], "for which warehouse? --dialect duckdb|snowflake"),
        (["--sql", "--dialect", "postgres", "--schema", "a;b"], "--schema a;b: expected one NAME for the website"),
        (["--sql", "--dialect", "postgres", "--schema", "gone=b"], "GOAL=NAME for goals that are asked for"),
        (["--dialect", "postgres", "--schema", "a"], "--dialect and --schema: only with --sql, which is not given"),
        (["--sql", "--plot", "a.svg"], "--plot: --sql prints a statement and counts nothing"),
        (["--sql", "--counts", "-"], "--counts: --sql prints a statement and counts nothing"),
        (["--counts", "-"], "--at: --counts reads what was counted; give it to `lift --sql`"),
        (["homepge"], "unknown experience `homepge`; did you mean `Homepage`?"),
        (["--events", "gone"], "--events gone: there is no such folder"),
        (["--events", ""], "--events '': there is no such folder"),
        (["--events", "rules/all.yaml"], "--events rules/all.yaml: that is a file; expected the folder of a log"),
        (["--smallest", "10"], "has no percent sign"),
        (["--since", "2026-11-01"], "the date `2026-11-01` has no time and zone"),
        (["--counts", "gone.csv"], "File 'gone.csv' does not exist"),
    ],
)
def test_what_cannot_be_asked(lift, arguments, told):
    """What is wrong and what would be right; exit code 2, nothing on stdout."""
    code, stdout, stderr = lift(*arguments)
    assert (code, stdout) == (2, "")
    assert told in stderr


def test_rules_without_goals(lift, tmp_path):
    """Nothing can be a conversion."""
    (tmp_path / "all.yaml").write_text(RULES.partition("conversions:")[0])
    assert "add one under `conversions:`" in lift("--rules", tmp_path)[2]


def test_what_was_left_out_is_told(lift, folder, tmp_path):
    """On stderr; the answer stays an answer."""
    [path] = (folder / "data" / "events").glob("*.ndjson")
    unclear = encode(1, "website", json.dumps({**exposure(None), "anonymousId": "x", "messageId": "y"}).encode())
    (tmp_path / path.name).write_bytes(path.read_bytes() + unclear + b'{"crc"')
    code, stdout, stderr = lift("--events", tmp_path, "--events", f"{tmp_path}/.", "--format", "json")
    assert code == 0
    assert json.loads(stdout)[0]["control"]["visitors"] == 1_000
    assert stderr == (
        f"counted: {tmp_path}\n"
        "1 line of the log is left out: torn, or no JSON (`mutiny-edge events stats` checks their sums, too)\n"
        "1 exposure is left out: not all of experience, audienceSegment and personalized is said\n"
    )


def test_a_log_that_cannot_be_read(lift, tmp_path):
    """A file that is no Parquet: told with its name."""
    bad = tmp_path / "parquet" / "day=2026-11-01" / "bad.parquet"
    bad.parent.mkdir(parents=True)
    bad.write_bytes(b"this is none at all")
    code, _, stderr = lift("--events", tmp_path)
    assert code == 2
    assert "the event log cannot be read" in stderr
    assert "bad.parquet" in stderr


def test_what_only_the_log_can_do(lift, folder):
    """Beside --counts, an option that would change nothing is refused, with what would be right."""
    counts = ("--counts", "-", "--since", AT)
    assert "--since: --counts reads what was counted; give it to `lift --sql`" in lift(*counts, at=None)[2]
    for option, value in (("--data", "data"), ("--events", "data/events")):
        assert f"{option}: --counts reads what was counted elsewhere" in lift(*counts[:2], option, value, at=None)[2]
    assert "--plot: lift over time needs the days" in lift(*counts[:2], "--plot", "a.svg", at=None)[2]
    assert not (folder / "a.svg").exists()


def test_an_experience_that_no_rule_knows(lift, tmp_path):
    """Its figures stand there, and it is said."""
    (tmp_path / "all.yaml").write_text(RULES.replace("name: Homepage", "name: Another"))
    code, stdout, stderr = lift("--rules", tmp_path)
    assert (code, stdout.splitlines()[0]) == (0, "Homepage")
    assert stderr.splitlines() == [
        "counted: data/events",
        "`Homepage` was seen, and no experience of the rules has that name: was it renamed?",
    ]


def test_a_compacted_log_says_the_same(lift, folder, tmp_path):
    """Lines, Parquet, and both of one log."""
    copytree(folder / "data" / "events", tmp_path / "data" / "events")
    before = lift("--data", tmp_path / "data", "--format", "json")[1]
    done = CliRunner().invoke(main, ["events", "compact", "--data", str(tmp_path / "data")])
    assert done.exit_code == 0, done.output
    assert list((tmp_path / "data" / "events").glob("parquet/day=*/*.parquet"))
    assert not list((tmp_path / "data" / "events").glob("*.ndjson"))
    assert before == lift("--data", tmp_path / "data", "--format", "json")[1] == lift("--format", "json")[1]


def test_a_picture(lift, tmp_path):
    """Beside the usual output."""
    _, stdout, stderr = lift("--plot", tmp_path / "a.png")
    assert stdout.startswith(TEXT)
    assert stderr == f"counted: data/events\ndrawn: {tmp_path / 'a.png'}\n"
    assert (tmp_path / "a.png").read_bytes().startswith(b"\x89PNG")


def test_a_picture_that_cannot_be_written(lift, tmp_path):
    """The option is named, and no half a file is left."""
    (tmp_path / "a.svg.part").mkdir()
    code, _, stderr = lift("--plot", tmp_path / "a.svg")
    assert code == 2
    assert f"--plot {tmp_path / 'a.svg'}: cannot be written: Is a directory" in stderr
    assert not (tmp_path / "a.svg").exists()


def test_the_warehouse_and_back(lift):
    """The statement runs on tables as Segment lays them, and its CSV gives the same answer as the log."""
    code, statement, _ = lift("--sql", "--dialect", "duckdb", "--schema", "www")
    assert code == 0
    with duckdb.connect() as connection:
        lay_out(connection)
        answer = connection.execute(statement)
        written = io.StringIO()
        writer = csv.writer(written)
        writer.writerow([column[0].upper() for column in answer.description])
        writer.writerows(answer.fetchall())
    from_counts = lift("--counts", "-", "--format", "json", at=None, stdin=written.getvalue())[1]
    assert from_counts == lift("--format", "json")[1]


def lay_out(connection):
    """The messages as tables."""
    own = "id TEXT, anonymous_id TEXT, user_id TEXT, timestamp TIMESTAMPTZ"
    connection.execute("CREATE SCHEMA www")
    connection.execute(f"CREATE TABLE www.identifies ({own}, mutiny_visitor_id TEXT)")
    columns = "experience TEXT, audience_segment TEXT, personalized BOOLEAN"
    connection.execute(f"CREATE TABLE www.mutiny_experience_viewed ({own}, {columns})")
    connection.execute(f"CREATE TABLE www.signed_up ({own}, plan TEXT)")
    rows = {"Mutiny Experience Viewed": [], "Signed Up": []}
    for number, (day, message) in enumerate(messages()):
        ids = (f"m{number}", message["anonymousId"], message["userId"], (BEGIN + timedelta(days=day)).isoformat(" "))
        rows[message["event"]].append((*ids, *message["properties"].values()))
    for table, made in zip(("mutiny_experience_viewed", "signed_up"), rows.values(), strict=True):
        for first in range(0, len(made), 500):
            batch = made[first : first + 500]
            marks = ", ".join(f"({', '.join('?' * len(batch[0]))})" for _ in batch)
            connection.execute(f"INSERT INTO www.{table} VALUES {marks}", [value for row in batch for value in row])


def test_what_sql_cannot_say(lift, tmp_path):
    """With the place in the rule files, as every problem."""
    (tmp_path / "all.yaml").write_text(RULES.replace('plan != "free"', 'plan.matches("^p")'))
    code, stdout, stderr = lift("--rules", tmp_path, "--sql", "--dialect", "snowflake")
    assert (code, stdout) == (2, "")
    assert "all.yaml:10:" in stderr
    assert "cannot be said in SQL with the same meaning" in stderr


def test_a_bar_on_a_terminal(on_terminal, folder):
    """A terminal shows how far it is."""
    shown = on_terminal("lift", "--at", AT, "--rules", folder / "rules", "--data", folder / "data")
    assert "counting" in shown
    assert "100%" in shown
    assert "Homepage" in shown


def test_lift_is_a_verb():
    """In the table, and in `--help`."""
    assert "lift" in CliRunner().invoke(main, ["--help"]).output
