"""The statement, run in DuckDB and PostgreSQL on tables as Segment lays them out: the figures are the command's."""

import csv
import io
import os
import random
import shutil
import subprocess
import tempfile
from pathlib import Path

import duckdb
import pytest
import sqlglot

from engine.lift.asking import Asking
from engine.lift.cel_sql import CannotSay
from engine.lift.counting import count
from engine.lift.warehouse import DIALECTS, statement

GOALS = """\
  signed-up: {event: Signed Up}
  paid: {event: Order Completed, where: ['properties.plan != "free"', properties.revenue >= 9.5], window: 3d}
  odd:
    event: Order Completed
    window: 30d
    where: |
      (has(properties.plan) && !(properties.plan.lowerAscii() in ["pro", "team"])) ||
      (properties.trial ? properties["Billing Address"].countryCode == "DE"
                        : properties.?plan.orValue("free") == "free") ||
      properties.plan.endsWith("_\\\\") && properties.plan.contains("100%") && properties.plan.startsWith("it's") &&
      !("coupon" in properties)
"""


def asked(ruleset, now, **more):
    return Asking(ruleset, tuple(ruleset.goals.values()), now, **more)


def of_command(folder, asking):
    """What the command counts, by line and group."""
    found = {}
    for line in count([str(folder)], asking).figures:
        for group, (closed, waiting) in enumerate(zip(sides(line.closed), sides(line.open), strict=True)):
            figures = closed.visitors, closed.converters, waiting.visitors, waiting.converters
            if any(figures):
                found[line.experience, line.segment, line.goal, group] = figures
    return found


def sides(pair):
    return pair.control, pair.personalized


def of_rows(rows):
    """What the statement answers, in the same form."""
    keys = ("experience", "audience_segment", "goal")
    figures = ("visitors", "converters", "open_visitors", "open_converters")
    return {
        (*(row[key] for key in keys), int(row["personalized"])): tuple(int(row[figure]) for figure in figures)
        for row in rows
    }


def in_duckdb(statements, question):
    """The answer's rows."""
    with duckdb.connect() as connection:
        connection.execute("SET TimeZone = 'America/New_York'")  # wherever the warehouse thinks it is
        for made in statements:
            connection.execute(made)
        answer = connection.execute(question)
        names = [column[0] for column in answer.description]
        return [dict(zip(names, row, strict=True)) for row in answer.fetchall()]


