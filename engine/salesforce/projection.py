"""From the mirror into the store: which record stands under an address, and what has to change for it.

What lives here: who counts for an address, the difference to what the store holds, bringing it there. What may not:
asking Salesforce, the clock.

1. **Who counts.** Of several leads with one address the one that was modified last (by id where that is the same), and
   so of several contacts. A converted lead counts no more: it has become a contact, and that one counts for the lead's
   address too, unless a contact has the address for its own.
2. **The difference alone is written**: a field that is the same keeps the time since when it is known, a field that is
   gone is removed. Of an address for which nobody counts the whole record goes, with its key: an address is personal,
   and no late event can bring a Salesforce record back.
3. A change is never older than what the store holds, whatever our clock did in between, so it always wins.
4. The store itself says from which mirror, and up to which of its bringings, it was filled (a *name record*, nobody's).
   If that is not what the mirror says, the store was lost, put back or exchanged: then everything is compared.
5. Killed in between, the same addresses are dirty still; bringing them again changes nothing.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from operator import attrgetter
from typing import Any, Final, cast

from engine import limits
from engine.profiles.encoding import BadRecord, decode
from engine.profiles.ids import Key, id_of, key
from engine.profiles.record import Change, Record, canonical
from engine.profiles.store import Found, Store
from engine.salesforce.mirror import Mirror
from engine.salesforce.rows import Row

ORIGIN: Final = "salesforce sync"
IMPORTED: Final = "salesforce import"
FILLED: Final = key("name", "salesforce:mirror")
_BROUGHT: Final = "brought"

Holders = Iterable[tuple[str, Row]]


def bring(
    mirror: Mirror,
    store: Store,
    now_ms: int,
    progress: Callable[[int], None] = lambda _: None,
    origin: str = ORIGIN,
) -> int:
    """Everything that the store may not have yet; how many of its records are other than before.

    `origin` is whose word it is. `progress` is told after each batch how many addresses are done. Raises MirrorBroken,
    StoreError.
    """
    if not is_filled(mirror, store):
        known = (id_of(key_) for kind in ("lead", "contact") for key_, _ in store.scan(cast("Any", kind)))
        mirror.soil(known)
    written = 0
    while emails := mirror.dirty(limits.SALESFORCE_PROJECTED):
        written += _batch(mirror, store, emails, now_ms, origin)
        _note(mirror, store, now_ms)
        mirror.clean(emails)
        progress(len(emails))
    if not is_filled(mirror, store):  # where there is not one address
        _note(mirror, store, now_ms)
    return written


def _note(mirror: Mirror, store: Store, now_ms: int) -> None:
    """Say on both sides that something was brought; first here, so that a store put back from a backup never agrees."""
    brought = int(mirror.fact(_BROUGHT) or 0) + 1
    mirror.note(_BROUGHT, brought)
    [held] = store.get([FILLED])
    store.apply(_difference(FILLED, {"mirror": mirror.id, _BROUGHT: brought}, _record(held), now_ms, ORIGIN))


def is_filled(mirror: Mirror, store: Store) -> bool:
    """Was the store filled from this mirror, up to the last time? Raises StoreError, MirrorBroken."""
    [found] = store.get([FILLED])
    held = _record(found).traits
    said = {name: held[name].value for name in ("mirror", _BROUGHT) if name in held}
    return said == {"mirror": mirror.id, _BROUGHT: mirror.fact(_BROUGHT)}


def waiting(mirror: Mirror) -> int:
    """How many addresses the store may not have yet."""
    return mirror.count("COUNT(*) FROM dirty")


def _batch(mirror: Mirror, store: Store, emails: Sequence[str], now_ms: int, origin: str) -> int:
    keys = [key(kind, email) for email in emails for kind in ("lead", "contact")]
    wanted = [values for email in emails for values in counting(mirror.holders(email))]
    changes, gone = list[Change](), list[Key]()
    for key_, values, found in zip(keys, wanted, store.get(keys), strict=True):
        if values:
            changes += _difference(key_, values, _record(found), now_ms, origin)
        elif found is not None:
            gone.append(key_)
    return store.apply(changes) + store.delete(gone)


def counting(holders: Holders) -> tuple[Mapping[str, Any], Mapping[str, Any]]:
    """The fields of the lead and of the contact that count for an address; empty where there is none."""
    of: dict[str, list[Row]] = {"Lead": [], "Contact": [], "Became": []}
    for object_, row in holders:
        if object_ != "Lead" or row.converted is None:
            of[object_].append(row)
    return _newest(of["Lead"]), _newest(of["Contact"] or of["Became"])


def _newest(rows: Sequence[Row]) -> Mapping[str, Any]:
    return max(rows, key=attrgetter("modified_ms", "id")).values if rows else {}


def _difference(key_: Key, values: Mapping[str, Any], held: Record, now_ms: int, origin: str) -> Iterator[Change]:
    said: dict[str, Any] = {
        name: value
        for name, value in values.items()
        if name not in held.traits or canonical(held.traits[name].value) != canonical(value)
    }
    said |= {name: None for name, at in held.traits.items() if name not in values and at.value is not None}
    if said:
        newest = max((register.time_ms for register in held.traits.values()), default=0)
        yield Change(key_, max(now_ms, newest + 1, (held.deleted_ms or 0) + 1), said, origin=origin)


def _record(found: Found) -> Record:
    """What the store holds; of what it does not, or cannot be read, an empty one."""
    try:
        return decode(found) if isinstance(found, bytes) else Record()
    except BadRecord:
        return Record()
