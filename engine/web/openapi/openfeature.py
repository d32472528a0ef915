"""What is said of OFREP's addresses, at which any OpenFeature SDK asks: an experience is a flag.

What lives here: operations, the schema of an evaluation context. What may not: what a context means
(`engine.web.ofrep.context`).

1. A context is read member by member, so its schema is written by hand. Whatever it does not name is a trait.
2. Under the names of page, visit and device anything that is no object is a trait like any other.
3. The examples are answered so by the rules in `rules/` and the visitors of `mutiny-edge demo`.
"""

from typing import Final

from engine import limits
from engine.decide.flags import Flag
from engine.web.ofrep import addresses as ofrep
from engine.web.ofrep.context import HOOKS
from engine.web.ofrep.evaluate import FlagList
from engine.web.openapi import decisions
from engine.web.openapi.operation import JSON, Answer, Example, Json, Operation, Operations, Parameter, ref
from engine.web.openapi.schemas import Over

TAG: Final = "OpenFeature"
KEY: Final = "homepage-industry"
SINGLE: Final = ofrep.SINGLE.replace(":path}", "}")

OVER: Final = {
    "Flag": Over(
        ("key", "reason", "variant", "metadata"),
        {
            "key": {"description": "The key of the experience."},
            "variant": {"description": "The key of the variant, or `control`; empty where nothing matched."},
            "value": {
                "description": "The same; left out where nothing matched: the default in the code stands.",
                "type": "string",
            },
            "metadata": {
                "description": "`experience`, `audienceSegment` and `personalized` are what the tracking call says, "
                "and are there together or not at all; `version` is the ruleset's."
            },
        },
    ),
}
_FOR_HOOKS: Final[Json] = {"description": "For hooks of your own, which send under it what was seen; no trait."}
_TEXT: Final[Json] = {"type": ["string", "null"]}
_NO_OBJECT: Final[Json] = {"type": ["string", "number", "boolean", "array", "null"], "items": {}}
_URL: Final[Json] = {"anyOf": [ref("PageUrl"), {"type": "null"}]}
_COUNT: Final[Json] = {"type": ["integer", "null"], "minimum": 0, "maximum": 2**63 - 1}
_MEMBERS: Final[dict[str, Json]] = {
    "url": _URL,
    "referrer": _TEXT,
    "page": {"anyOf": [ref("ContextPage"), _NO_OBJECT]},
    "visit": {"anyOf": [ref("Visit"), _NO_OBJECT]},
    "device": {"anyOf": [ref("Device"), _NO_OBJECT]},
    "page.url": _URL,
    "page.referrer": _TEXT,
    "page.title": _TEXT,
    "visit.count": _COUNT,
    "visit.first_seen": {"anyOf": [{"type": "string", "format": "date-time"}, {"type": "null"}]},
    "visit.new": {"type": ["boolean", "null"]},
    "device.type": _TEXT,
    "device.language": _TEXT,
}
COMPONENTS: Final[dict[str, Json]] = {
    "EvaluationContext": {
        "description": "Who is meant, which page, and what else is known of them: any further member is a trait. Page, "
        "visit and device are said as in `/v1/decide`, as objects or member by member. Of what is said twice the "
        "fullest name counts (`page.url`, else `url`, else `page`), and only that is looked at.",
        "type": "object",
        "properties": {"targetingKey": ref("VisitorId"), HOOKS: _FOR_HOOKS, **_MEMBERS},
        "additionalProperties": True,
        "required": ["targetingKey"],
    },
    "Evaluation": {
        "type": "object",
        "properties": {"context": ref("EvaluationContext")},
        "required": ["context"],
    },
    "ContextPage": {
        "description": "The page, which need not be said.",
        "type": "object",
        "properties": {"url": _URL, "referrer": _TEXT, "title": _TEXT},
    },
    "StreamEvent": {
        "description": "One event of the stream; `data` is JSON.",
        "type": "object",
        "properties": {
            "id": {
                "description": "The version of the rules, and when an experience last began or ended.",
                "type": "string",
            },
            "data": {"type": "string", "contentMediaType": JSON, "contentSchema": ref("RulesChanged")},
            "retry": {"description": "Milliseconds before one comes back.", "type": "integer"},
        },
    },
    "RulesChanged": {
        "type": "object",
        "properties": {
            "type": {"const": "refetchEvaluation"},
            "etag": {"description": "The version of the rules that decide.", "type": "string"},
            "lastModified": {
                "description": "Since when they decide as they do, in seconds since 1970.",
                "type": "integer",
            },
        },
        "required": ["type", "etag", "lastModified"],
    },
}
_REFUSES: Final = (
    *("not-json", "wrong-type", "missing-visitor-id", "bad-visitor-id", "bad-url", "bad-traits"),
    "unsupported-media-type",
)
_CONTEXT: Final = {"context": {"targetingKey": "ada", "url": decisions.URL}}
_VERSION: Final = "dfd0de1a"
_FLAG: Final = {
    "key": KEY,
    "reason": "SPLIT",
    "variant": "speed",
    "value": "speed",
    "metadata": {
        "experience": "Homepage by Industry",
        "audienceSegment": "Fintech",
        "personalized": True,
        "version": _VERSION,
    },
}
_OTHERS: Final = [
    {"key": key, "reason": "DEFAULT", "variant": "", "metadata": {"version": _VERSION}}
    for key in ("homepage-customer", "homepage-known-company", "homepage-returning")
]
_STREAM: Final = {"type": "sse", "endpoint": {"requestUri": f"{ofrep.CHANGES}?{ofrep.RULESET}={_VERSION}"}}
_FLAGS: Final = {
    "flags": [_OTHERS[0], _FLAG, *_OTHERS[1:]],
    "metadata": {"version": _VERSION},
    "eventStreams": [_STREAM],
}