@pytest.fixture(scope="module")
def postgres():
    """`postgres(statements, question)` in a cluster of its own, on a socket in its own folder."""
    found = shutil.which("initdb") or next(iter(sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))[-1:]), None)
    if found is None:
        if os.environ.get("CI") == "true":
            pytest.fail("no PostgreSQL here: apt-get install postgresql")
        pytest.skip("no PostgreSQL here")
    programs = Path(found).resolve().parent  # a link to one of them is no road to the others
    folder = Path(tempfile.mkdtemp(prefix="lift-"))
    as_somebody = ["runuser", "-u", "postgres", "--"] if os.geteuid() == 0 else []  # root may not run it
    if as_somebody:
        shutil.chown(folder, "postgres")

    def run(*command, **how):
        done = subprocess.run(
            [*as_somebody, *map(str, command)], cwd="/", check=False, capture_output=True, text=True, timeout=120, **how
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    run(
        programs / "initdb",
        "-D",
        folder / "db",
        "-U",
        "postgres",
        "-A",
        "trust",
        "--no-sync",
        "-E",
        "UTF8",
        "--locale=C",
    )
    options = f"-k {folder} -c listen_addresses= -c fsync=off -c timezone=America/New_York"
    run(programs / "pg_ctl", "-D", folder / "db", "-l", folder / "log", "-o", options, "-w", "start")

    def ask(statements, question):
        anew = "SET client_min_messages = warning; DROP SCHEMA IF EXISTS www CASCADE"
        script = f"{anew}; {'; '.join(statements)};\n{question}"
        psql = (programs / "psql", "-h", folder, "-U", "postgres", "-X", "-q", "--csv", "-v", "ON_ERROR_STOP=1")
        return list(csv.DictReader(io.StringIO(run(*psql, input=script))))

    yield ask
    run(programs / "pg_ctl", "-D", folder / "db", "-m", "immediate", "-w", "stop")
    shutil.rmtree(folder)


@pytest.mark.parametrize("split", ["visitor", "user", "account"])
def test_duckdb_says_what_the_command_says(tables, stream, rules, log_of, tmp_path, split):
    """Of streams in which everything is mixed up, whoever is counted."""
    ruleset = rules(split, GOALS)
    for seed in range(2):
        stream.messages.clear()
        tables.made_up(stream, seed)
        asking = asked(ruleset, stream.now)
        of_log = of_command(log_of(tmp_path / f"events-{seed}", stream.messages), asking)
        rows = in_duckdb(tables.statements(stream.messages, "www"), statement(asking, "duckdb", "www"))
        assert of_rows(rows) == of_log
        assert sum(figures[1] for figures in of_log.values()) > 10


@pytest.mark.parametrize("split", ["visitor", "account"])
def test_postgres_says_what_the_command_says(postgres, tables, stream, rules, log_of, tmp_path, split):
    """The same in PostgreSQL, where no type is forgiven."""
    ruleset = rules(split, GOALS)
    tables.made_up(stream, 7, people=80)
    asking = asked(ruleset, stream.now, since=stream.begin.replace(day=3))
    of_log = of_command(log_of(tmp_path / "events", stream.messages), asking)
    rows = postgres(tables.statements(stream.messages, "www"), statement(asking, "postgres", "www"))
    assert of_rows(rows) == of_log
    assert sum(figures[1] for figures in of_log.values()) > 10


def test_goals_of_another_source(tables, stream, rules, log_of, tmp_path):
    """The website's events in one schema, the backend's in another."""
    ruleset = rules("visitor", "  signed-up: {event: Signed Up}\n  order: {event: Order Completed}\n")
    tables.made_up(stream, 3)
    asking = asked(ruleset, stream.now)
    orders = [message for message in stream.messages if message.get("event") == "Order Completed"]
    site = [message for message in stream.messages if message not in orders]
    made = [*tables.statements(site, "www"), *tables.statements(orders, "shop")]
    rows = in_duckdb(made, statement(asking, "duckdb", "www", {"order": "shop"}))
    assert of_rows(rows) == of_command(log_of(tmp_path / "events", stream.messages), asking)


def test_old_tables_hold_the_group_as_text(tables, stream, rules, log_of, tmp_path):
    """`personalized` as text, in any case."""
    tables.made_up(stream, 4)
    asking = asked(rules("visitor", GOALS), stream.now)
    of_log = of_command(log_of(tmp_path / "events", stream.messages), asking)
    chance = random.Random(1)
    for message in stream.messages:
        if message.get("event") == "Mutiny Experience Viewed":
            text = str(message["properties"]["personalized"])
            message["properties"] = {**message["properties"], "personalized": chance.choice([text, text.lower()])}
    rows = in_duckdb(tables.statements(stream.messages, "www"), statement(asking, "duckdb", "www"))
    assert of_rows(rows) == of_log


def test_postgres_never_compares_every_row_with_every_other(postgres, tables, stream, rules):
    """It knows nothing of a step's rows, and must not take them for so few that this looks cheap: it would not end."""
    tables.made_up(stream, 1, people=150)
    asking = asked(rules("account", GOALS), stream.now)
    analyzed = [*tables.statements(stream.messages, "www"), "ANALYZE"]
    made = statement(asking, "postgres", "www").partition("WITH")
    plan = "\n".join(row["QUERY PLAN"] for row in postgres(analyzed, f"{made[0]}EXPLAIN WITH{made[2]}"))
    assert "Join" in plan
    assert "Nested Loop" not in plan


def test_words_of_sql_and_names_that_begin_with_a_digit(postgres, tables, stream, rules, log_of, tmp_path):
    """As events, properties and schemas."""
    goals = """\
  order: {event: Order, where: 'properties.select == "x" && properties["1st"] == true'}
  user: {event: User}
  second: {event: 2nd Purchase}
"""
    stream.shown(0, "a1", personalized=True)
    stream.identified(0, "a1", visitor="v1")
    for event in ("Order", "User", "2nd Purchase"):
        stream.converted(1, "a1", event=event, **{"select": "x", "1st": True})
    asking = asked(rules("visitor", goals), stream.now)
    of_log = of_command(log_of(tmp_path / "events", stream.messages), asking)
    assert [figures[:2] for figures in of_log.values()] == [(1, 1)] * 3
    made = list(tables.statements(stream.messages, '"back-end"'))
    assert of_rows(in_duckdb(made, statement(asking, "duckdb", "back-end"))) == of_log
    made = list(tables.statements(stream.messages, '"select"'))
    rows = postgres(['DROP SCHEMA IF EXISTS "select" CASCADE', *made], statement(asking, "postgres", "select"))
    assert of_rows(rows) == of_log


@pytest.mark.parametrize(
    ("dialect", "table"),
    [
        ("snowflake", '"BACK-END"."_2ND_ORDER"'),
        ("bigquery", "`Back-End`.`_2nd_order`"),
        ("redshift", '"back-end"."_2nd_order"'),
        ("databricks", "`Back-End`.`_2nd_order`"),
    ],
)
def test_names_are_quoted_as_the_warehouse_stores_them(rules, stream, dialect, table):
    """Segment names them without quotes, and some warehouses fold what has none."""
    ruleset = rules("visitor", "  second: {event: 2nd Order}\n")
    assert table in statement(asked(ruleset, stream.now), dialect, "Back-End")


def test_a_group_that_is_neither_is_left_out(tables, stream, rules, log_of, tmp_path):
    """`personalized` as a text that is no boolean is no exposure, here as there."""
    for number, said in enumerate(["true", "yes", "1", "False", ""]):
        stream.shown(0, f"a{number}", personalized=said)
    stream.identified(0, "a1", "u1", visitor="v1")
    stream.converted(1, "a0")
    asking = asked(rules(), stream.now)
    of_log = of_command(log_of(tmp_path / "events", stream.messages), asking)
    assert [figures[:2] for figures in of_log.values()] == [(1, 0), (1, 1)]
    rows = in_duckdb(tables.statements(stream.messages, "www"), statement(asking, "duckdb", "www"))
    assert of_rows(rows) == of_log


@pytest.mark.parametrize("dialect", DIALECTS)
def test_every_dialect_reads_its_own(rules, stream, dialect):
    """Each statement is one that its dialect's own parser takes, with the tables that it should read."""
    ruleset = rules("account", GOALS)
    made = statement(asked(ruleset, stream.now), dialect, "www", {"paid": "shop"}, whenever=True)
    [read] = sqlglot.parse(made, read=dialect)
    tables = {f"{table.db}.{table.name}".lower() for table in read.find_all(sqlglot.exp.Table) if table.db}
    shop = {"shop.order_completed"}
    assert tables == shop | {
        f"www.{n}" for n in ("mutiny_experience_viewed", "identifies", "groups", "signed_up", "order_completed")
    }
    assert made.startswith("-- Lift")


def test_only_what_is_asked(rules, stream):
    """Some experiences; as of when it runs; no schema; no groups where nobody is split by account."""
    made = statement(asked(rules(), stream.now, experiences=("It's",)), "postgres", whenever=True)
    assert """"v"."experience" IN ('It''s')""" in made.replace("\n", " ")
    assert "CURRENT_TIMESTAMP" in made
    assert "groups" not in made
    assert 'FROM "identifies" AS "l"' in made


def test_an_event_without_a_table(rules, stream):
    """Segment drops every letter that is not ASCII: told at the goal."""
    ruleset = rules("visitor", "  paid: {event: 注册}\n")
    with pytest.raises(CannotSay, match="has no letter or digit") as told:
        statement(asked(ruleset, stream.now), "duckdb")
    assert told.value.problem.place == ruleset.goals["paid"].place


@pytest.mark.parametrize(
    ("dialect", "said"),
    [("postgres", """LEFT("e"."plan", 2) = 'p_'"""), ("snowflake", """STARTSWITH("E"."PLAN", 'p_')""")],
)
def test_beginnings_of_texts(rules, stream, dialect, said):
    """Never as a pattern: `_` stands for any character there."""
    ruleset = rules("visitor", "  paid: {event: Paid, where: properties.plan.startsWith('p_')}\n")
    made = statement(asked(ruleset, stream.now), dialect)
    assert said in made
    assert "LIKE" not in made
