"""The question of lift, written once, as SQL: from exposures, conversions and links to counts. Pure: text.

What lives here: the steps, and with them who a person is, which exposure counts and what is counted. What may not:
where events are kept (`log`, `warehouse`), running anything.

The steps stand on these tables, which whoever asks has to provide; `time` is when it happened, ids are text or null:

    exposures      anonymous_id, user_id, time, experience, segment, personalized
    user_links     anonymous_id, user_id, time                 who of a device logged in
    visitor_links  visitor_id, anonymous_id, user_id, time     which browser it is: `mutinyVisitorId`
    group_links    anonymous_id, user_id, group_id, time       only where an experience is split by account
    conversions    goal, anonymous_id, user_id, time

1. **The newest link counts**, as in a decision: an anonymous id is its newest user's. Where it has none, its newest
   visitor's (a browser keeps `mutinyVisitorId` when Segment begins a new anonymous id) and so the user's whom that
   visitor leads to; one that looks as a visitor's id is that visitor's, for so is sent what is shown before Segment has
   an anonymous id. An event with a `userId` is that user's, whoever the device belongs to by now. So a person with
   several devices is one as soon as they logged in on each, and whoever shares a device is somebody of their own.
2. **Who is counted is who drew the group**: of persons whose first exposure was in the same browser, the browser, for
   they all saw the same (`split_by: visitor`); a person (`user`); all persons of an account (`account`). Who was shown
   nothing under their own `userId` converts for nobody, on whatever browser.
3. Of each of these, in each experience, **the first exposure decides**: group, segment, and the time from which on
   conversions count. Exposures of both groups are told (`saw_both`), and change nothing.
4. A conversion counts from the first exposure on, within the goal's window, once; whoever of them made it.
5. Repeats of a message change nothing: a first time is a minimum, and who converted twice has converted.
6. It is said so that a database plans it well that knows nothing of a step's rows, as PostgreSQL: two tables meet, by
   an id, and what they are is grouped before, so that times are compared of one person's rows alone. The first place
   is `<= 1`: of `= 1` it believes that hardly a row is left, and then compares every row with every other.
"""
# ruff: noqa: S608 - what is put into the text is quoted, or a name of ours; events are never put into it

from collections.abc import Mapping, Sequence
from typing import Final

from msgspec import Struct

from engine.words import Goal, SplitBy

PERSON: Final = "COALESCE('u:' || {0}.user_id, p.person, 'a:' || {0}.anonymous_id)"

_PEOPLE: Final = {
    "device_user": """
SELECT anonymous_id, user_id FROM (
  SELECT anonymous_id, user_id, ROW_NUMBER() OVER (PARTITION BY anonymous_id ORDER BY time DESC, user_id DESC) AS place
  FROM (
    SELECT anonymous_id, user_id, MAX(time) AS time FROM user_links
    WHERE anonymous_id IS NOT NULL AND user_id IS NOT NULL GROUP BY anonymous_id, user_id
  ) AS seen
) AS ranked WHERE place <= 1""",
    "device_visitor": """
SELECT anonymous_id, visitor_id FROM (
  SELECT anonymous_id, visitor_id,
    ROW_NUMBER() OVER (PARTITION BY anonymous_id ORDER BY looks, time DESC, visitor_id DESC) AS place
  FROM (
    SELECT anonymous_id, visitor_id, 0 AS looks, MAX(time) AS time FROM visitor_links
    WHERE anonymous_id IS NOT NULL GROUP BY anonymous_id, visitor_id
    UNION ALL
    SELECT visitor_id AS anonymous_id, visitor_id, 1 AS looks, MAX(time) AS time FROM visitor_links GROUP BY visitor_id
  ) AS seen
) AS ranked WHERE place <= 1""",
    "visitor_user": """
SELECT v.visitor_id, COALESCE(d.user_id, v.user_id) AS user_id
FROM (
  SELECT visitor_id, anonymous_id, CASE WHEN anonymous_id IS NULL THEN user_id END AS user_id,
    ROW_NUMBER() OVER (PARTITION BY visitor_id ORDER BY time DESC, anonymous_id DESC, user_id DESC) AS place
  FROM (
    SELECT visitor_id, anonymous_id, user_id, MAX(time) AS time FROM visitor_links
    GROUP BY visitor_id, anonymous_id, user_id
  ) AS seen
) AS v LEFT JOIN device_user AS d ON d.anonymous_id = v.anonymous_id
WHERE v.place <= 1""",
    "devices": """
SELECT a.anonymous_id, v.visitor_id AS browser,
  COALESCE('u:' || d.user_id, 'u:' || w.user_id, 'v:' || v.visitor_id, 'a:' || a.anonymous_id) AS person
FROM (
  SELECT anonymous_id FROM device_user UNION SELECT anonymous_id FROM device_visitor
) AS a
LEFT JOIN device_user AS d ON d.anonymous_id = a.anonymous_id
LEFT JOIN device_visitor AS v ON v.anonymous_id = a.anonymous_id
LEFT JOIN visitor_user AS w ON w.visitor_id = v.visitor_id""",
}

_ACCOUNTS: Final = f"""
SELECT person, group_id FROM (
  SELECT person, group_id, ROW_NUMBER() OVER (PARTITION BY person ORDER BY time DESC, group_id DESC) AS place
  FROM (
    SELECT {PERSON.format("g")} AS person, g.group_id, MAX(g.time) AS time
    FROM group_links AS g LEFT JOIN devices AS p ON p.anonymous_id = g.anonymous_id
    GROUP BY 1, 2
  ) AS seen WHERE person IS NOT NULL
) AS ranked WHERE place <= 1"""

