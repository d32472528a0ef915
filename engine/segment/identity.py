"""From a message to what it changes: whose traits, whose links, and that names were seen. Pure.

What lives here: the rules of who is meant. What may not: how changes merge (`profiles.record`), reading messages
(`message`), values.

1. The person of a message is its user, or else its anonymous id. Traits and the link to a group are theirs.
2. A userId beside an anonymousId, in any message, links the two; so does an alias. `mutinyVisitorId` links the visitor
   to the anonymous id, or to the user where a server sends it without one. Both ways of arrival are the same: links are
   followed when a profile is read.
3. Account traits are the group's. A deletion deletes what it names; who else is meant, `deletion` finds out.
4. A *sighting* says of a trait, an account trait or an event that this name was seen, when and from which source:
   changes of records of the kind `name`. Times are whole hours, so that a name is written some times a day and not with
   every event. What was first seen stands under its time negated: newest wins, so the earliest does. Values never go
   there, and a removed trait is no sighting of it. A name too long for a key is not noted.
5. A source is seen with every message, by the minute in which it came; a visitor id that is none, as `unusable`.
"""

from functools import lru_cache
from typing import Any, Final

from engine.limits import SIGHTINGS
from engine.profiles.ids import BadId, Key, key
from engine.profiles.record import Change, LinkName
from engine.segment.message import VISITOR_TRAIT, Message

_HOUR_MS: Final = 3_600_000
_MINUTE_MS: Final = 60_000


def changes(message: Message) -> list[Change]:
    """What this message says of whom."""
    if message.type == "delete":
        return [Change(meant(message), message.time_ms, origin=_origin(message), deletes=True)]
    time, origin = message.time_ms, _origin(message)
    made = [Change(holder, time, links={name: id_}, origin=origin) for holder, name, id_ in _links(message)]
    person = person_of(message)
    if person is not None and (message.traits or message.group_id is not None):
        group: dict[LinkName, str] = {} if message.group_id is None else {"group": message.group_id}
        made.append(Change(person, time, message.traits, group, origin))
    if message.type == "group" and message.group_id is not None and message.account_traits:
        made.append(Change(key("group", message.group_id), time, message.account_traits, origin=origin))
    return made


def meant(message: Message) -> Key:
    """Whom a deletion names."""
    return identities(message)[0] if message.group_id is None else key("group", message.group_id)


def person_of(message: Message) -> Key | None:
    """Whose traits a message has: the user's, or else the anonymous id's."""
    if message.user_id is not None:
        return key("user", message.user_id)
    return None if message.anonymous_id is None else key("anonymous", message.anonymous_id)


def identities(message: Message) -> list[Key]:
    """All who are named in a message, the user first; accounts are nobody."""
    named: list[Key] = []
    if message.user_id is not None:
        named.append(key("user", message.user_id))
    if message.anonymous_id is not None:
        named.append(key("anonymous", message.anonymous_id))
    if message.type == "alias" and message.previous_id is not None:
        named.append(key("anonymous", message.previous_id))
    if message.visitor_id is not None:
        named.append(key("visitor", message.visitor_id))
    return named


def sightings(message: Message) -> list[Change]:
    """The names that this message shows; equal ones, of one source and hour, are the same objects, as a rule."""
    source, hour = message.source, message.time_ms // _HOUR_MS * _HOUR_MS
    made = [*_sighting("source:", source, source, message.received_ms // _MINUTE_MS * _MINUTE_MS)]
    if message.event is not None:
        made += _sighting("event:", message.event, source, hour)
    if message.visitor_id is not None and message.type != "delete":
        made += _sighting("trait:", VISITOR_TRAIT, source, hour)
    if message.is_linkless:
        made += _sighting("unusable:", VISITOR_TRAIT, source, hour)
    for of, traits in (("trait:", message.traits), ("account:", message.account_traits)):
        for name, value in traits.items():
            if value is not None:
                made += _sighting(of, name, source, hour)
    return made


def _links(message: Message) -> list[tuple[Key, LinkName, str]]:
    """Who is linked to whom: the record that holds the link, its name, the id."""
    user, anonymous, visitor = message.user_id, message.anonymous_id, message.visitor_id
    previous = message.previous_id if message.type == "alias" else None
    links: list[tuple[Key, LinkName, str]] = []
    if user is not None and anonymous is not None:
        links.append((key("anonymous", anonymous), "user", user))
    if user is not None and previous is not None and previous not in {user, anonymous}:
        links.append((key("anonymous", previous), "user", user))
    if visitor is not None and anonymous is not None:
        links.append((key("visitor", visitor), "anonymous", anonymous))
    elif visitor is not None and user is not None:
        links.append((key("visitor", visitor), "user", user))
    return links


def _origin(message: Message) -> str:
    return f"{message.source} {message.type}"


@lru_cache(SIGHTINGS)
def _sighting(of: str, name: str, source: str, hour: int) -> tuple[Change, ...]:
    try:
        key_ = key("name", of + name)
    except BadId:
        return ()
    seen: dict[str, Any] = {"last": hour, f"source:{source}": True}
    return Change(key_, -hour, {"first": hour}), Change(key_, hour, seen, origin=source)
