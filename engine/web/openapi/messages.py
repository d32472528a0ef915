"""The schemas of what Segment's libraries send. Their members are read one by one (`engine.segment.fields`), and much
is forgiven, so no struct says what is taken; these do.

What lives here: one schema a call, of batches and of what webhooks bring. What may not: numbers of their own.

1. Null is absent. An id is text or a number; some stand for nobody (`engine.segment.fields`), and are as good as
   absent.
2. An object may also be an empty list: PHP has one literal for both.
3. A schema counts characters, and the service bytes: how long an id may be is said in words as well. So is what a
   schema cannot say at all: that what does not count is not looked at.
4. Whatever else stands in a message is kept. What is too large, or nested too deeply, is refused (`engine.limits`).
"""

from typing import Final

from engine import limits
from engine.segment.fields import PLACEHOLDERS
from engine.segment.message import VISITOR_TRAIT
from engine.web.openapi.operation import Json, ref

_AN_ID: Final = f"An id: text, or a number that a double can hold, made text; at most {limits.ID_BYTES} bytes."
_TEXT_OR_NUMBER: Final[Json] = {
    "description": _AN_ID,
    "type": ["string", "number", "null"],
    "maxLength": limits.ID_BYTES,
}
_EMPTY_LIST: Final[Json] = {"type": "array", "items": {}, "maxItems": 0}
_MOMENT: Final[Json] = {"description": "In ISO 8601, or milliseconds since 1970."}
_EXAMPLE_MOMENT: Final = "2026-11-25T09:30:00.000Z"


def _any_case(word: str) -> str:
    """A pattern of this word, in small and capital letters."""
    return "".join(f"[{c.lower()}{c.upper()}]" if c.isalpha() else c for c in word)


_STANDS_FOR_NOBODY: Final = f"^([0-]*|{'|'.join(map(_any_case, sorted(PLACEHOLDERS)))})$"

ID: Final[Json] = {
    "description": (
        f"{_AN_ID} What stands for nobody (nothing but zeroes and hyphens, "
        f"{', '.join(f'`{word}`' for word in sorted(PLACEHOLDERS))}) is none."
    ),
    "type": ["string", "number"],
    "minLength": 1,
    "maxLength": limits.ID_BYTES,
    "not": {"anyOf": [{"pattern": _STANDS_FOR_NOBODY, "type": "string"}, {"enum": [0, -1]}]},
}
MAP: Final[Json] = {
    "description": "An object; an empty list is taken for an empty one.",
    "anyOf": [
        {"type": "object", "additionalProperties": True},
        _EMPTY_LIST,
        {"type": "null"},
    ],
}
CONTEXT: Final[Json] = {
    "description": "Where and how it happened. `traits` in it are the person's, `groupId` their account. Where an "
    "identify has traits of its own, or a group its `groupId`, those in here are not looked at.",
    "anyOf": [
        {
            "type": "object",
            "properties": {"traits": ref("SegmentMap"), "groupId": _TEXT_OR_NUMBER},
            "additionalProperties": True,
        },
        _EMPTY_LIST,
        {"type": "null"},
    ],
}
_ALL: Final[Json] = {
    "context": ref("SegmentContext"),
    "integrations": {
        "description": 'Whom it is for: `{"Mutiny": false}`, or `{"All": false}` without `Mutiny`, is not kept here.',
        "anyOf": MAP["anyOf"],
    },
    "messageId": {
        **_TEXT_OR_NUMBER,
        "description": f"The same id again is the same message again; at most {limits.ID_BYTES} bytes.",
    },
    "timestamp": {**_MOMENT, "examples": [_EXAMPLE_MOMENT]},
    "sentAt": _MOMENT,
    "writeKey": {
        "description": "The source's key, where it does not stand in `Authorization`.",
        "type": ["string", "null"],
    },
}
_PERSON: Final[Json] = {"userId": _TEXT_OR_NUMBER, "anonymousId": _TEXT_OR_NUMBER}
_NAMES_PERSON: Final = [
    {"required": ["userId"], "properties": {"userId": ref("SegmentId")}},
    {"required": ["anonymousId"], "properties": {"anonymousId": ref("SegmentId")}},
]


