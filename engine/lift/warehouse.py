"""The question, asked of the tables that Segment's warehouse destination writes: as text, in any warehouse's SQL. Pure.

What lives here: those tables as the question's own, the last step, dialects. What may not: the question's meaning
(`question`), a connection to any warehouse.

1. Read are `mutiny_experience_viewed`, `identifies`, the table of each goal's event, and `groups` if an experience is
   split by account; each in the schema of its source. Links are those that these tables know.
2. `timestamp` is when it happened, corrected by Segment. Repeats change nothing (`question`), so ids are not asked.
   Alias calls are not: Segment makes no table of them that is sure to be there.
3. `personalized` may be text in old tables; it is compared as text, but in Redshift, which makes no text of a boolean.
   What says neither true nor false is no exposure, as in the log.
4. The statement is written in DuckDB's SQL and rewritten by sqlglot. Identifiers are quoted, for an event may be named
   as a word of SQL; in the case in which the warehouse stores what Segment names without quotes.
5. What comes out has a row a group; `mutiny-edge lift --counts` takes it from there: intervals are no matter of SQL.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final

from engine.lift.asking import Asking, splits_of
from engine.lift.cel_sql import CannotSay, cel_sql
from engine.lift.question import needs_accounts, quoted, steps
from engine.lift.snakecase import stored_name
from engine.problems import Problem
from engine.words import Goal

DIALECTS: Final = ("duckdb", "snowflake", "bigquery", "redshift", "postgres", "clickhouse", "databricks")
_WITHOUT_ENDS: Final = {"postgres", "redshift"}  # no way to ask how a text begins or ends, but by its length
_FOLDED: Final = {"snowflake": str.upper, "postgres": str.lower, "redshift": str.lower}  # what stands without quotes

_HEAD: Final = """\
-- Lift, counted from Segment's warehouse tables; made by `mutiny-edge lift --sql --dialect {dialect}`.
-- `identifies` has the column mutiny_visitor_id once a page with client.js said which visitor it is.
-- Its result, saved as CSV with a head line, gets intervals and verdicts from `mutiny-edge lift --counts FILE.csv`.
"""
_EXPOSURES: Final = """
SELECT v.anonymous_id, v.user_id, v.timestamp AS time, v.experience, v.audience_segment AS segment,
  {shown} AS personalized
FROM {table} AS v
WHERE v.experience <> '' AND v.audience_segment <> '' AND {shown} IS NOT NULL
  AND COALESCE(v.anonymous_id, v.user_id) IS NOT NULL AND v.timestamp <= {now}{only}"""
_USER_LINKS: Final = (
    "SELECT l.anonymous_id, l.user_id, l.timestamp AS time FROM {table} AS l WHERE l.timestamp <= {now}"
)
_VISITOR_LINKS: Final = """
SELECT l.mutiny_visitor_id AS visitor_id, l.anonymous_id, l.user_id, l.timestamp AS time
FROM {table} AS l WHERE l.mutiny_visitor_id IS NOT NULL AND l.timestamp <= {now}"""
_GROUP_LINKS: Final = """
SELECT l.anonymous_id, l.user_id, l.group_id, l.timestamp AS time
FROM {table} AS l WHERE l.group_id IS NOT NULL AND l.timestamp <= {now}"""
_CONVERSIONS: Final = """
SELECT {goal} AS goal, e.anonymous_id, e.user_id, e.timestamp AS time FROM {table} AS e WHERE e.timestamp <= {now}"""
_COUNTED: Final = """
SELECT experience, segment AS audience_segment, goal, personalized,
  SUM(CASE WHEN closes <= {now} THEN 1 ELSE 0 END) AS visitors,
  SUM(CASE WHEN closes <= {now} THEN converted ELSE 0 END) AS converters,
  SUM(CASE WHEN closes <= {now} THEN 0 ELSE 1 END) AS open_visitors,
  SUM(CASE WHEN closes <= {now} THEN 0 ELSE converted END) AS open_converters,
  SUM(saw_both) AS saw_both,
  MIN(time) AS first_exposure,
  MAX(time) AS last_exposure
