"""The shapes of what admins are told of people and traits, as structs: nobody encodes these, they say what is encoded.

What lives here: the answers of `/v1/profiles` (`engine.profiles.origins.to_json`) and `/v1/traits`
(`engine.profiles.catalogue.to_json`). What may not: how any of it is found out.
"""

from datetime import datetime
from typing import Annotated, Any

from msgspec import Meta, Struct

from engine.profiles.catalogue import Looked, TypeName
from engine.profiles.ids import Kind
from engine.profiles.origins import State

Moment = Annotated[datetime, Meta(tz=True)]
Source = Annotated[str | None, Meta(description="The source that sent it, or `import`.")]
Event = Annotated[str | None, Meta(description="By which call it came: `identify`, `group`, …")]


class ProfileRecord(Struct, rename="camel"):
    """One record on the way from the identity that was asked for: each leads to the next."""

    kind: Kind
    id: str
    found: bool
    damaged: Annotated[bool, Meta(description="It cannot be read, and counts as absent.")]
    source: Source
    event: Event
    linked_at: Annotated[Moment | None, Meta(description="Since when the record before leads here.")]
    other_until: Annotated[Moment | None, Meta(description="Until then it led to somebody else.")]
    deleted_until: Annotated[Moment | None, Meta(description="What was set until then is deleted for good.")]


class RecordName(Struct):
    """Which record."""

    kind: Kind
    id: str


class KnownValue(Struct, rename="camel"):
    """One value, the record that holds it, and whether it counts: only what `counts` is seen by rules."""

    name: str
    value: Annotated[Any, Meta(description="Null: it was removed.")]
    state: State
    set_at: Moment
    source: Source
    event: Event
    record: RecordName


class KnownProfile(Struct):
    """Everything that is known where this identity leads; of one name, what counts stands first."""

    records: list[ProfileRecord]
    traits: list[KnownValue]
    account: Annotated[list[KnownValue], Meta(description="Traits of the account, from Segment's `group`.")]
    lead: Annotated[list[KnownValue], Meta(description="The Salesforce lead with this email.")]
    contact: Annotated[list[KnownValue], Meta(description="The Salesforce contact with this email.")]


class EventSeen(Struct, rename="camel"):
    """An event's name, and when it came first and last."""

    name: str
    sources: list[str]
    first_seen: Moment | None
    last_seen: Moment | None


class TraitSeen(EventSeen, rename="camel"):
    """A trait's name, and what its values are like. `share` is of the records that hold any trait."""

    held: Annotated[int, Meta(description="Records that hold it.")]
    share: float
    types: Annotated[dict[TypeName, int], Meta(description="How many of them hold a value of this type.")]
    examples: Annotated[list[Any], Meta(description="Values that several people have, where there are few.")]


class Catalogue(Struct, rename="camel"):
    """Every trait, account trait and event by name."""

    people: Looked
    groups: Looked
    damaged: Annotated[int, Meta(description="Records that cannot be read.")]
    complete: Annotated[bool, Meta(description="False: there are more names than are counted.")]
    traits: list[TraitSeen]
    account_traits: list[TraitSeen]
    events: list[EventSeen]
