"""Law: two users on one device, in turn, never see each other's traits.

1. The model: one browser, and people who sit down at it one after the other. Each may be anonymous first, logs in, says
   things, and leaves; some log out, so that the browser begins a new anonymous id, some do not. Servers speak of all of
   them at any time. A value tells whose it is.
2. Whoever has logged in sees only what is theirs: after each message, and whatever order the whole arrives in.
3. The other half needs no model: of any messages whatsoever, a profile shows no value of another user's record, and
   none of a device that another user was ever linked to.
"""

from collections.abc import Callable, Iterator
from random import Random
from types import ModuleType
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import Struct

from engine.profiles.ids import key
from engine.profiles.read import read_profile
from engine.profiles.store import Store
from engine.segment.identity import changes
from engine.segment.message import Message, understood
from engine.segment.moments import written
from engine.words import Profile

SEQUENCES = 1_000
NOON_MS = 1_795_608_000_000
DEVICE = "v1"
PEOPLE = ["ann", "bob", "cat"]
NAMES = ["plan", "email", "cart"]

SITTINGS = st.lists(
    st.tuples(
        st.sampled_from(PEOPLE),
        st.lists(st.sampled_from(["traits", "group", "track", "visitor"]), max_size=3),  # before the log-in
        st.lists(st.sampled_from(["traits", "context", "group", "in-group", "track", "visitor", "server"]), max_size=4),
        st.booleans(),  # logs out
    ),
    min_size=1,
    max_size=4,
)


class Moment(Struct, frozen=True):
    """A message, and who is logged in on the device once it has come."""

    message: Message
    user: str | None


class Browser:
    """One device, as analytics.js behaves on it."""

    def __init__(self, chance: Random) -> None:
        self.anonymous = 0
        self.user: str | None = None
        self.known = False  # the visitor is linked to this anonymous id
        self.second = 0
        self.chance = chance

    def sit(self, who: str, before: list[str], after: list[str], *, logs_out: bool) -> Iterator[Moment]:
        """One person's turn."""
        if self.user is None:
            for what in before:
                yield self.say(who, what)
        if self.user != who:
            # Another one logs in: with the anonymous id of before, if nobody logged out.
            self.user = who
            yield self.say(who, "traits")
        for what in after:
            yield self.say(who, what)
        yield self.say(who, "visitor")
        if logs_out:
            self.user, self.known = None, False
            self.anonymous += 1

    def say(self, who: str, what: str) -> Moment:
        """One message."""
        self.second += 1
        value = {self.chance.choice(NAMES): f"{who}!{self.second}"}
        ids: dict[str, Any] = {"anonymousId": f"a{self.anonymous}", "userId": self.user}
        body: dict[str, Any] = {"type": "identify", **ids, "context": {}}
        if what == "traits":
            body["traits"] = value
        elif what == "context":
            body |= {"type": "page", "context": {"traits": value}}
        elif what == "group":
            body |= {"type": "group", "groupId": f"{who}-inc", "traits": {"owner": f"{who}!{self.second}"}}
        elif what == "in-group":
            body |= {"type": "track", "event": "x", "context": {"groupId": f"{who}-inc"}}
        elif what == "track":
            body |= {"type": "track", "event": "x"}
        elif what == "server":
            about = self.chance.choice(PEOPLE)
            body |= {"anonymousId": None, "userId": about, "traits": {self.chance.choice(NAMES): f"{about}!0"}}
        else:
            body["traits"] = {"mutinyVisitorId": DEVICE}
            self.known = True
        body |= {"messageId": f"m{self.second}", "timestamp": written(NOON_MS + self.second * 1000)}
        message = understood(body, "website", NOON_MS + 600_000)
        return Moment(message, self.user if self.known else None)


def shown(profile: Profile) -> set[str]:
    """Whose values a profile shows."""
    values = [*profile.traits.values(), *profile.account.values()]
    return {value.partition("!")[0] for value in values} | {(profile.account_id or "").removesuffix("-inc")} - {""}


def hold(memory: Callable[[], Store], sittings: list[Any], chance: Random) -> None:
    """The law for one course of a day."""
    browser = Browser(chance)
    day = [moment for who, *says, logs_out in sittings for moment in browser.sit(who, *says, logs_out=logs_out)]
    store = memory()
    for moment in day:
        store.apply(changes(moment.message))
        if moment.user is not None:
            profile = read_profile(store, DEVICE)
            assert (profile.user_id, shown(profile) - {moment.user}) == (moment.user, set())
    shuffled = [moment.message for moment in day] * 2
    chance.shuffle(shuffled)
    late = memory()
    for message in shuffled:
        late.apply(changes(message))
    assert read_profile(late, DEVICE) == read_profile(store, DEVICE)


@settings(max_examples=SEQUENCES)
@given(SITTINGS, st.integers(0, 2**32).map(Random))
def test_who_sits_there_sees_only_their_own(memory: Callable[[], Store], sittings: list[Any], chance: Random) -> None:
    """Day after day."""
    hold(memory, sittings, chance)


@pytest.mark.long
@settings(max_examples=50 * SEQUENCES)
@given(SITTINGS, st.integers(0, 2**32).map(Random))
def test_who_sits_there_sees_only_their_own_for_years(
    memory: Callable[[], Store], sittings: list[Any], chance: Random
) -> None:
    """The same, for minutes."""
    hold(memory, sittings, chance)


@settings(max_examples=SEQUENCES)
@given(st.data())
def test_no_profile_shows_what_is_anothers(
    strategies: ModuleType, memory: Callable[[], Store], data: st.DataObject
) -> None:
    """Whatever was said, of whomever, in whatever order."""
    said: list[Message] = data.draw(strategies.messages(12))
    store = memory()
    for message in said:
        store.apply(changes(message))
    for visitor in ("v1", "v2"):
        profile = read_profile(store, visitor)
        for value in profile.traits.values():
            owner = value.partition("!")[0]
            assert owner == profile.user_id or owner[0] in "av", (profile, owner)
        assert device_values(profile) <= of_devices_of_one_user(said, profile)


def device_values(profile: Profile) -> set[tuple[str, str]]:
    """Traits of a device that a profile shows, by name and value."""
    return {(name, value) for name, value in profile.traits.items() if value[0] in "av"}


def of_devices_of_one_user(said: list[Message], profile: Profile) -> set[tuple[str, str]]:
    """Traits that were set on a device to which no other user than this one was linked since it was last deleted."""
    left: set[tuple[str, str]] = set()
    of_all = [change for other in said for change in changes(other)]
    for message in said:
        if message.user_id is None and message.anonymous_id is not None:
            device = key("anonymous", message.anonymous_id)
            here = [change for change in of_all if change.key == device]
            deleted_ms = max((change.time_ms for change in here if change.deletes), default=-1)
            others = {change.links["user"] for change in here if "user" in change.links and change.time_ms > deleted_ms}
            if others <= {profile.user_id}:
                left |= {(name, value) for name, value in message.traits.items() if value is not None}
    return left
