"""A rule file as ops write it: the one description of the format (DESIGN section 2).

What lives here: one struct a block of the file, with the words that editors show. What may not: reading, checking,
anything that `engine.words` says in its resolved form.

1. `engine.rules.read` reads a YAML tree into these structs and is driven by them: a new key is one line here.
2. `engine.rules.schema` makes the JSON Schema for editors out of them, so the two cannot disagree.
3. Values stand as written: shares `50%`, windows `7d`, timestamps and page patterns as text. `engine.rules.build`
   turns them into words. `pattern` only teaches editors; messages about bad values are build's.
4. What read could not read stands here as empty text, empty list, empty dict, the default, or the first of the allowed
   words, and was reported. So `min_length=1` means: if it is empty, somebody has already said so.
5. `extra={"expected": …}` holds the user's words for a value, for the sentence "expected X, got Y".
"""

from typing import Annotated, Any, Literal, TypeAlias

from msgspec import Meta, Struct, field

KEY_PATTERN = r"^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$"
SHARE_PATTERN = r"^(100(\.0{1,4})?|[0-9]{1,2}(\.[0-9]{1,4})?)\s?%$"
TIMESTAMP_PATTERN = r"^\d{4}-\d{2}-\d{2}[Tt]\d{2}:\d{2}:\d{2}(\.\d+)?([Zz]|[+-]\d{2}:\d{2})$"

Key: TypeAlias = Annotated[str, Meta(min_length=1, max_length=128, pattern=KEY_PATTERN, extra={"expected": "a key"})]
Name: TypeAlias = Annotated[str, Meta(min_length=1, extra={"expected": "a name"})]
Condition: TypeAlias = Annotated[
    str,
    Meta(
        min_length=1,
        description='A CEL condition, such as traits.employees < 50 && traits.industry in ["SaaS", "Fintech"]',
        extra={"expected": "a condition", "condition": True},
        extra_json_schema={"type": ["string", "boolean"]},
    ),
]
Conditions: TypeAlias = Condition | Annotated[list[Condition], Meta(min_length=1)]
Share: TypeAlias = Annotated[
    str,
    Meta(
        min_length=1,
        pattern=SHARE_PATTERN,
        description="A share in percent with at most four decimals, such as 50% or 0.5%",
        extra={"expected": "a share such as 50%", "example": "{}%"},
    ),
]
Window: TypeAlias = Annotated[
    str,
    Meta(
        min_length=1,
        pattern=r"^[0-9]+\s?[smhdw]$",
        description="A length of time, such as 7d, 12h or 30m",
        extra={"expected": "a length of time such as 7d", "example": "{}d"},
    ),
]
Timestamp: TypeAlias = Annotated[
    str,
    Meta(
        min_length=1,
        pattern=TIMESTAMP_PATTERN,
        description="Date and time with zone, such as 2026-11-01T00:00:00Z",
        extra={"expected": "a time such as 2026-11-01T00:00:00Z"},
    ),
]
Template: TypeAlias = Annotated[
    str,
    Meta(description="Text that may hold {{ traits.company | default: 'your company' }}", extra={"expected": "a text"}),
]
PagePattern: TypeAlias = Annotated[
    str,
    Meta(
        min_length=1,
        description="A page: scheme and host optional, * within a path segment, ** across segments",
        extra={"expected": "a page pattern", "many": "page patterns"},
    ),
]
Word: TypeAlias = Annotated[str, Meta(min_length=1, extra={"expected": "a text"})]
Selector: TypeAlias = Annotated[
    str, Meta(min_length=1, description="A CSS selector", extra={"expected": "a CSS selector"})
]
Number: TypeAlias = Annotated[int, Meta(ge=-1_000_000, le=1_000_000)]
Weight: TypeAlias = Annotated[int, Meta(ge=0, le=1_000_000, description="A whole number; the share is weight / sum")]
Values: TypeAlias = dict[Word, Any]


class _Block(Struct, frozen=True, forbid_unknown_fields=True):
    """A block of `key: value` lines that knows all of its keys."""


