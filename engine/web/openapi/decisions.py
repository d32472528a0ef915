"""What is said of `/v1/decide` and of the scripts that ask there.

What lives here: operations, the shape of a question, an example of each answer. What may not: what only admins ask.

1. A body is decoded into `ask.Said`, where everything may be missing; `OVER` says what `ask` then insists on. The query
   of a GET is read by hand, and means the same.
2. The examples are answered so by the rules in `rules/` and the visitors of `mutiny-edge demo`.
"""

from collections.abc import Mapping
from typing import Final

from engine import limits
from engine.profiles.ids import VISITOR_ID_PATTERN
from engine.web.openapi.operation import Answer, Example, Json, Operation, Operations, Parameter, ref
from engine.web.openapi.schemas import Over
from engine.web.openapi.shapes import Decision

TAG: Final = "Decisions"
URL: Final = "https://www.example.com/"

VISITOR_ID: Final[Json] = {
    "description": "The visitor's first-party cookie.",
    "type": "string",
    "pattern": f"^{VISITOR_ID_PATTERN}$",
    "minLength": 1,
    "maxLength": limits.VISITOR_ID_CHARS,
    "examples": ["ada"],
}
PAGE_URL: Final[Json] = {
    "description": "An absolute http or https URL, as browsers show it.",
    "type": "string",
    "format": "uri",
    "pattern": "^[Hh][Tt][Tt][Pp][Ss]?://",
    "maxLength": limits.URL_CHARS,
    "examples": [URL],
}
_PREVIEW: Final = "The token of a preview link (`mutiny-edge preview`): the answer is what that link shows."
_TOKEN: Final[Json] = {"type": "string", "format": "preview-token"}
OVER: Final[Mapping[str, Over]] = {
    "DecisionRequest": Over(
        ("visitorId", "page"),
        {
            "visitorId": ref("VisitorId"),
            "page": ref("Page"),
            "traits": {
                "description": "What the page itself knows of its visitor; what is stored counts more. At most "
                f"{limits.VALUE_MEMBERS:,} members in all, nested at most {limits.VALUE_DEPTH} deep."
            },
            "preview": {**_TOKEN, "type": ["string", "null"], "description": _PREVIEW},
        },
    ),
    "Page": Over(("url",), {"url": ref("PageUrl")}),
    "Visit": Over(
        properties={
            "count": {"description": "Which visit this is: 1 is the first."},
            "first_seen": {"description": "When the first visit was, with its time zone."},
            "new": {"description": "Is it the first?"},
        }
    ),
    "Device": Over(
        properties={
            "type": {"description": "`desktop`, `mobile`, `tablet` or `bot`; by itself what the headers say."},
            "language": {"description": "By itself the first one of `Accept-Language`."},
        }
    ),
}
SAID: Final = {
    "DecisionRequest": "Who views what, and what the page knows of it.",
    "Page": "The page that is viewed.",
    "Visit": "The visit, as the page counts it.",
    "Device": "The device, where the page knows better than the headers.",
}

_PROPERTIES: Final[Json] = {"experience": "Homepage by Industry", "audienceSegment": "Fintech", "personalized": True}
_CHANGES: Final = [
    {"selector": "#hero h1", "text": "Books closed before lunch at Northbank"},
    {
        "selector": "#hero",
        "classes": {"add": ["bold"], "remove": ["calm"]},
        "style": {"background-color": "#123524"},
    },
]


def _entry(*, personalized: bool) -> Json:
    properties = {**_PROPERTIES, "personalized": personalized}
    shown: Json = {"variant": "speed", "changes": _CHANGES} if personalized else {"variant": None, "changes": []}
    return {**properties, **shown, "track": {"event": "Mutiny Experience Viewed", "properties": properties}}


def _decision(visitor_id: str, *entries: Json) -> Json:
    return {"visitorId": visitor_id, "ruleset": "dfd0de1a", "decisions": list(entries)}


