"""Generated messages as Segment sends them, accepted as they are. Ids and times are few, so that they meet.

1. A value of a trait tells whose it is: `u1!2` was said of user u1, `g1!0` of account g1. So a test can ask of anything
   that it finds whether it may be there.
2. Senders' clocks are wrong: some by a minute with a `sentAt` that mends it, some ten minutes ahead without one.
3. A message is one number, of which chance makes all the rest, once: thousands of sequences must take seconds.
"""

import json
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from functools import cache
from random import Random
from typing import Any

from hypothesis import strategies as st

from engine.profiles.ids import Key
from engine.profiles.record import Change
from engine.profiles.store import Store
from engine.segment.accept import accept, opened
from engine.segment.identity import changes, sightings
from engine.segment.message import Message, deletion
from engine.segment.moments import written

NOON = datetime(2026, 11, 25, 12, tzinfo=UTC)
NOON_MS = 1_795_608_000_000
SECONDS = 7
MESSAGES = 10_000
CLOCKS = {"right": 0, "behind": -60_000, "ahead": 600_000}
TYPES = ["identify", "identify", "track", "page", "screen", "group", "alias"]
DELETED = [("user", "u1"), ("user", "u2"), ("anonymous", "a1"), ("visitor", "v1")]


def messages(max_size: int = 8) -> st.SearchStrategy[list[Message]]:
    """What some people say, and that some of them ask to be forgotten."""
    return st.lists(st.integers(0, MESSAGES - 1), max_size=max_size).map(
        lambda numbers: [message for number in numbers if (message := message_of(number)) is not None]
    )


@cache
def message_of(number: int) -> Message | None:
    """Any message; it arrives ten seconds after noon. None where it is not acceptable, for it names nobody."""
    chance = Random(number)
    if chance.random() < 0.15:
        return deletion(*chance.choice(DELETED), "admin", at(chance.randrange(SECONDS)))  # type: ignore[arg-type]
    body = body_of(chance)
    taken = accept(opened(json.dumps(body).encode(), body["type"]), chance.choice(["website", "backend"]), at(10))
    return taken.messages[0] if taken.messages else None


def body_of(chance: Random) -> dict[str, Any]:
    """How a library sends it."""
    anonymous, user, group, visitor = (chance.choice([None, f"{kind}1", f"{kind}2"]) for kind in "augv")
    anonymous = "v1" if chance.random() < 0.15 else anonymous  # a visitor, before there is an anonymous id
    said = {name: chance.choice([0, 1, None]) for name in ("plan", "email") if chance.random() < 0.5}
    traits = {name: None if n is None else f"{user or anonymous}!{n}" for name, n in said.items()}
    if visitor is not None:
        traits["mutinyVisitorId"] = visitor
    account = {name: None if n is None else f"{group}!{n}" for name, n in said.items()}
    body: dict[str, Any] = {"type": chance.choice(TYPES), "event": "Signed Up", "messageId": "m"}
    body |= {"anonymousId": anonymous, "userId": user, "properties": {"total": f"{user or anonymous}!9"}}
    if body["type"] == "alias":
        body |= {"previousId": anonymous, "anonymousId": chance.choice([None, "a2"])}
    own, elsewhere = chance.random() < 0.7, chance.random() < 0.5
    if body["type"] == "group":
        body |= {"groupId": group, "traits": account}
    elif own:
        body["traits"] = traits  # which is nothing to a track, and to an alias
    body["context"] = {"traits": traits if elsewhere else {}} | ({"groupId": group} if group else {})
    return body | times_of(chance)


def times_of(chance: Random) -> dict[str, str]:
    """When it was said and sent, by the sender's clock."""
    clock = chance.choice(["right", "right", *CLOCKS])
    times = {"timestamp": written(NOON_MS + chance.randrange(SECONDS) * 1000 + CLOCKS[clock])}
    return times if clock == "ahead" else {**times, "sentAt": written(NOON_MS + 10_000 + CLOCKS[clock])}


def at(second: int) -> datetime:
    """So many seconds after noon."""
    return NOON + timedelta(seconds=second)


def changes_of(said: Sequence[Message]) -> list[Change]:
    """All that these messages change."""
    return [change for message in said for change in (*changes(message), *sightings(message))]


def records(store: Store, *, names: bool = True) -> dict[Key, Any]:
    """Everything that is stored."""
    return {key: found for key, found in store.scan() if names or not key.startswith(b"n:")}