class Segment(_Block, frozen=True, kw_only=True):
    """An audience segment: a named condition over profile, page and visit."""

    name: Annotated[Name, Meta(description="Goes out as audienceSegment")]
    when: Annotated[Conditions, Meta(description="Who belongs to it; of a list, all must be true")]
    except_: Annotated[Conditions | None, Meta(description="Leaves out those who are known to fulfil any of these")] = (
        field(default=None, name="except")
    )


class Trait(_Block, frozen=True, kw_only=True):
    """How a trait is coerced, once and losslessly, before rules see it."""

    type: Annotated[
        Literal["string", "number", "boolean", "timestamp"] | None,
        Meta(description='What rules are to see: "45" becomes 45; what cannot become it is unusable, and counted'),
    ] = None
    default: Annotated[
        bool | int | float | str | None,
        Meta(description="Stands in where the trait is absent", extra={"expected": "a text, a number, true or false"}),
    ] = None
    fold: Annotated[Literal["lower"] | None, Meta(description="lower: capitals do not count")] = None


class Classes(_Block, frozen=True, kw_only=True):
    """CSS classes to add and to remove."""

    add: Annotated[list[Word], Meta(description="That the elements get")] = []
    remove: Annotated[list[Word], Meta(description="That they lose")] = []


class Insert(_Block, frozen=True, kw_only=True):
    """New HTML beside or inside the selected element."""

    position: Annotated[
        Literal["before", "after", "prepend", "append"],
        Meta(description="before, after: beside the element; prepend, append: in it, first or last"),
    ]
    html: Template


class Change(_Block, frozen=True, kw_only=True):
    """What happens to the elements that the selector names; `redirect` stands alone."""

    selector: Selector | None = None
    text: Template | None = None
    html: Template | None = None
    attributes: dict[Word, Template] = {}
    classes: Classes | None = None
    style: Annotated[dict[Word, str], Meta(description="CSS properties, such as display: none")] = {}
    remove: Annotated[bool | None, Meta(description="true: take the elements away")] = None
    insert: Insert | None = None
    redirect: (
        Annotated[
            Template, Meta(min_length=1, description="Another page, instead of any change of this one; it stands alone")
        ]
        | None
    ) = None


class Variant(_Block, frozen=True, kw_only=True):
    """One personalized version: a list of page changes."""

    key: Annotated[
        Key, Meta(description="Goes out as variant; unique within its audience; not control, the control group's word")
    ]
    weight: Weight = 1
    changes: Annotated[list[Change], Meta(description="May be empty: a version that changes nothing")]


class Audience(_Block, frozen=True, kw_only=True):
    """One segment of an experience, its control share and its variants."""

    segment: Annotated[str, Meta(min_length=1, description="Key of a segment", extra={"expected": "a segment's key"})]
    control: Share = "50%"
    salt: Annotated[str, Meta(description="Change it to draw the groups anew")] = ""
    variants: Annotated[list[Variant], Meta(min_length=1)]


class Schedule(_Block, frozen=True, kw_only=True):
    """When the experience runs: from start, up to but not including end."""

    start: Timestamp | None = None
    end: Timestamp | None = None


class Experience(_Block, frozen=True, kw_only=True):
    """What one test personalizes."""

    name: Annotated[Name, Meta(description="Goes out as experience")]
    pages: Annotated[list[PagePattern], Meta(min_length=1)]
    status: Annotated[
        Literal["live", "draft", "paused"],
        Meta(description="draft: only previews show it; paused: nobody sees it, its key stays taken"),
    ] = "live"
    schedule: Schedule | None = None
    holdout: Annotated[Share, Meta(description="Share of all matched visitors kept out of everything")] = "0%"
    split_by: Annotated[
        Literal["visitor", "user", "account"],
        Meta(description="Who falls into one group together; the visitor where user or account is not known"),
    ] = "visitor"
    exclusion_group: Annotated[
        Word | None, Meta(description="Of one group, a visitor sees at most one experience on a page")
    ] = None
    priority: Annotated[Number, Meta(description="Within the group, higher first")] = 0
    audiences: Annotated[list[Audience], Meta(min_length=1, description="Ordered: the first that matches wins")]


