"""Messages laid out as Segment's warehouse destination lays them: a table an event, a column a property.

1. `identifies`, `groups`, and one table for each track event, all with Segment's own columns. `id` is the messageId.
2. Nested objects become columns `outer_inner`, lists become text; names are snake case. Null properties are left out.
3. Segment removes repeats before it writes, and not always: nothing is removed here.
"""

import json
import random
from collections.abc import Iterable, Iterator
from typing import Any

from engine.lift.snakecase import snakecase, stored_name

OWN = {
    "id": "TEXT",
    "anonymous_id": "TEXT",
    "user_id": "TEXT",
    "received_at": "TIMESTAMPTZ",
    "sent_at": "TIMESTAMPTZ",
    "timestamp": "TIMESTAMPTZ",
    "original_timestamp": "TIMESTAMPTZ",
}
KINDS = {bool: "BOOLEAN", int: "DOUBLE PRECISION", float: "DOUBLE PRECISION", str: "TEXT", list: "TEXT"}
EVENTS = ("Mutiny Experience Viewed", "Signed Up", "Order Completed")


def statements(messages: Iterable[dict[str, Any]], schema: str) -> Iterator[str]:
    """SQL that makes the schema with its tables and rows."""
    yield f"CREATE SCHEMA {schema}"
    tables: dict[str, list[dict[str, Any]]] = {}
    for message in messages:
        row = dict(_row(message))
        tables.setdefault(_table(message), []).append(row)
    for name, rows in tables.items():
        columns = {column: KINDS[type(value)] for row in rows for column, value in row.items() if value is not None}
        columns |= OWN
        made = ", ".join(f'"{column}" {kind}' for column, kind in columns.items())
        yield f'CREATE TABLE {schema}."{name}" ({made})'
        values = (", ".join(_constant(row.get(column)) for column in columns) for row in rows)
        names = ", ".join(f'"{column}"' for column in columns)
        yield f'INSERT INTO {schema}."{name}" ({names}) VALUES ({"), (".join(values)})'


def _table(message: dict[str, Any]) -> str:
    return (
        stored_name(message["event"])
        if message["type"] == "track"
        else {"identify": "identifies", "group": "groups"}[message["type"]]
    )


def _row(message: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    yield "id", message["messageId"]
    yield "anonymous_id", message.get("anonymousId")
    yield "user_id", message.get("userId")
    for column in ("received_at", "sent_at", "timestamp", "original_timestamp"):
        yield column, message["timestamp"]
    if message["type"] == "group":
        yield "group_id", message["groupId"]
    yield from _flat(message.get("properties" if message["type"] == "track" else "traits") or {}, "")


def _flat(fields: dict[str, Any], above: str) -> Iterator[tuple[str, Any]]:
    for name, value in fields.items():
        column = above + snakecase(name) if above else stored_name(name)
        if isinstance(value, dict):
            yield from _flat(value, f"{column}_")
        elif value is not None:
            yield column, json.dumps(value) if isinstance(value, list) else value


def _constant(value: Any) -> str:
    if value is None:
        return "NULL"
    if isinstance(value, str):
        return "'" + value.replace("'", "''") + "'"
    return str(value)


def made_up(stream: Any, seed: int, people: int = 60) -> None:
    """A stream in which people have several devices, devices several people, and everything comes in any order."""
    chance = random.Random(seed)
    users = [f"u{number}" for number in range(people)]
    devices = [f"a{number}" for number in range(people * 2)]

    def somebody() -> dict[str, str | None]:
        anonymous, user = chance.choice(devices), chance.choice(users)
        return chance.choice(
            [
                {"anonymous": anonymous, "user": None},
                {"anonymous": anonymous, "user": user},
                {"anonymous": None, "user": user},
            ]
        )

    for _ in range(people * 12):
        day = chance.uniform(0, 24)
        kind = chance.random()
        if kind < 0.4:
            segment = chance.choice(["Small company", "Small company", "Large company"])
            stream.shown(day, **somebody(), personalized=chance.random() < 0.5, segment=segment)
        elif kind < 0.5:
            stream.identified(
                day, chance.choice(devices), chance.choice([None, chance.choice(users)]), f"v{chance.randrange(people)}"
            )
        elif kind < 0.55:
            stream.identified(day, chance.choice(devices), chance.choice(users))
        elif kind < 0.6:
            stream.add("group", day, None, chance.choice(users), groupId=f"g{chance.randrange(people // 5)}")
        else:
            stream.converted(day, **somebody(), event=chance.choice(EVENTS[1:]), **said(chance))


def said(chance: random.Random) -> dict[str, Any]:
    """Properties of a conversion, each of them there or not."""
    whole = {
        "plan": chance.choice(["free", "pro", "Pro", "it's 100%_\\", "enterprise"]),
        "revenue": chance.choice([0, 9.5, 100, 20_000]),
        "trial": chance.random() < 0.5,
        "Billing Address": {"countryCode": chance.choice(["DE", "US"])},
        "coupon": chance.choice([None, "X1"]),
    }
    return {name: value for name, value in whole.items() if chance.random() < 0.7}