OPERATIONS: Final[Operations] = {
    ("POST", ofrep.ALL): Operation(
        "evaluateFlags",
        "flags",
        TAG,
        "Evaluate every flag that a page has",
        "Every experience of the page as a flag. With `url` it is the decision that `/v1/decide` makes; without one, "
        "every experience is taken to have the page. The entity tag is a hash over the answer itself, so 304 says that "
        "nothing has changed, neither the rules nor what they make of the visitor.",
        {
            200: Answer("Every flag.", FlagList, headers={"ETag": decisions.ETAG}),
            304: Answer("It is what `If-None-Match` names.", headers={"ETag": decisions.ETAG}),
        },
        (
            decisions.IF_NONE_MATCH,
            Parameter(
                ofrep.TOLD_OF,
                "query",
                {"type": "string"},
                "The `etag` of the event that one was told of: the answer waits a moment for those rules.",
            ),
        ),
        body="Evaluation",
        media_types=decisions.MEDIA_TYPES,
        examples=(
            Example(
                "flags",
                "Every flag of a page",
                _FLAGS,
                _CONTEXT,
            ),
        ),
        refuses=(*_REFUSES, "bad-query"),
    ),
    ("POST", SINGLE): Operation(
        "evaluateFlag",
        "flags",
        TAG,
        "Evaluate one flag",
        "One experience by its key. Programs ask here, so nothing of their own headers is taken for the visitor's.",
        {200: Answer("The flag.", Flag)},
        (
            Parameter(
                "key",
                "path",
                {"type": "string", "minLength": 1, "maxLength": limits.KEY_CHARS},
                "The key of an experience.",
                is_required=True,
                example=KEY,
            ),
        ),
        body="Evaluation",
        media_types=decisions.MEDIA_TYPES,
        examples=(Example("flag", "One flag of a visitor", _FLAG, _CONTEXT),),
        refuses=(*_REFUSES, "not-found"),
    ),
    ("GET", ofrep.CHANGES): Operation(
        "flagChanges",
        "flags",
        TAG,
        "Be told when the rules change",
        "Server-sent events, for as long as one likes to listen: `refetchEvaluation` as soon as other rules decide, or "
        "an experience begins or ends by its `schedule`. The list of flags says where to find it.",
        {200: Answer("A stream of events.", "StreamEvent", ("text/event-stream",))},
        (
            Parameter(
                ofrep.RULESET,
                "query",
                {"type": "string"},
                "The rules that one knows; if others decide, one is told at once.",
            ),
            Parameter("Last-Event-ID", "header", {"type": "string"}, "The last event that one saw, which counts more."),
        ),
        refuses=("bad-query", "too-many-requests"),
    ),
}
