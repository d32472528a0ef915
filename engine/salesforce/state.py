"""How far the reading of an object is, and how a sync went. Pure: what the mirror keeps of it.

1. `mark` is up to when changes are known, by Salesforce's clock: an increment begins some minutes before it.
2. A `Job` is one that Salesforce answers page by page; it outlives the process that began it, for seven days.
"""

from collections.abc import Iterable
from datetime import datetime
from typing import Literal, TypeAlias

from msgspec import Struct
from msgspec.structs import replace

from engine.salesforce.fields import Object

JobKind: TypeAlias = Literal["everything", "changes", "rereading"]


class Job(Struct, frozen=True):
    """A job of the Bulk API at work: `number` marks the records that it sees.

    `locator` names its next page, an empty one the first; None: all of them are kept.
    """

    kind: JobKind
    id: str
    created: datetime
    number: int
    locator: str | None = ""
    records: int = 0


class State(Struct, frozen=True, omit_defaults=True):
    """How far one object is; times are None for what never was. `unusable`: fields of which, since everything was read,
    some value was none of its type, and is absent here. `imported`: was the last file read to its end? None: there was
    none."""

    mark: datetime | None = None
    described: datetime | None = None
    full: datetime | None = None
    reread: datetime | None = None
    synced: datetime | None = None
    number: int = 0
    job: Job | None = None
    unusable: tuple[str, ...] = ()
    imported: bool | None = None

    def noting(self, fields: Iterable[str]) -> "State":
        """With these fields among those of which some value cannot be used."""
        return replace(self, unusable=tuple(sorted({*self.unusable, *fields})))


class Part(Struct, frozen=True):
    """What became of one object in a sync; `trouble`: why it could not be carried out to its end."""

    object: Object
    new: int = 0
    changed: int = 0
    gone: int = 0
    total: int = 0
    unusable: dict[str, int] = {}
    trouble: str | None = None


class Outcome(Struct, frozen=True):
    """How a sync went: `trouble` is why it stopped, None where it did not. Of API calls, how many it made itself."""

    ended: datetime
    parts: tuple[Part, ...] = ()
    written: int = 0
    calls: int = 0
    used: int | None = None
    total: int | None = None
    trouble: str | None = None