def _of_person(says: str, own: Json, required: tuple[str, ...] = ()) -> Json:
    """A message that names a person."""
    more = {"required": list(required)} if required else {}
    return {
        "description": f"{says} Names a person by `userId`, `anonymousId` or both.",
        "type": "object",
        "properties": {**_PERSON, **own, **_ALL},
        "additionalProperties": True,
        **more,
        "anyOf": _NAMES_PERSON,
    }


def _group() -> Json:
    members = {"groupId": ref("SegmentId"), "traits": ref("SegmentMap"), **_PERSON, **_ALL}
    return {
        "description": "Somebody belongs to an account, and this is known of it; nobody need be named.",
        "type": "object",
        "properties": members,
        "additionalProperties": True,
        "required": ["groupId"],
    }


def _alias() -> Json:
    members = {"previousId": ref("SegmentId"), "userId": ref("SegmentId"), **_ALL}
    return {
        "description": "Whoever was known under `previousId` is `userId` from now on.",
        "type": "object",
        "properties": members,
        "additionalProperties": True,
        "required": ["previousId", "userId"],
    }


_TRAITS: Final[Json] = {
    "traits": {
        "description": f"What is known of them; null removes a trait. `{VISITOR_TRAIT}` links them to a visitor.",
        "anyOf": MAP["anyOf"],
    }
}
_PROPERTIES: Final[Json] = {"properties": ref("SegmentMap")}
_EVENT: Final[Json] = {"description": "The event's name.", "type": "string", "pattern": "\\S"}

MESSAGES: Final[dict[str, Json]] = {
    "identify": _of_person("Who somebody is, and what is known of them.", _TRAITS),
    "track": _of_person("Something that somebody did.", {"event": _EVENT, **_PROPERTIES}, ("event",)),
    "page": _of_person("Somebody viewed a page.", _PROPERTIES),
    "screen": _of_person("Somebody viewed a screen of an app.", _PROPERTIES),
    "group": _group(),
    "alias": _alias(),
}


def name_of_message(call: str) -> str:
    """The component of the messages of this call: `TrackMessage`."""
    return "SegmentBatch" if call in {"batch", "import"} else f"{call.capitalize()}Message"


def _typed(call: str) -> Json:
    """A message that says by itself what it is."""
    return {"allOf": [ref(name_of_message(call)), {"required": ["type"], "properties": {"type": {"const": call}}}]}


def _deletion() -> Json:
    return {
        "description": "Somebody is to be forgotten.",
        "type": "object",
        "properties": {"type": {"const": "delete"}, "userId": ref("SegmentId"), **_ALL},
        "required": ["type", "userId"],
    }


def components() -> dict[str, Json]:
    """All of them, by the names of the components."""
    batch: Json = {
        "description": f"At most {limits.BATCH_MESSAGES:,} messages. `context`, `integrations` and `sentAt` are said "
        "for all of them.",
        "type": "object",
        "properties": {
            "batch": {"type": "array", "maxItems": limits.BATCH_MESSAGES, "items": ref("SegmentMessage")},
            **{name: _ALL[name] for name in ("context", "integrations", "sentAt", "writeKey")},
        },
        "required": ["batch"],
    }
    events: Json = {"oneOf": [ref("SegmentMessage"), ref("SegmentDeletion")]}
    return {
        "SegmentId": ID,
        "SegmentMap": MAP,
        "SegmentContext": CONTEXT,
        **{name_of_message(call): schema for call, schema in MESSAGES.items()},
        "SegmentMessage": {"oneOf": [_typed(call) for call in MESSAGES]},
        "SegmentBatch": batch,
        "SegmentDeletion": _deletion(),
        "SegmentDelivery": {
            "description": "One event, or a list with one.",
            "oneOf": [*events["oneOf"], {"type": "array", "items": events, "minItems": 1}],
        },
    }
