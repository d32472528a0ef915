"""What is said of the addresses for admins: why somebody sees what they see, what was sent, what is known of whom.

What lives here: operations, examples in short. What may not: how a key is asked for (`engine.web.admin`).

1. They exist only where the service was given admin keys; else they are in no description either. That one shows a key
   is said of every operation for admins, by `document`.
2. Who may be asked about and who may be deleted are the kinds of `engine.web.profiles`.
"""

from collections.abc import Iterable
from typing import Final

from engine import limits
from engine.decide.explanation import Explanation
from engine.segment.erasure import Erased
from engine.web.openapi import decisions
from engine.web.openapi.known import Catalogue, KnownProfile
from engine.web.openapi.operation import Answer, Example, Json, Operation, Operations, Parameter
from engine.web.openapi.operation import ref as ref_to
from engine.web.openapi.schemas import Over
from engine.web.openapi.shapes import Change
from engine.web.profiles import KINDS, PEOPLE

TAG: Final = "Admin"
KEY: Final = "adminKey"
PROFILE: Final = "/v1/profiles/{kind}/{id}"

_MOMENT: Final[Json] = {"format": "date-time"}
OVER: Final = {
    "Explanation": Over(properties={"now": _MOMENT}),
    "ExperienceReasons": Over(properties={"start": _MOMENT, "end": _MOMENT}),
    "Erasure": Over(
        properties={
            "events": {"description": "Messages of the event log that are gone, or have lost what was theirs."},
            "rejected": {
                "description": "Rejected messages that are gone: all in which one of the ids stands, under any name."
            },
        }
    ),
    "Shown": Over(properties={"changes": {"type": "array", "items": ref_to(Change)}}),
}
_EXPLAINED: Final = {200: Answer("Every experience, in the order in which they were tried, and why.", Explanation)}
_TROUBLE: Final = "storage-trouble"


def _identity(kinds: Iterable[str]) -> tuple[Parameter, ...]:
    says = (
        f"The id: of a visitor 1 to {limits.VISITOR_ID_CHARS} of `A-Z a-z 0-9 . _ : -`, as in `/v1/decide`; of others "
        f"any text of at most {limits.ID_BYTES} bytes. What has a meaning in addresses is percent-encoded."
    )
    which: Json = {"type": "string", "enum": sorted(kinds)}
    id_: Json = {"type": "string", "minLength": 1, "maxLength": limits.ID_BYTES}
    return (
        Parameter("kind", "path", which, "What kind of identity it is.", is_required=True, example="visitor"),
        Parameter("id", "path", id_, says, is_required=True, example="ada"),
    )


OPERATIONS: Final[Operations] = {
    ("GET", "/v1/explain"): Operation(
        "explainByQuery",
        "admin",
        TAG,
        "Explain a decision, asked by a query",
        "The question of `/v1/decide`, answered with the reasoning.",
        _EXPLAINED,
        decisions.QUERY,
        refuses=decisions.REFUSES_QUERY,
    ),
    ("POST", "/v1/explain"): Operation(
        "explain",
        "admin",
        TAG,
        "Explain a decision",
        "The question of `/v1/decide`, answered with the reasoning: which experiences there are, which of their "
        "segments match and why, what was drawn. As `mutiny-edge explain --format json` prints it.",
        _EXPLAINED,
        body="DecisionRequest",
        media_types=decisions.MEDIA_TYPES,
        refuses=decisions.REFUSES_BODY,
    ),
    ("GET", "/v1/traits"): Operation(
        "traits",
        "admin",
        TAG,
        "List every trait and event that was sent",
        f"At most {limits.VISITORS_SAMPLED:,} people and as many accounts are looked at. As `mutiny-edge traits "
        "--format json` prints it.",
        {200: Answer("Every name, the most common first.", Catalogue)},
        refuses=(_TROUBLE,),
    ),
    ("GET", PROFILE): Operation(
        "profile",
        "admin",
        TAG,
        "Tell what is known of somebody, and from where",
        "Everything where this identity leads, with the origin of each value.",
        {200: Answer("What is known.", KnownProfile)},
        _identity(KINDS),
        refuses=("bad-id", "not-found", _TROUBLE),
    ),
    ("DELETE", PROFILE): Operation(
        "deleteProfile",
        "admin",
        TAG,
        "Forget somebody",
        "Removes the person behind this identity from the store and from the logs, and answers when nothing is left. "
        "It is in the audit log. What cannot be finished now (503) is finished by the service itself.\n\n"
        "Of a rejected message nobody can say whose it is, so each in which one of the person's ids stands is gone, "
        "wherever it stands, as text or as a number: a short id takes messages of others along.",
        {200: Answer("What is gone.", Erased)},
        _identity(PEOPLE),
        examples=(
            Example("visitor", "A visitor", {"identities": {"anonymous": 1, "visitor": 1}, "events": 0, "rejected": 0}),
        ),
        refuses=("bad-id", "not-found", _TROUBLE),
    ),
}
SECURITY: Final[dict[str, Json]] = {
    KEY: {
        "type": "http",
        "scheme": "bearer",
        "description": "A key of the service's `--admin-key-file`.",
    }
}