PERSONALIZED: Final = Example(
    "personalized",
    "Somebody who sees a variant",
    _decision("ada", _entry(personalized=True)),
    {"visitorId": "ada", "page": {"url": URL}},
)
EXAMPLES: Final = (
    PERSONALIZED,
    Example(
        "control",
        "Somebody in the control group: tracked as well, and nothing changes",
        _decision("alan", _entry(personalized=False)),
        {"visitorId": "alan", "page": {"url": URL, "referrer": "", "title": "Acme"}, "visit": {"count": 2}},
    ),
    Example(
        "nothing",
        "Somebody of whom nothing is known, on a page without an experience for them",
        _decision("b5c9e0"),
        {"visitorId": "b5c9e0", "page": {"url": "https://www.example.com/imprint"}, "traits": {"employees": 12}},
    ),
)
REFUSES_BODY: Final = (
    *("not-json", "wrong-type", "missing-visitor-id", "bad-visitor-id", "missing-url", "bad-url", "bad-traits"),
    "unsupported-media-type",
)
REFUSES_QUERY: Final = ("missing-visitor-id", "bad-visitor-id", "missing-url", "bad-url", "bad-query")
_PREVIEWS: Final = ("bad-preview", "preview-expired")
MEDIA_TYPES: Final = ("application/json", "text/plain")
QUERY: Final = (
    Parameter("visitorId", "query", ref("VisitorId"), "Who views the page.", is_required=True, example="ada"),
    Parameter("url", "query", ref("PageUrl"), "The page that is viewed.", is_required=True, example=URL),
    Parameter("referrer", "query", {"type": "string"}, "Where the visitor came from."),
    Parameter("title", "query", {"type": "string"}, "The page's title."),
)
_ANSWERS: Final = {200: Answer("What applies, in the order in which it is to be applied.", Decision)}
_SCRIPT: Final = {"type": "string"}
_UNCHANGED: Final = Answer("It is what `If-None-Match` names.")
IF_NONE_MATCH: Final = Parameter("If-None-Match", "header", {"type": "string"}, "The `ETag` of what is there already.")
ETAG: Final[Json] = {"description": "Names this version.", "schema": {"type": "string"}}


def _script(id_: str, summary: str, says: str) -> Operation:
    answer = Answer("The script.", "Script", ("text/javascript",), {"ETag": ETAG})
    version = Parameter(
        "v", "query", {"type": "string"}, "What the `ETag` holds: then browsers keep this version for ever."
    )
    return Operation(id_, "page", TAG, summary, says, {200: answer, 304: _UNCHANGED}, (version, IF_NONE_MATCH))


OPERATIONS: Final[Operations] = {
    ("POST", "/v1/decide"): Operation(
        "decide",
        "page",
        TAG,
        "Decide what a visitor sees on a page",
        "Asked on every page view, by the browser or by a server. Nothing is stored: what a visitor saw is counted "
        "when the page says so, by the tracking call in `track`.\n\n"
        f"The body is JSON, at most {limits.DECIDE_BODY_BYTES:,} bytes; as `text/plain` a browser sends it without "
        "asking for permission first (no CORS preflight).",
        _ANSWERS,
        body="DecisionRequest",
        media_types=MEDIA_TYPES,
        examples=EXAMPLES,
        refuses=(*REFUSES_BODY, *_PREVIEWS),
    ),
    ("GET", "/v1/decide"): Operation(
        "decideByQuery",
        "page",
        TAG,
        "Decide, asked by a query",
        "The same answer, for what can be said in a query.",
        _ANSWERS,
        (*QUERY, Parameter("preview", "query", _TOKEN, _PREVIEW)),
        examples=(Example("personalized", PERSONALIZED.summary, PERSONALIZED.answer),),
        refuses=(*REFUSES_QUERY, *_PREVIEWS),
    ),
    ("GET", "/client.js"): _script(
        "clientScript",
        "The browser client",
        "One script tag puts it on a website: it asks for decisions, applies them, and sends what Segment is told.",
    ),
    ("GET", "/preview.js"): _script(
        "previewScript", "What preview links show on a page", "The client loads it where the address is a preview link."
    ),
}
COMPONENTS: Final[dict[str, Json]] = {"VisitorId": VISITOR_ID, "PageUrl": PAGE_URL, "Script": _SCRIPT}
