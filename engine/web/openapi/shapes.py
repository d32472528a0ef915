"""The shapes of answers whose bytes are joined by hand, as structs: nobody encodes these, they say what is encoded.

What lives here: decisions, refusals, what probes are told. What may not: anything that is encoded from a struct of its
own (`engine.decide.explanation`), what is known of people (`known.py`).

1. A decision: `engine.decide.wire` and `engine.decide.render`; a preview of one: `engine.web.preview`.
2. A refusal: `engine.web.refusal`, in both forms. Readiness: `engine.web.app`.
3. A member that is `UNSET` is left out where there is nothing to say.
4. Tests hold every one of them to real answers, both ways: no member less, none more.
"""

from datetime import datetime
from typing import Annotated, Literal

from msgspec import UNSET, Meta, Struct, UnsetType

Ruleset = Annotated[str, Meta(description="The version of the rules that decided: a hash of all they say.")]


class Classes(Struct):
    """CSS classes that come and go."""

    add: list[str] | UnsetType = UNSET
    remove: list[str] | UnsetType = UNSET


class Insert(Struct):
    """New HTML beside or inside the selected element."""

    position: Literal["before", "after", "prepend", "append"]
    html: str


class Change(Struct):
    """What happens to the elements that `selector` names; `redirect` stands alone, and names no element.

    Everything is escaped already for the place where it goes.
    """

    selector: str | UnsetType = UNSET
    text: Annotated[str, Meta(description="The element's new text.")] | UnsetType = UNSET
    html: Annotated[str, Meta(description="The element's new content.")] | UnsetType = UNSET
    attributes: dict[str, str] | UnsetType = UNSET
    classes: Classes | UnsetType = UNSET
    style: Annotated[dict[str, str], Meta(description="CSS properties.")] | UnsetType = UNSET
    remove: Annotated[bool, Meta(description="True: the element goes.")] | UnsetType = UNSET
    insert: Insert | UnsetType = UNSET
    redirect: Annotated[str, Meta(description="The page that is shown in this one's place.")] | UnsetType = UNSET


class ExposureProperties(Struct, rename="camel"):
    """What Segment is told of it."""

    experience: str
    audience_segment: str
    personalized: bool


class Exposure(Struct):
    """The tracking call that says that the visitor saw it: `analytics.track(event, properties)`, on every page view.

    Control is tracked as well; without it there is nothing to compare with.
    """

    event: Literal["Mutiny Experience Viewed"]
    properties: ExposureProperties


class Assignment(Struct, rename="camel"):
    """One experience that applies to this visitor on this page, and what they get."""

    experience: str
    audience_segment: Annotated[str, Meta(description="The name of the audience segment that matched.")]
    personalized: Annotated[bool, Meta(description="False: the visitor is in the control group, and nothing changes.")]
    variant: Annotated[str | None, Meta(description="The key of the variant; null for control.")]
    changes: list[Change]
    track: Exposure | UnsetType = UNSET  # a preview has none


class Decision(Struct, rename="camel"):
    """What applies to this visitor on this page. No entry: show the page as it is, and track nothing."""

    visitor_id: str
    ruleset: Ruleset
    decisions: list[Assignment]
    degraded: (
        Annotated[
            bool, Meta(description="True: something that is known could not be read in time; left out otherwise.")
        ]
        | UnsetType
    ) = UNSET
    preview: Annotated[bool, Meta(description="True: this is what a preview link shows.")] | UnsetType = UNSET
    ends: Annotated[datetime, Meta(tz=True, description="When the preview link ends.")] | UnsetType = UNSET


class Problem(Struct):
    """Why a request is refused (RFC 9457)."""

    type: Literal["about:blank"]
    title: Annotated[str, Meta(description="What the code means.")]
    status: int
    detail: Annotated[str, Meta(description="What exactly is wrong, for people.")]
    code: Annotated[str, Meta(description="For programs; it never changes.")]


class SegmentRefusal(Struct):
    """Why a request is refused, in the form that Segment's libraries read."""

    success: bool
    code: Annotated[str, Meta(description="For programs; it never changes.")]
    message: Annotated[str, Meta(description="What exactly is wrong, for people.")]
    error: Annotated[str, Meta(description="What the code means.")]


class FlagRefusal(Struct, rename="camel"):
    """Why a request is refused, in the form that OpenFeature's providers read."""

    error_code: str
    error_details: Annotated[str, Meta(description="What exactly is wrong, for people.")]
    key: Annotated[str, Meta(description="The flag that was asked for.")] | UnsetType = UNSET


class Success(Struct):
    """At least one message is acceptable, and it is on the disk; those that are not are kept with the reason."""

    success: bool


class SegmentDestination(Struct, rename="camel"):
    """Where analytics.js sends to: here."""

    api_key: str
    api_host: str
    protocol: Literal["http", "https"]


class LibraryIntegrations(Struct, rename={"segment": "Segment.io"}):
    """The one destination that there is."""

    segment: SegmentDestination


class LibraryMetrics(Struct, rename="camel"):
    """The library's own metrics: none."""

    sample_rate: int


class LibrarySettings(Struct):
    """What analytics.js asks for before it sends."""

    integrations: LibraryIntegrations
    metrics: LibraryMetrics


class Alive(Struct):
    """The process answers."""

    ok: bool


class RuleProblem(Struct):
    """Something wrong in a rule file, and where."""

    file: str
    line: int
    column: int
    severity: Literal["error", "warning"]
    code: str
    message: str
    hint: Annotated[str, Meta(description="What would be right; empty where there is nothing to say.")]


class RulesetInUse(Struct):
    """The rules that decide now. `source`: the files, or those that were last good where the files cannot be taken."""

    version: str
    age_s: float
    experiences: int
    segments: int
    source: Literal["files", "last good"]


class NearState(Struct):
    """Of a shared store: can it be read now, and does it say what has changed? If not, what was read counts a
    second.
    """

    up: bool
    tracked: bool


class StoreState(Struct):
    """The store: what is wrong with it, in words, and how many answers had to do without it. `near`: of a shared
    one.
    """

    trouble: str | None
    degraded_answers: int
    near: NearState | UnsetType = UNSET


class IntakeState(Struct):
    """What is sent here: what is wrong with keeping it, in words, and deletions that are still to be finished."""

    trouble: str | None
    unfinished_deletions: int


class JobState(Struct):
    """A background job: does readiness hang on it, is it down, how often was it begun anew, and why the last time?"""

    name: str
    vital: bool
    down: bool
    restarts: int
    last_error: str | None


class Readiness(Struct):
    """May visitors be sent here, and what decides? Broken rule files keep it ready: the last good ones decide. Trouble
    and jobs are those of the worker that was asked, `process`.
    """

    ready: bool
    process: int
    ruleset: RulesetInUse
    last_error: RuleProblem | None
    errors: int
    store: StoreState
    intake: IntakeState
    jobs: list[JobState]
