"""What is said of the addresses that Segment's libraries and webhooks send to.

What lives here: operations, an example of each. What may not: what a message holds (`messages.py`).

1. Each call has two addresses, of which browsers and phones use the short one; the table of them is
   `engine.web.ingest.INGEST`.
2. The write key stands in `Authorization: Basic`, or in the body, so the scheme may be left out.
3. `/v1/webhook/{source}` shows by a signature that it was Segment who sent.
4. Examples are sent by hand, and changed, and sent again: a fixed time would make a second value never count, a fixed
   id a second message. So only one holds both, of what happened in the past.
"""

from collections.abc import Mapping
from typing import Final

from engine import limits
from engine.segment.envelope import BATCHES
from engine.segment.reasons import REASONS
from engine.web.ingest import INGEST, METRICS, SETTINGS, WEBHOOK
from engine.web.openapi.messages import name_of_message
from engine.web.openapi.operation import Answer, Example, Json, Operation, Operations, Parameter
from engine.web.openapi.shapes import LibrarySettings, Success

TAG: Final = "Segment"
WRITE_KEY: Final = "writeKey"
SIGNATURE: Final = "signature"

_SUMMARIES: Final[Mapping[str, str]] = {
    "identify": "Say who somebody is",
    "track": "Say what somebody did",
    "page": "Say that a page was viewed",
    "screen": "Say that a screen of an app was viewed",
    "group": "Say which account somebody belongs to",
    "alias": "Say that two ids are one person",
    "batch": "Send many messages at once",
    "import": "Send many messages of the past at once",
}
_PERSON: Final = {"anonymousId": "5f0c9a", "userId": "u-4711"}
_IDENTIFY: Final = {**_PERSON, "traits": {"firstName": "Ada", "employees": 120}}
_TRACK: Final = {**_PERSON, "event": "Signed Up", "properties": {"plan": "team"}}
_BODIES: Final[Mapping[str, Json]] = {
    "identify": _IDENTIFY,
    "track": _TRACK,
    "page": {**_PERSON, "properties": {"url": "https://www.example.com/", "title": "Acme"}},
    "screen": {**_PERSON, "name": "Pricing", "properties": {}},
    "group": {**_PERSON, "groupId": "owlworks", "traits": {"name": "Owlworks", "seats": 50}},
    "alias": {"previousId": "5f0c9a", "userId": "u-4711"},
    "batch": {"batch": [{"type": "identify", **_IDENTIFY}, {"type": "track", **_TRACK}]},
    "import": {"batch": [{"type": "track", **_TRACK}]},
}
_ANSWER: Final[Json] = {"success": True}
_OF_THE_PAST: Final = Example(
    "timed",
    "With what libraries add: an id, by which the same message counts once, and when it happened",
    _ANSWER,
    {
        "batch": [
            {
                "type": "track",
                **_TRACK,
                "messageId": "ajs-next-1732528200000-5e1f",
                "timestamp": "2026-11-25T09:30:00.000Z",
            }
        ]
    },
)
_TAKEN: Final = {200: Answer("At least one message is acceptable, and it is on the disk.", Success)}
_BUSY: Final = ("too-busy", "storage-trouble")
_UNSIGNED: Final = ("bad-signature", "unsigned-events")
_SETTINGS_ONLY: Final = ("bad-host",)
_REASONS: Final = tuple(code for code in REASONS if code not in {*_UNSIGNED, *_SETTINGS_ONLY})
_KEPT: Final = (
    f"A message has at most {limits.MESSAGE_BYTES:,} bytes, a request {limits.BATCH_BYTES:,}; it may be packed by gzip "
    "(`Content-Encoding: gzip`). A message that is not acceptable is kept with the reason (`mutiny-edge rejected`)"
)
_JSON_AS: Final = ("application/json", "text/plain")


def _call(path: str, call: str) -> Operation:
    """What is said of an address where libraries send this call."""
    is_short = not path.endswith(f"/{call}")
    where = "The short address of it, as browsers and phones use it. " if is_short else ""
    many = ", and is refused only where none is acceptable." if call in BATCHES else "."
    return Operation(
        f"{call}Short" if is_short else "importMessages" if call == "import" else call,
        "source",
        TAG,
        f"{_SUMMARIES[call]} (short address)" if is_short else _SUMMARIES[call],
        f"{where}{_KEPT}{many}",
        _TAKEN,
        body=name_of_message(call),
        media_types=_JSON_AS,
        examples=(
            Example(call, _SUMMARIES[call], _ANSWER, _BODIES[call]),
            *((_OF_THE_PAST,) if call == "import" else ()),
        ),
        refuses=("bad-write-key", *_REASONS, *_BUSY),
        security=(WRITE_KEY, ""),
    )


OPERATIONS: Final[Operations] = {
    **{("POST", path): _call(path, call) for path, call in INGEST.items()},
    ("POST", METRICS): Operation(
        "libraryMetrics",
        "source",
        TAG,
        "Take the browser library's own metrics",
        "Nobody here reads them; the library is told that they arrived.",
        {200: Answer("They arrived.", Success)},
        body="Anything",
        may_be_empty=True,
        media_types=_JSON_AS,
    ),
    ("POST", f"{WEBHOOK}{{source}}"): Operation(
        "webhook",
        "source",
        TAG,
        "Take what Segment sends as the hub",
        "Segment's webhook destination, with the secret that the source shares with it (`mutiny-edge sources`). Of a "
        "list only the first event is signed, so a list holds one, unless the service was told to believe the rest "
        "(`--webhook-batches`).",
        _TAKEN,
        (
            Parameter(
                "source",
                "path",
                {"type": "string", "minLength": 1},
                "The source's name, as `mutiny-edge sources list` shows it.",
                is_required=True,
                example="www",
            ),
        ),
        body="SegmentDelivery",
        media_types=_JSON_AS,
        examples=(Example("event", "One event", _ANSWER, {"type": "track", **_TRACK}),),
        refuses=(*_UNSIGNED, *_REASONS, *_BUSY),
        security=(SIGNATURE,),
    ),
    ("GET", f"{SETTINGS}{{key}}/settings"): Operation(
        "librarySettings",
        "source",
        TAG,
        "Tell analytics.js where to send",
        "The browser library asks for this before it sends; it is pointed here by `cdnURL`.",
        {200: Answer("Send here.", LibrarySettings)},
        (
            Parameter(
                "key",
                "path",
                {"type": "string", "minLength": 1},
                "The source's write key.",
                is_required=True,
                example="YOUR_WRITE_KEY",
            ),
        ),
        refuses=("not-found", "storage-trouble", *_SETTINGS_ONLY),
    ),
}
COMPONENTS: Final[dict[str, Json]] = {"Anything": {"description": "Any JSON."}}
SECURITY: Final[dict[str, Json]] = {
    WRITE_KEY: {
        "type": "http",
        "scheme": "basic",
        "description": "The source's write key as the user, without a password. It may stand in the body instead "
        "(`writeKey`), or in both and then is the same.",
    },
    SIGNATURE: {
        "type": "apiKey",
        "in": "header",
        "name": "X-Signature",
        "description": "The HMAC-SHA1 of the event's JSON text under the source's secret, in hexadecimal digits.",
    },
}
