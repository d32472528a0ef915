"""The reasoning of one decision as plain data: what `explain` gives, and what `--format json` and `/v1/explain` print.

What lives here: the frozen structs, how any value of a visitor becomes JSON, and the bytes. What may not: finding
out anything, and layout for people.

1. An `Explanation` holds `Reasons`, one an experience, in deciding order. Reasons hold `Tried`, one an audience; that
   holds the trees of its conditions (`Step`), and those the facts that were looked at (`Fact`) and, where something
   is unknown, why (`Cause`). Whoever matched has draws (`Draw`) and, if personalized, what was inserted (`Inserted`).
2. Words in `because`, `words` and `verdict` are for people and may be reworded; everything else is for programs.
3. Values stand whole; who prints them makes them short. Times are RFC 3339 text. What JSON cannot hold (half a
   character, a number without end) is text that comes near, since this is to be read and never to be decided on.
"""

from datetime import datetime
from math import isfinite
from typing import Any, Literal, TypeAlias

import msgspec
from msgspec import Struct

from engine.words import Place, SplitBy, Status

Truth: TypeAlias = Literal["true", "false", "unknown"]
Kind: TypeAlias = Literal["all", "any", "not", "choice", "test"]
Outcome: TypeAlias = Literal[
    "personalized",
    "control",
    "held-out",  # a segment matched, and the visitor is kept out of everything
    "no-match",  # every segment was asked, and none matched
    "excluded",  # another experience of the exclusion group decided first
    "other-page",
    "not-live",
    "not-started",
    "ended",
]

INT64_MIN, INT64_MAX = -(2**63), 2**63 - 1


class _Plain(Struct, frozen=True, rename="camel"):
    """Data that goes out as JSON objects."""


class Fact(_Plain, frozen=True):
    """What is known at a path that a condition or a slot asks for.

    known: as it was sent. coerced: made fit by its declaration, `sent` is how it came. default: the declared default
    stands in; `sent` is what came if that was unusable. unusable: what was sent is none of the declared type, so it
    counts as absent. absent: never sent.
    """

    path: str
    state: Literal["known", "coerced", "default", "unusable", "absent"]
    value: Any = None
    sent: Any = None


class Cause(_Plain, frozen=True):
    """Why a test is neither true nor false.

    absent: never sent at all. unusable: sent, and none of the declared type. unlike: sent, and of a kind that the
    test cannot take. error: anything else (a division by zero, an index behind the end).
    """

    kind: Literal["absent", "unusable", "unlike", "error"]
    path: str
    words: str


class Step(_Plain, frozen=True):
    """A sub-expression of a condition and what the reference implementation says of it.

    all, any, not: of its `parts`. choice: `a ? b : c`, the parts are a, b and c. test: a leaf, with the facts in it.
    """

    kind: Kind
    truth: Truth
    text: str
    place: Place
    parts: "tuple[Step, ...]" = ()
    facts: tuple[Fact, ...] = ()
    causes: tuple[Cause, ...] = ()


class Tried(_Plain, frozen=True):
    """One audience of an experience: did its segment match? What stands below the winner is not asked."""

    segment: str
    name: str
    place: Place
    outcome: Literal["matches", "does-not-match", "not-asked"]
    because: str
    when: tuple[Step, ...] = ()
    excepts: tuple[Step, ...] = msgspec.field(default=(), name="except")


class Draw(_Plain, frozen=True):
    """One draw against its threshold: `draw` is the hash of `hashed`, below 2**32."""

    role: Literal["holdout", "split", "variant"]
    hashed: str
    draw: int
    result: str
    words: str


class Unit(_Plain, frozen=True):
    """What is drawn for. `fallback`: the user or account is not known, so the visitor's id stands in."""

    split_by: SplitBy
    id: str
    words: str
    fallback: bool = False


class Inserted(_Plain, frozen=True):
    """A slot of the variant: where it stands, what it asked for, what was written (escaped for its spot) and why.

    value: the visitor's. default: the slot's own. nothing: neither.
    """

    where: str
    fact: Fact
    source: Literal["value", "default", "nothing"]
    written: str
    words: str


class Shown(_Plain, frozen=True):
    """The variant that the visitor sees; `changes` as they go on the wire."""

    variant: str
    changes: msgspec.Raw
    slots: tuple[Inserted, ...]


class Reasons(_Plain, frozen=True):
    """One experience: what came of it, and why."""

    experience: str
    name: str
    place: Place
    outcome: Outcome
    because: str
    status: Status
    pages: tuple[str, ...]
    fitting: tuple[str, ...]  # those of the pages that the URL fits
    start: datetime | None
    end: datetime | None
    priority: int
    exclusion_group: str | None
    decided_by: str | None  # the experience of the group that decided first
    segment: str | None  # the winner
    audiences: tuple[Tried, ...]
    unit: Unit | None = None
    draws: tuple[Draw, ...] = ()
    shown: Shown | None = None


class Explanation(_Plain, frozen=True):
    """The whole reasoning of one decision. `agrees`: the service decides the same; where not, that is a fault of ours.

    `unusable` are the declared traits whose value could not be used, whether or not somebody asks for them.
    """

    verdict: str
    visitor_id: str
    url: str
    now: datetime
    ruleset: str
    degraded: bool
    agrees: bool
    unusable: tuple[Fact, ...]
    experiences: tuple[Reasons, ...]


def to_json(explanation: Explanation) -> bytes:
    """The explanation as one JSON object."""
    return msgspec.json.encode(explanation)


def plain(value: Any) -> Any:
    """Any value of a visitor as JSON can hold it."""
    kind = type(value)
    if kind is dict:
        return {readable(str(key)): plain(member) for key, member in value.items()}
    if kind is list:
        return [plain(element) for element in value]
    if kind is str:
        return readable(value)
    if kind is datetime:
        return str(msgspec.to_builtins(value))
    if kind is float:
        return value if isfinite(value) else str(value)
    if kind is int:
        return value if INT64_MIN <= value <= INT64_MAX else str(value)
    return value if value is None or kind is bool else str(value)


def readable(text: str) -> str:
    """The text, with U+FFFD for half characters."""
    return text if text.isascii() else text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
