"""What a message of Segment's says: the one form that everything behind this room reads. Pure.

What lives here: `Message`, `understood`, and what each type must name. What may not: what comes from it (`identity`),
what is only known while it arrives (`accept`).

1. A message is kept in the log as the JSON that was sent, with what `accept` adds: `messageId`, `type`, `timestamp`
   (when it happened, corrected), `originalTimestamp`, `sentAt`, `receivedAt`.
2. **`understood` reads that form, live and from the log alike**, so a replay says what was said. What it refuses has
   never been acknowledged.
3. identify, track, page and screen name a person (`userId` or `anonymousId`), group a group and mostly a person, alias
   two ids, track an event besides. An id that stands for nobody is none (`fields`).
4. The person's traits are identify's own, else those in `context.traits`; group's own are the account's. They are
   stored values (`profiles.values`); None says that the trait is removed. `mutinyVisitorId` is a link and no trait.
5. A deletion names a user by `userId`, as Segment has it, or any identity by `kind` and `id`, as we write it.
"""

from datetime import datetime
from hashlib import blake2b
from typing import Any, Final, Literal, TypeAlias, cast, get_args

import msgspec
import orjson
from msgspec import Struct

from engine.profiles.ids import BadId, is_visitor_id, key
from engine.profiles.record import time_ms
from engine.profiles.values import BadValue, normalise_traits
from engine.segment.fields import id_of, object_of, stands_for_nobody, text_of
from engine.segment.moments import moment_ms, within, written
from engine.segment.reasons import Unacceptable

Type: TypeAlias = Literal["identify", "track", "page", "screen", "group", "alias", "delete"]
Person: TypeAlias = Literal["visitor", "anonymous", "user"]
Deleted: TypeAlias = Literal["visitor", "anonymous", "user", "group"]

TYPES: Final[frozenset[str]] = frozenset(get_args(Type))
VISITOR_TRAIT: Final = "mutinyVisitorId"
_DELETED: Final[frozenset[str]] = frozenset(get_args(Deleted))

_FLOAT_MOST: Final = int(1.7976931348623157e308)  # what a double can hold
_NAMED: Final = {"previousId": "missing-previous-id", "userId": "missing-user-id", "groupId": "missing-group-id"}


class Message(Struct, frozen=True):
    """One message. `time_ms` is when it happened, `received_ms` when it came; `group_id` is of a group call, else of
    `context.groupId`; `body` is the JSON that the log keeps. `is_linkless`: it has a visitor id, and that is none."""

    type: Type
    time_ms: int
    received_ms: int
    source: str
    message_id: str
    anonymous_id: str | None = None
    user_id: str | None = None
    previous_id: str | None = None
    group_id: str | None = None
    visitor_id: str | None = None
    event: str | None = None
    traits: dict[str, Any] = {}
    account_traits: dict[str, Any] = {}
    body: bytes = b""
    is_linkless: bool = False


def understood(body: dict[str, Any], source: str, received_ms: int) -> Message:
    """What a message in its kept form says, live or from the log. Raises Unacceptable."""
    type_ = type_of(body)
    if type_ == "delete":
        return _deletion(body, source, received_ms)
    context = object_of(body, "context")
    own = object_of(body, "traits") if type_ in {"identify", "group"} else {}
    person = own if own and type_ == "identify" else object_of(context, "traits", "context.")
    object_of(body, "properties")
    traits = _stored(person, "traits")
    visitor_id = _visitor_id(traits.get(VISITOR_TRAIT))
    is_linkless = traits.pop(VISITOR_TRAIT, None) is not None and visitor_id is None
    message = Message(
        type_,
        _time(body, received_ms),
        received_ms,
        source,
        _message_id(body),
        id_of(body, "anonymousId"),
        id_of(body, "userId"),
        id_of(body, "previousId"),
        id_of(body if type_ == "group" else context, "groupId"),
        visitor_id,
        _event(body) if type_ == "track" else None,
        traits,
        _stored(own, "traits") if type_ == "group" else {},
        _kept(body),
        is_linkless,
    )
    _require_names(message, body)
    return message


def deletion(kind: Deleted, id_: str, source: str, now: datetime) -> Message:
    """The message that deletes one identity, or somebody's own account. Raises Unacceptable."""
    received_ms = time_ms(now)
    moment = written(received_ms)
    made = made_id(kind, id_, moment)
    body = {"type": "delete", "kind": kind, "id": id_, "messageId": made, "timestamp": moment, "receivedAt": moment}
    return understood(body, source, received_ms)