_SHOWN: Final = f"""
SELECT e.experience, e.segment, e.personalized, {PERSON.format("e")} AS person, p.browser, MIN(e.time) AS time
FROM exposures AS e LEFT JOIN devices AS p ON p.anonymous_id = e.anonymous_id
GROUP BY 1, 2, 3, 4, 5"""

_MEMBERS: Final = """
SELECT m.experience, m.person, m.unit, m.segment, m.personalized, m.time, MIN(m.time) OVER u AS first,
  ROW_NUMBER() OVER (PARTITION BY m.experience, m.unit ORDER BY m.time, m.personalized, m.segment) AS place,
  CASE WHEN MIN(m.personalized) OVER u < MAX(m.personalized) OVER u THEN 1 ELSE 0 END AS saw_both
FROM (
  SELECT f.experience, f.person, f.segment, f.personalized, f.time, {unit} AS unit
  FROM (
    SELECT experience, person, segment, personalized, time,
      FIRST_VALUE(COALESCE('v:' || browser, person)) OVER (
        PARTITION BY experience, person ORDER BY time, personalized, segment, browser
        ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING
      ) AS browser
    FROM shown
  ) AS f{accounts}
) AS m""".replace("OVER u", "OVER (PARTITION BY m.experience, m.unit)")

_STARTS: Final = """
SELECT experience, unit, segment, personalized, time, saw_both FROM members WHERE place <= 1"""

_WINDOWS: Final = """
SELECT '{goal}' AS goal, experience, unit, segment, personalized, saw_both, time,
  time + INTERVAL '{window_s}' SECOND AS closes FROM starts"""

_CONVERTED: Final = f"""
SELECT DISTINCT c.goal, m.experience, m.unit
FROM (
  SELECT c.goal, c.time, {PERSON.format("c")} AS person
  FROM conversions AS c LEFT JOIN devices AS p ON p.anonymous_id = c.anonymous_id
  GROUP BY 1, 2, 3
) AS c
JOIN (SELECT DISTINCT experience, person, unit, first FROM members) AS m ON m.person = c.person
WHERE c.time >= m.first AND ({{in_time}})"""
_IN_TIME: Final = "c.goal IN ({goals}) AND c.time < m.first + INTERVAL '{window_s}' SECOND"

OUTCOMES: Final = """
SELECT w.goal, w.experience, w.segment, w.personalized, w.saw_both, w.time, w.closes,
  CASE WHEN c.unit IS NULL THEN 0 ELSE 1 END AS converted
FROM windows AS w
LEFT JOIN converted AS c ON c.goal = w.goal AND c.experience = w.experience AND c.unit = w.unit"""


class Step(Struct, frozen=True):
    """A table that is made of those before it. `kept`: it is worth being written down."""

    name: str
    select: str
    kept: bool = True


def steps(splits: Mapping[str, SplitBy], goals: Sequence[Goal]) -> list[Step]:
    """From the tables above to `outcomes`: a row for each goal and unit, with its group, its window, and whether it
    converted. `splits` says of experiences, by the names that they are sent under, what they are split by.
    """
    made = [Step(name, select) for name, select in _PEOPLE.items()]
    if needs_accounts(splits):
        made.append(Step("accounts", _ACCOUNTS))
    windows = [_WINDOWS.format(goal=goal.key, window_s=goal.window_s) for goal in goals]  # a key has no quotes
    return [
        *made,
        Step("shown", _SHOWN),
        Step("members", _members(splits)),
        Step("starts", _STARTS),
        Step("windows", "\nUNION ALL".join(windows), kept=False),
        Step("converted", _CONVERTED.format(in_time=_in_time(goals))),
        Step("outcomes", OUTCOMES, kept=False),
    ]


def needs_accounts(splits: Mapping[str, SplitBy]) -> bool:
    """Whether an experience is split by account, so that it has to be known who is of which."""
    return "account" in splits.values()


def quoted(text: str) -> str:
    """As a constant."""
    return "'" + text.replace("'", "''") + "'"


def _in_time(goals: Sequence[Goal]) -> str:
    """The conversion is one within its goal's window."""
    by_window: dict[int, list[str]] = {}
    for goal in goals:
        by_window.setdefault(goal.window_s, []).append(quoted(goal.key))
    return " OR ".join(
        f"({_IN_TIME.format(goals=', '.join(keys), window_s=window_s)})" for window_s, keys in by_window.items()
    )


def _members(splits: Mapping[str, SplitBy]) -> str:
    """Who counts as one with whom: by whom an experience draws."""
    of_kind = {"user": "f.person", "account": "COALESCE('g:' || g.group_id, f.person)"}
    cases = []
    for kind, unit in of_kind.items():
        names = sorted(name for name, split_by in splits.items() if split_by == kind)
        if names:
            cases.append(f"WHEN f.experience IN ({', '.join(map(quoted, names))}) THEN {unit}")
    accounts = "\nLEFT JOIN accounts AS g ON g.person = f.person" if needs_accounts(splits) else ""
    unit = f"CASE {' '.join(cases)} ELSE f.browser END" if cases else "f.browser"
    return _MEMBERS.format(unit=unit, accounts=accounts)