class Conversion(_Block, frozen=True, kw_only=True):
    """A goal: a Segment track event."""

    event: Annotated[str, Meta(min_length=1, description="The name of the track event", extra={"expected": "a name"})]
    where: Annotated[Conditions | None, Meta(description="Condition on the event's properties")] = None
    window: Window = "7d"


class Salesforce(_Block, frozen=True, kw_only=True):
    """Salesforce records of a test visitor."""

    lead: Annotated[Values, Meta(description="Fields of the lead, by their API names")] = {}
    contact: Annotated[Values, Meta(description="Fields of the contact, by their API names")] = {}


class Page(_Block, frozen=True, kw_only=True):
    """The page of a test visit."""

    url: Annotated[Word, Meta(description="Absolute, such as https://www.example.com/pricing?plan=team")]
    referrer: Annotated[str, Meta(description="The page before")] = ""
    title: Annotated[str, Meta(description="Of the document")] = ""


class Visit(_Block, frozen=True, kw_only=True):
    """The visit of a test."""

    count: Annotated[int, Meta(ge=0, description="Which visit of this browser it is")] | None = None
    first_seen: Timestamp | None = None
    new: Annotated[bool | None, Meta(description="Is it the first?")] = None


class Device(_Block, frozen=True, kw_only=True):
    """The device of a test visit."""

    type: Annotated[str | None, Meta(description="desktop, mobile, tablet or bot")] = None
    language: Annotated[str | None, Meta(description="The browser's first choice, such as de-AT")] = None


class Geo(_Block, frozen=True, kw_only=True):
    """Where a test visit comes from."""

    country: Annotated[str | None, Meta(description="Two letters, such as AT")] = None
    region: Annotated[str | None, Meta(description="As the CDN writes it")] = None
    city: Annotated[str | None, Meta(description="As the CDN writes it")] = None


class Given(_Block, frozen=True, kw_only=True):
    """Who views what, in a test."""

    visitor_id: Annotated[Word | None, Meta(description="For a case that hangs on the draw")] = field(
        default=None, name="visitorId"
    )
    traits: Annotated[Values, Meta(description="As Segment sends them")] = {}
    account: Annotated[Values, Meta(description="Account traits")] = {}
    salesforce: Salesforce | None = None
    page: Page
    visit: Visit | None = None
    device: Device | None = None
    geo: Geo | None = None
    now: Timestamp | None = None


class Expect(_Block, frozen=True, kw_only=True):
    """What a test expects; what is left out is not asked. `segment: none`: the experience must not answer."""

    experience: Annotated[Word | None, Meta(description="Key of the experience that answers")] = None
    segment: Annotated[Word | None, Meta(description="Key of the segment that matches; none: none does")] = None
    personalized: Annotated[bool | None, Meta(description="The group, for a given visitorId")] = None
    variant: Annotated[Word | None, Meta(description="Key of the variant, for a given visitorId")] = None


class Test(_Block, frozen=True, kw_only=True):
    """A case that `check` runs, and the service before it takes a ruleset."""

    name: Annotated[Name, Meta(description="What the case shows")]
    given: Given
    expect: Expect | Literal["nothing"]


class RuleFile(_Block, frozen=True, kw_only=True):
    """A rule file of mutiny-edge. Any file may hold any of these keys; what they name is unique over the folder."""

    segments: dict[Key, Segment] = {}
    traits: Annotated[
        dict[Word, Trait],
        Meta(
            description='How traits are read, by name; a name with a dot is one trait: a.b is traits["a.b"], not a part'
        ),
    ] = {}
    experiences: dict[Key, Experience] = {}
    conversions: dict[Key, Conversion] = {}
    insertable: Annotated[list[Word], Meta(description="What a page may show, such as traits.company")] = []
    tests: list[Test] = []
