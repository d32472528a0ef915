"""Where everything that is known of one person or account comes from: which record holds it, since when, by whose word.

What lives here: the same way through the records as a decision takes (`read`), with times and origins; the one form
that programs get (`to_json`). What may not: printing, and any rule of which record counts that `read` does not have.

1. The records are one chain, in the order in which one leads to the next (`read.leads_to`); a later one's traits cover
   those of an earlier one, and what a later one has removed covers them too. The account comes last.
2. What counts here is what `read_profile` gives: tests compare the two.
3. Where several users had one device in turn, what stands in its own record is withheld, as far as it has not
   forgotten it (`record`, the horizon); `Step.other_ms` says until when another one was there.
"""

from collections.abc import Iterable, Iterator
from typing import Any, Literal, TypeAlias

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from engine.profiles.catalogue import moment
from engine.profiles.encoding import BadRecord, decode, facts
from engine.profiles.ids import BadId, Key, Kind, id_of, key, kind_of
from engine.profiles.read import leads_to, salesforce
from engine.profiles.record import Link, Record
from engine.profiles.store import Found, Store

State: TypeAlias = Literal["counts", "covered", "removed", "withheld"]


class Step(Struct, frozen=True):
    """One record on the way. `linked_ms` and `origin` are of the link that led here.

    `other_ms`: until then that link led to somebody else; `deleted_ms`: what was set until then is deleted for good.
    """

    kind: Kind
    id: str
    found: bool
    damaged: bool = False
    linked_ms: int | None = None
    origin: str = ""
    other_ms: int | None = None
    deleted_ms: int | None = None


class Held(Struct, frozen=True):
    """One value, the record that holds it, and whether it counts; None: it was removed."""

    name: str
    value: object
    state: State
    time_ms: int
    origin: str
    kind: Kind
    id: str


class Origins(Struct, frozen=True):
    """All of it: the way, and what stands in the records, by name; of one name what counts stands first."""

    steps: tuple[Step, ...]
    traits: tuple[Held, ...]
    account: tuple[Held, ...]
    lead: tuple[Held, ...]
    contact: tuple[Held, ...]

    @property
    def known(self) -> bool:
        """Was there ever anything of the first one?"""
        return self.steps[0].found


class _Row(Struct, frozen=True):
    """A record under its key; an empty one where none is found, or none can be read."""

    key: Key
    record: Record
    found: bool
    damaged: bool = False

    @property
    def kind(self) -> Kind:
        return kind_of(self.key)

    @property
    def is_shared(self) -> bool:
        user = self.record.links.get("user")
        return self.kind == "anonymous" and user is not None and user.other_ms is not None


def origins(store: Store, first: Key) -> Origins:
    """Everything that is known where this key leads. Raises StoreError, NotAtOnce."""
    rows = _chain(store, first)
    people = [row for row in rows if row.kind != "group"]
    traits = _held(people)
    email = next((held for held in traits if held.name == "email" and held.state == "counts"), None)
    account = _account(people)
    asked = [] if account is None or people != rows else [key("group", account.value)]
    asked += [] if email is None else salesforce(email.value)
    rows += map(_row, asked, store.get(asked)) if asked else ()
    of = {kind: [row for row in rows if row.kind == kind] for kind in ("group", "lead", "contact")}
    steps = [*_steps(people), *(_step(row, account) for row in of["group"])]
    if email is not None:
        by_email = Link(email.time_ms, str(email.value), email.origin)
        steps += [_step(row, by_email) for row in (*of["lead"], *of["contact"]) if row.found]
    return Origins(tuple(steps), traits, *map(_held, of.values()))


def to_json(found: Origins) -> dict[str, Any]:
    """The form for programs, of plain JSON values: `mutiny-edge profile --format json` and `GET /v1/profiles/…`.

    Times are in RFC 3339; a trait that was removed has the value null.
    """
    plain: dict[str, Any] = msgspec.to_builtins(
        {
            "records": [_step_json(step) for step in found.steps],
            "traits": [_held_json(held) for held in found.traits],
            "account": [_held_json(held) for held in found.account],
            "lead": [_held_json(held) for held in found.lead],
            "contact": [_held_json(held) for held in found.contact],
        }
    )
    return plain


def _step_json(step: Step) -> dict[str, Any]:
    times = {"linkedAt": step.linked_ms, "otherUntil": step.other_ms, "deletedUntil": step.deleted_ms}
    said = {name: None if time_ms is None else moment(time_ms) for name, time_ms in times.items()}
    which = {"kind": step.kind, "id": step.id, "found": step.found, "damaged": step.damaged}
    return {**which, **_origin_json(step.origin), **said}


def _held_json(held: Held) -> dict[str, Any]:
    said = {"name": held.name, "value": held.value, "state": held.state, "setAt": moment(held.time_ms)}
    return {**said, **_origin_json(held.origin), "record": {"kind": held.kind, "id": held.id}}


def _origin_json(origin: str) -> dict[str, str | None]:
    source, _, event = origin.partition(" ")
    return {"source": source or None, "event": event or None}


def _chain(store: Store, first: Key) -> list[_Row]:
    rows: list[_Row] = []
    next_: Key | None = first
    for found in store.chain(first, _next):
        if next_ is not None:
            rows.append(_row(next_, found))
            next_ = _next(found)
    return rows


def _next(found: Found) -> Key | None:
    try:
        return leads_to(facts(found)) if isinstance(found, bytes) else None
    except (BadRecord, BadId):
        return None


def _row(key_: Key, found: Found) -> _Row:
    if not isinstance(found, bytes):
        return _Row(key_, Record(), found is not None, damaged=found is not None)
    try:
        return _Row(key_, decode(found), found=True)
    except BadRecord:
        return _Row(key_, Record(), found=True, damaged=True)


def _account(people: Iterable[_Row]) -> Link | None:
    """The link to the account: of the last record that has one."""
    links = [row.record.links["group"] for row in people if "group" in row.record.links and not row.is_shared]
    return links[-1] if links else None


def _steps(people: Iterable[_Row]) -> Iterator[Step]:
    before = Record()
    for row in people:
        link = before.links.get(row.kind)
        yield _step(row, link)
        before = row.record


def _step(row: _Row, link: Link | None) -> Step:
    step = Step(row.kind, id_of(row.key), row.found, row.damaged, deleted_ms=row.record.deleted_ms)
    if link is None:
        return step
    return replace(step, linked_ms=link.time_ms, origin=link.origin, other_ms=link.other_ms)


def _held(rows: Iterable[_Row]) -> tuple[Held, ...]:
    """What stands in these records, by name; a later one covers what is said in an earlier one."""
    held: dict[str, list[Held]] = {}
    for row in rows:
        for name, register in row.record.traits.items():
            state: State = "counts" if register.value is not None else "removed"
            one = Held(name, register.value, state, register.time_ms, register.origin, row.kind, id_of(row.key))
            of = held.setdefault(name, [])
            if row.is_shared:
                of.append(replace(one, state="withheld"))
                continue
            of[:] = [replace(covered, state="covered") if covered.state == "counts" else covered for covered in of]
            of.insert(0, one)
    return tuple(one for _, of in sorted(held.items()) for one in of)
