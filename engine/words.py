"""The words of mutiny-edge as types (DESIGN section 1). The ground floor: every room may use it.

What lives here: frozen structs, ids and the few closed sets of words. What may not: logic, defaults that
depend on anything, imports from other rooms.

1. `Ruleset` is everything that the rule files say, as plain data: keys resolved, shares in parts per
   million, templates cut into literals and slots, conditions parsed and type-checked. It is immutable,
   can be serialised whole, and `compile` and `decide` need nothing else.
2. `Profile`, `Page`, `Visit` are what is known when a decision is asked for; `Decision` is the answer.
3. Values of traits are JSON values without null (null is absent): `bool int float str list dict`, ints
   within 64 bits signed, and `datetime` (always UTC-aware) where a declaration or Salesforce says so.
"""

from datetime import datetime
from typing import Any, Literal, TypeAlias

from msgspec import Struct

Traits: TypeAlias = dict[str, Any]
Status: TypeAlias = Literal["draft", "live", "paused"]
SplitBy: TypeAlias = Literal["visitor", "user", "account"]
TraitType: TypeAlias = Literal["string", "number", "boolean", "timestamp"]


class Place(Struct, frozen=True):
    """Where something stands in a rule file: 1-based line, 1-based column in characters."""

    file: str
    line: int
    column: int


class Condition(Struct, frozen=True):
    """One CEL condition.

    `checked` is the serialised `google.protobuf.Any` of a `cel.expr.CheckedExpr`, as the reference
    implementation gives it; positions in it count from the first character of `text`, which stands at `place`.
    """

    text: str
    place: Place
    checked: bytes


class Segment(Struct, frozen=True):
    """A named audience: matches where every `when` is true and no `excepts` is known to be true."""

    key: str
    name: str
    when: tuple[Condition, ...]
    excepts: tuple[Condition, ...]
    place: Place


class Slot(Struct, frozen=True):
    """A `{{ path | default: 'text' }}` of a template; `spot` says how its value has to be escaped.

    text: plain text (textContent); html: between tags of an HTML fragment; html-attribute: within a quoted
    attribute of an HTML fragment; attribute: the value of a set attribute. The two URL forms, each alone or
    inside an HTML fragment's attribute: url-start (the value stands at the start, and so may bring scheme and
    host), url-part (the value stands after it, as one percent-encoded component).
    """

    path: tuple[str, ...]
    default: str | None
    spot: Literal[
        "text", "html", "html-attribute", "attribute", "url-start", "url-part", "html-url-start", "html-url-part"
    ]


Template: TypeAlias = tuple[str | Slot, ...]


class Insert(Struct, frozen=True):
    """New HTML beside or inside the selected element."""

    position: Literal["before", "after", "prepend", "append"]
    html: Template


class Change(Struct, frozen=True):
    """What happens to the elements that `selector` names; `redirect` stands alone, without a selector."""

    selector: str | None = None
    text: Template | None = None
    html: Template | None = None
    attributes: dict[str, Template] = {}
    classes_add: tuple[str, ...] = ()
    classes_remove: tuple[str, ...] = ()
    style: dict[str, str] = {}
    remove: bool = False
    insert: Insert | None = None
    redirect: Template | None = None


class Variant(Struct, frozen=True):
    """One personalized version: `weight` is its whole-number share among its audience's variants."""

    key: str
    weight: int
    changes: tuple[Change, ...]


class Audience(Struct, frozen=True):
    """One segment of an experience, with its control share in parts per million."""

    segment: str
    control_ppm: int
    salt: str
    variants: tuple[Variant, ...]
    place: Place


class Experience(Struct, frozen=True):
    """What one test personalizes. `audiences` is ordered: the first segment that matches wins."""

    key: str
    name: str
    pages: tuple[str, ...]
    status: Status
    start: datetime | None
    end: datetime | None
    holdout_ppm: int
    split_by: SplitBy
    exclusion_group: str | None
    priority: int
    audiences: tuple[Audience, ...]
    place: Place


class Goal(Struct, frozen=True):
    """A conversion: the Segment track event, conditions on its properties, the window in seconds."""

    key: str
    event: str
    where: tuple[Condition, ...]
    window_s: int
    place: Place


class TraitDeclaration(Struct, frozen=True):
    """How a trait is coerced, once and losslessly, before rules see it."""

    name: str
    type: TraitType | None
    default: bool | int | float | str | None
    fold: Literal["lower"] | None


class Page(Struct, frozen=True):
    """The page that is viewed; `url` is absolute, http or https."""

    url: str
    referrer: str = ""
    title: str = ""


class Visit(Struct, frozen=True):
    """The visit: how many there were, since when, from what device and (CDN headers) from where.

    `device` may hold `type` (desktop, mobile, tablet, bot) and `language`; `geo` may hold `country`, `region`, `city`.
    """

    count: int | None = None
    first_seen: datetime | None = None
    new: bool | None = None
    device: dict[str, str] = {}
    geo: dict[str, str] = {}


class Profile(Struct, frozen=True):
    """What is known of a visitor at decision time."""

    visitor_id: str
    traits: Traits = {}
    account: Traits = {}
    lead: Traits = {}
    contact: Traits = {}
    user_id: str | None = None
    account_id: str | None = None
    degraded: bool = False


class Given(Struct, frozen=True):
    """The left side of an ops test case, complete: what `Decider.decide` is asked."""

    profile: Profile
    page: Page
    visit: Visit
    now: datetime | None


class Expected(Struct, frozen=True):
    """The right side of an ops test case. `None` means: not asked.

    `nothing`: no experience at all may answer. `segment` "none": this experience may not answer.
    """

    nothing: bool = False
    experience: str | None = None
    segment: str | None = None
    personalized: bool | None = None
    variant: str | None = None


class Case(Struct, frozen=True):
    """One of ops' own tests; `place` is where it begins, and where its failure is reported."""

    name: str
    given: Given
    expected: Expected
    place: Place


class Ruleset(Struct, frozen=True):
    """Everything the rule files say. Mappings and tuples are sorted by key, so that file order never shows.

    `version` is the first 8 hex digits of a SHA-256 over the meaning (places left out).
    """

    version: str
    segments: dict[str, Segment]
    experiences: dict[str, Experience]
    goals: dict[str, Goal]
    traits: dict[str, TraitDeclaration]
    insertable: tuple[str, ...]
    cases: tuple[Case, ...]


class Assignment(Struct, frozen=True):
    """One entry of a decision: `variant` None is control. `body` is the entry as it goes on the wire (JSON)."""

    experience: str
    segment: str
    variant: str | None
    body: bytes


class Decision(Struct, frozen=True):
    """The answer to one page view. Of the declared traits that the page's rules look at, `unusable` names those whose
    value could not be coerced.
    """

    visitor_id: str
    ruleset: str
    assignments: tuple[Assignment, ...]
    unusable: tuple[str, ...] = ()
    degraded: bool = False