FROM outcomes{since}
GROUP BY experience, segment, goal, personalized
ORDER BY experience, segment, goal, personalized"""


def statement(
    asking: Asking, dialect: str, schema: str = "", schemas: Mapping[str, str] | None = None, *, whenever: bool = False
) -> str:
    """The question in this dialect. `schema` is that of the website's source, `schemas` those of goals' events that
    another source sends, by goal. With `whenever` it is asked as of the moment at which it runs.

    Raises `cel_sql.CannotSay`.
    """
    import sqlglot  # noqa: PLC0415 - it takes a fifth of a second, and counting the log needs none of it

    splits = splits_of(asking.ruleset)
    now = "CURRENT_TIMESTAMP" if whenever else _moment(asking.now, dialect)
    tables = _tables(asking, dialect, now, schema, schemas or {})
    if not needs_accounts(splits):
        del tables["group_links"]
    ctes = [*tables.items(), *((step.name, step.select) for step in steps(splits, asking.goals))]
    since = f"\nWHERE time >= {_moment(asking.since, dialect)}" if asking.since else ""
    text = (
        "WITH " + ",\n".join(f"{name} AS ({select})" for name, select in ctes) + _COUNTED.format(now=now, since=since)
    )
    made = _said(sqlglot.parse_one(text, read="duckdb"), dialect).sql(dialect, pretty=True, identify=True)
    nulls = "\nSETTINGS join_use_nulls = 1" if dialect == "clickhouse" else ""
    return f"{_HEAD.format(dialect=dialect)}{made}{nulls};"


def _tables(asking: Asking, dialect: str, now: str, schema: str, schemas: Mapping[str, str]) -> dict[str, str]:
    """What the question stands on."""
    viewed, identifies = _table(schema, "mutiny_experience_viewed"), _table(schema, "identifies")
    only = f" AND v.experience IN ({', '.join(map(quoted, asking.experiences))})" if asking.experiences else ""
    events = {goal.key: _table(schemas.get(goal.key, schema), _named(goal)) for goal in asking.goals}
    linking = dict.fromkeys([identifies, viewed, *events.values()])
    return {
        "exposures": _EXPOSURES.format(table=viewed, shown=_shown(dialect), now=now, only=only),
        "user_links": "\nUNION ALL\n".join(_USER_LINKS.format(table=table, now=now) for table in linking),
        "visitor_links": _VISITOR_LINKS.format(table=identifies, now=now),
        "group_links": _GROUP_LINKS.format(table=_table(schema, "groups"), now=now),
        "conversions": "\nUNION ALL".join(_conversions(goal, events[goal.key], now) for goal in asking.goals),
    }


def _named(goal: Goal) -> str:
    """The table of the goal's event. Raises CannotSay."""
    name = stored_name(goal.event)
    if not name:
        message = f"the event `{goal.event}` has no letter or digit that a table's name keeps"
        raise CannotSay(Problem(goal.place, "not-in-sql", message, "ask the log (`mutiny-edge lift` without --sql)"))
    return name


def _conversions(goal: Goal, table: str, now: str) -> str:
    conditions = "".join(f" AND {cel_sql(condition, 'e')}" for condition in goal.where)
    return _CONVERSIONS.format(goal=quoted(goal.key), table=table, now=now) + conditions


def _said(question: Any, dialect: str) -> Any:
    """The same, without what the dialect has no word for, or one that takes `_` and `%` for something else."""
    from sqlglot import exp  # noqa: PLC0415 - as above

    def said(node: Any) -> Any:
        for test, part in ((exp.StartsWith, exp.Left), (exp.EndsWith, exp.Right)):
            if isinstance(node, test):
                length = exp.Literal.number(len(node.expression.name))
                return exp.Paren(this=exp.EQ(this=part(this=node.this, expression=length), expression=node.expression))
        return node

    folded = question.transform(said) if dialect in _WITHOUT_ENDS else question
    if dialect in _FOLDED:
        for name in folded.find_all(exp.Identifier):
            name.set("this", _FOLDED[dialect](name.name))
    return folded


def _table(schema: str, name: str) -> str:
    return ".".join(f'"{part}"' for part in (*filter(None, schema.split(".")), name))


def _shown(dialect: str) -> str:
    """1, 0, or NULL where it is not said."""
    if dialect == "redshift":
        return "CASE WHEN v.personalized = 'true' THEN 1 WHEN v.personalized = 'false' THEN 0 END"
    said = "CASE LOWER(CAST(v.personalized AS TEXT)) WHEN 'true' THEN 1 WHEN 'false' THEN 0"
    if dialect == "clickhouse":  # its old tables have no booleans
        said += " WHEN '1' THEN 1 WHEN '0' THEN 0"
    return f"{said} END"


def _moment(moment: datetime, dialect: str) -> str:
    plain = moment.astimezone(UTC).replace(tzinfo=None)
    if dialect == "clickhouse":  # a time there has neither a zone in its text nor parts of a second
        return f"CAST('{plain.isoformat(' ', 'seconds')}' AS TIMESTAMP)"
    return f"CAST('{plain.isoformat(' ', 'milliseconds')}+00:00' AS TIMESTAMPTZ)"
