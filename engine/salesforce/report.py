"""What is told of Salesforce to people: how far it is, how the last sync went, how many records share an address.

What lives here: reading a mirror, beside a sync at work. What may not: judging (`cli.checkup_salesforce`), printing.
"""

from contextlib import closing
from datetime import datetime
from pathlib import Path

from msgspec import Struct

from engine.profiles.store import Store, StoreError
from engine.salesforce.fields import OBJECTS, Field, Object
from engine.salesforce.mirror import Mirror, path_of
from engine.salesforce.projection import is_filled, waiting
from engine.salesforce.state import Outcome

_SHARED = """COUNT(*) FROM (SELECT 1 FROM records WHERE object = ? AND email IS NOT NULL AND converted IS NULL
    GROUP BY email HAVING COUNT(*) > 1)"""
_CONVERTED = "COUNT(*) FROM records WHERE object = ? AND converted IS NOT NULL"


class Told(Struct, frozen=True):
    """One object. `shared`: addresses that several of its records have; `at_work`: records so far of a job at work.

    `unusable`: fields of which some value was none of its type; `imported` as in `State`.
    """

    object: Object
    records: int
    without_email: int
    converted: int
    shared: int
    fields: int
    synced: datetime | None = None
    at_work: int | None = None
    unusable: tuple[str, ...] = ()
    imported: bool | None = None


class Report(Struct, frozen=True):
    """All of it. `waiting`: addresses that the store may not have; `is_filled` None: the store cannot be asked.

    `spelled`: of the people here that were looked at, how many have an address by another name than `email`, or one
    that is no text, and so find no record; by how it is spelled.
    """

    objects: tuple[Told, ...]
    outcome: Outcome | None
    waiting: int
    is_filled: bool | None
    spelled: dict[str, int] = {}


def report(data: Path, store: Store | None) -> Report | None:
    """What there is to tell; None where nothing was ever read. Raises MirrorBroken."""
    if not path_of(data).exists():
        return None
    with closing(Mirror(data, read_only=True)) as mirror:
        told = tuple(_told(mirror, object_) for object_ in OBJECTS if mirror.fields(object_))
        return Report(told, mirror.outcome(), waiting(mirror), _is_filled(mirror, store))


def catalogue(data: Path) -> dict[Object, tuple[Field, ...]]:
    """The fields of each object that was ever described. Raises MirrorBroken."""
    if not path_of(data).exists():
        return {}
    with closing(Mirror(data, read_only=True)) as mirror:
        return {object_: fields for object_ in OBJECTS if (fields := mirror.fields(object_))}


def _told(mirror: Mirror, object_: Object) -> Told:
    state = mirror.state(object_)
    records = "COUNT(*) FROM records WHERE object = ?"
    return Told(
        object_,
        mirror.count(records, object_),
        mirror.count(f"{records} AND email IS NULL", object_),
        mirror.count(_CONVERTED, object_),
        mirror.count(_SHARED, object_),
        len(mirror.fields(object_)),
        state.synced,
        None if state.job is None else state.job.records,
        state.unusable,
        state.imported,
    )


def _is_filled(mirror: Mirror, store: Store | None) -> bool | None:
    try:
        return None if store is None else is_filled(mirror, store)
    except StoreError:
        return None
