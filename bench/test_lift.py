"""Lift over millions of events in Parquet, by the installed command: how long, and in how much memory?

1. The files are as `mutiny-edge events compact` lays them out: a month, a file a day; ten events a person, of which
   half are page views and a third exposures; a third of the people known by name, every identify with its visitor.
2. Three goals: one for any event, one with a condition of few different properties, one whose properties are all
   different, so that Python is asked of every single one.
3. The command is a process of its own; the figures are what it took from its start to its end. The ordinary run takes
   half a million events, `-m long` the ten million that the bar is about: at most 10 s and 2 GB on two cores.
"""

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import duckdb
import pytest

from bench.table import Row

DAYS, DAY_MS, BEGIN_MS = 30, 86_400_000, 1_790_812_800_000  # from 2026-10-01 on
AT = "2026-11-20T00:00:00Z"
RULES = """\
segments:
  small: {name: Small, when: traits.employees < 50}
  large: {name: Large, when: traits.employees >= 50}
experiences:
  home:
    name: Homepage
    pages: ["https://www.example.com/"]
    audiences:
      - {segment: small, variants: [{key: hero, changes: [{selector: h1, text: A}]}]}
      - {segment: large, variants: [{key: hero, changes: [{selector: h1, text: B}]}]}
conversions:
  signed-up: {event: Signed Up, where: properties.plan != "free"}
  order: {event: Order Completed, where: ['properties.currency == "USD"', properties.revenue >= 10000.0]}
  video: {event: Video Played}
"""
ALL_OF_IT = 10_000_000
EVENTS = """
COPY (
  WITH drawn AS (
    SELECT i, CAST(hash(i, $day) % $people AS BIGINT) AS who, hash(i, $day, 1) % 1000 AS k,
      $begin + i * 86400000 // $events AS ms
    FROM range($events) AS numbers (i)
  ), named AS (
    SELECT *, CAST(uuid() AS VARCHAR) AS id, 'anon-' || md5(CAST(who AS VARCHAR)) AS anonymous_id,
      CASE WHEN who % 3 = 0 THEN 'user-' || who END AS user_id,
      CASE WHEN k < 500 THEN 'page' WHEN k < 800 THEN 'Mutiny Experience Viewed' WHEN k < 900 THEN 'identify'
        WHEN k < 930 THEN 'Signed Up' WHEN k < 960 THEN 'Order Completed' ELSE 'Video Played' END AS kind
    FROM drawn
  )
  SELECT ms AS received, 'www' AS source, make_timestamp(ms * 1000) AS time,
    CASE WHEN kind IN ('page', 'identify') THEN kind ELSE 'track' END AS type, id AS message_id,
    anonymous_id, user_id, CAST(NULL AS VARCHAR) AS previous_id, CAST(NULL AS VARCHAR) AS group_id,
    CASE WHEN kind = 'identify' THEN 'visitor-' || who END AS visitor_id,
    CASE WHEN kind NOT IN ('page', 'identify') THEN kind END AS event,
    CASE kind
      WHEN 'Mutiny Experience Viewed' THEN
        format('{{"experience":"Homepage","audienceSegment":"{}","personalized":{}}}',
          CASE WHEN who % 2 = 0 THEN 'Small' ELSE 'Large' END,
          CASE WHEN hash(who, 7) % 2 = 0 THEN 'true' ELSE 'false' END)
      WHEN 'Signed Up' THEN CASE WHEN k % 2 = 0 THEN '{"plan":"free"}' ELSE '{"plan":"pro"}' END
      WHEN 'Order Completed' THEN format('{{"currency":"USD","revenue":{},"order":"{}"}}', hash(i) % 20000, id)
      WHEN 'Video Played' THEN '{}'
    END AS properties,
    format('{{"messageId":"{}","context":{{"userAgent":"Mozilla/5.0","page":{{"url":"https://www.example.com/{}"}}}}}}',
      id, k) AS message
  FROM named ORDER BY received, message_id
) TO $file (FORMAT parquet, COMPRESSION zstd)
"""


def write(folder: Path, events: int) -> None:
    """The log, and the rules beside it."""
    (folder / "rules").mkdir(parents=True)
    (folder / "rules" / "all.yaml").write_text(RULES)
    with duckdb.connect(config={"memory_limit": "1GB", "temp_directory": str(folder / "spill")}) as connection:
        for day in range(DAYS):
            begin = BEGIN_MS + day * DAY_MS
            name = time.strftime("day=%Y-%m-%d", time.gmtime(begin / 1000))
            within = folder / "data" / "events" / "parquet" / name
            within.mkdir(parents=True)
            some = {"day": day, "people": events // 10, "begin": begin, "events": events // DAYS}
            connection.execute(EVENTS, {**some, "file": str(within / "all.parquet")})


def run(folder: Path) -> tuple[list, float, float]:
    """The command's answer, how long it took in seconds, and the most memory that it had in MB."""
    program = Path(sys.executable).parent / "mutiny-edge"
    began = time.perf_counter()
    process = subprocess.Popen(
        [program, "lift", "--format", "json", "--at", AT], cwd=folder, stdout=subprocess.PIPE, text=True
    )
    answer = process.stdout.read()
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    process.stdout.close()
    assert process.returncode == 0
    return json.loads(answer), time.perf_counter() - began, usage.ru_maxrss / 1024


@pytest.mark.parametrize("events", [500_000, pytest.param(ALL_OF_IT, marks=pytest.mark.long)])
def test_lift(table, tmp_path, events):
    """Every exposed person is counted once, for each of the three goals."""
    write(tmp_path, events)
    shown = "event = 'Mutiny Experience Viewed'"
    files = f"{tmp_path}/data/events/parquet/*/*.parquet"
    [(people,)] = duckdb.sql(f"SELECT count(DISTINCT anonymous_id) FROM '{files}' WHERE {shown}").fetchall()
    answer, took_s, memory_mb = run(tmp_path)
    assert sum(line["control"]["visitors"] + line["personalized"]["visitors"] for line in answer) == 3 * people
    assert all(line["sampleRatio"]["ok"] for line in answer)
    what = f"lift over {events:,} events"
    all_of_it = events == ALL_OF_IT
    table.append(Row(what, f"{took_s:.1f} s", figure=took_s, unit=" s", bar="lift" if all_of_it else None))
    table.append(
        Row(
            f"{what}, memory",
            f"{memory_mb:,.0f} MB",
            figure=memory_mb,
            unit=" MB",
            bar="lift memory" if all_of_it else None,
        )
    )