def made_id(*parts: str | bytes) -> str:
    """A messageId where none was sent: the same for the same parts, so that what is sent again is known again."""
    return blake2b(
        b"\0".join(part.encode() if isinstance(part, str) else part for part in parts), digest_size=16
    ).hexdigest()


def type_of(body: dict[str, Any]) -> Type:
    """The type of a message. Raises Unacceptable."""
    found: Any = body.get("type")
    if type(found) is str and found in TYPES:
        return found  # type: ignore[return-value]
    said = "the message has no type" if found is None else "the message's type is none that is known"
    raise Unacceptable("unknown-type", f"{said}; expected identify, track, page, screen, group or alias")


def _deletion(body: dict[str, Any], source: str, received_ms: int) -> Message:
    kind: Any = body.get("kind", "user")
    # As it was written by us it is taken as it stands: an import may have called somebody `null`.
    id_ = body.get("id") if "kind" in body else id_of(body, "userId")
    if type(id_) is not str or type(kind) is not str or kind not in _DELETED:
        raise Unacceptable("missing-user-id", "delete: expected the userId of who is to be deleted")
    if kind == "visitor" and not is_visitor_id(id_):
        raise Unacceptable("bad-id", "delete: the visitor id is none")
    try:
        key(cast("Deleted", kind), id_)
    except BadId as bad:
        raise Unacceptable("bad-id", f"delete: {bad}") from None
    # Not later than it came: what is set after somebody asked to be forgotten is told with consent.
    time = min(_time(body, received_ms), received_ms)
    ids: dict[str, Any] = {f"{kind}_id": id_}
    return Message("delete", time, received_ms, source, _message_id(body), **ids, body=_kept(body))


def _kept(body: dict[str, Any]) -> bytes:
    """The message as the log keeps it: JSON that any reader can read. Raises Unacceptable."""
    try:
        return orjson.dumps(body)
    except (
        orjson.JSONEncodeError
    ):  # a whole number beyond 64 bits: it is kept exactly, but not every reader knows infinity
        if _is_beyond_floats(body):
            raise Unacceptable("wrong-type", "a number is larger than any that can be stored") from None
        return msgspec.json.encode(body)


def _is_beyond_floats(value: Any) -> bool:
    if type(value) is int:
        return not -_FLOAT_MOST <= value <= _FLOAT_MOST
    inner = value.values() if type(value) is dict else value if type(value) is list else ()
    return any(map(_is_beyond_floats, inner))


def _time(body: dict[str, Any], received_ms: int) -> int:
    moment = moment_ms(body.get("timestamp"))
    return received_ms if moment is None else within(moment, received_ms)


def _message_id(body: dict[str, Any]) -> str:
    found = text_of(body, "messageId")
    if found is None:
        raise Unacceptable("bad-id", "messageId: missing from a message of the log")
    return found


def _event(body: dict[str, Any]) -> str:
    event = body.get("event")
    if type(event) is str and event.strip():
        return event
    raise Unacceptable("missing-event", "track: expected the event's name as text under event")


def _stored(traits: dict[str, Any], name: str) -> dict[str, Any]:
    try:
        return normalise_traits(traits)
    except BadValue as bad:
        raise Unacceptable("bad-traits", bad.within(name)) from None


def _visitor_id(value: Any) -> str | None:
    text = str(value) if type(value) is int else value
    return text if type(text) is str and is_visitor_id(text) and not stands_for_nobody(text) else None


def _require_names(message: Message, body: dict[str, Any]) -> None:
    """Raise Unacceptable where a name is missing that the type must have."""
    if message.type == "alias":
        _require(message.previous_id, "previousId", message, body)
        _require(message.user_id, "userId", message, body)
        return
    if message.type == "group":
        _require(message.group_id, "groupId", message, body)
    if message.user_id is None and message.anonymous_id is None:
        sent = [name for name in ("userId", "anonymousId") if text_of(body, name) is not None]
        if sent:
            raise _placeholder(message, " and ".join(sent))
        if message.type == "group":
            return  # who said so was deleted since (`deletion`), or a server speaks of the account alone
        raise Unacceptable("missing-person", f"{message.type}: expected a userId or an anonymousId")


def _require(found: str | None, name: str, message: Message, body: dict[str, Any]) -> None:
    if found is not None:
        return
    if text_of(body, name) is not None:
        raise _placeholder(message, name)
    raise Unacceptable(_NAMED[name], f"{message.type}: expected a {name}")


def _placeholder(message: Message, names: str) -> Unacceptable:
    return Unacceptable(
        "placeholder-id",
        f"{message.type}: {names}: stands for nobody, as null, undefined, anonymous, 0 and the like do",
    )
