"""What is said of the addresses for load balancers, and of the description itself.

What lives here: operations. What may not: what they answer.
"""

from typing import Final

from engine.web.openapi.decisions import ETAG, IF_NONE_MATCH
from engine.web.openapi.operation import Answer, Example, Json, Operation, Operations
from engine.web.openapi.shapes import Alive, Readiness

TAG: Final = "Service"
_UNCHANGED: Final = Answer("It is what `If-None-Match` names.", headers={"ETag": ETAG})

OPERATIONS: Final[Operations] = {
    ("GET", "/healthz"): Operation(
        "health",
        "anybody",
        TAG,
        "Say whether the process answers",
        "For whoever begins processes anew: it says nothing of what the service needs.",
        {200: Answer("It does.", Alive)},
        examples=(Example("alive", "It answers", {"ok": True}),),
    ),
    ("GET", "/readyz"): Operation(
        "readiness",
        "anybody",
        TAG,
        "Say whether visitors should be sent here",
        "For load balancers. It also says which rules decide, and why the newest do not, if they do not.",
        {
            200: Answer("Yes.", Readiness),
            503: Answer("No: it is ending, or has lost what it cannot do without.", Readiness),
        },
    ),
    ("GET", "/metrics"): Operation(
        "metrics",
        "admin",
        TAG,
        "Give figures to Prometheus",
        "What all workers have counted, as OpenMetrics where that is asked for, else as Prometheus' text.",
        {200: Answer("The figures.", "Figures", ("text/plain", "application/openmetrics-text"))},
    ),
    ("GET", "/openapi.json"): Operation(
        "description",
        "page",
        TAG,
        "This description",
        "OpenAPI 3.1. It describes what this service answers: addresses for admins only where it has admin keys.",
        {200: Answer("The description.", "Anything", headers={"ETag": ETAG}), 304: _UNCHANGED},
        (IF_NONE_MATCH,),
    ),
    ("GET", "/docs"): Operation(
        "documentation",
        "anybody",
        TAG,
        "This description, as a page",
        "Needs nothing but itself: it works offline, and without JavaScript.",
        {200: Answer("The page.", "Html", ("text/html",), {"ETag": ETAG}), 304: _UNCHANGED},
        (IF_NONE_MATCH,),
    ),
}
COMPONENTS: Final[dict[str, Json]] = {"Html": {"type": "string"}, "Figures": {"type": "string"}}
