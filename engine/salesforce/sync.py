"""A sync: what has to be asked of Salesforce, in which order, until the mirror is what the org is, and the store too.

What lives here: `Sync`, one run for some objects. What may not: the wire (`client`), a job's pages (`bulk`), who counts
(`projection`), printing, a clock of its own.

1. Of each object first the job that an earlier run left is finished, then everything is read if it never was, or its
   fields are other ones, or that is asked for (`full`); then what changed since; and now and then formulas and ids.
2. Changes come with deletions (`queryAll`), by pages of a query that are ordered by time, each kept with the time up to
   which it goes. Very many, or a question too long for a URL, are a job.
3. **A formula's value changes without the record being changed**, so once a day (`limits.SALESFORCE_REREAD_S`) the
   formula fields of all records are read again by a job. The same job sees which ids there are: records that were
   deleted for good appear in no change, and go here because it did not see them.
4. Whatever stops it, what was read until then goes into the store, and the next run goes on there. What Salesforce
   refuses of one object stops that one alone; if it refuses all of them, that is the trouble of the whole.
5. The fields are asked for again now and then, with `full`, and where values turn up that are none of their type: then
   our idea of the fields is an old one.
6. One at a time in a data folder (`lock`).
"""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from functools import partial
from typing import Any, Final

from msgspec.structs import replace

from engine import limits
from engine.profiles.catalogue import moment
from engine.profiles.record import time_ms
from engine.profiles.store import Store
from engine.salesforce import soql
from engine.salesforce.answers import odd
from engine.salesforce.bulk import Counts, Jobs, Tell
from engine.salesforce.client import Client
from engine.salesforce.fields import HIDDEN, OBJECTS, Field, Object, described, formulas, is_same
from engine.salesforce.mirror import Kept, Mirror
from engine.salesforce.projection import bring, waiting
from engine.salesforce.rows import Row, row
from engine.salesforce.state import Outcome, Part, State
from engine.salesforce.trouble import Odd, Refused, SalesforceTrouble
from engine.salesforce.typed import Unusable

_STALE: Final = frozenset({"INVALID_QUERY_LOCATOR", "INVALID_FIELD"})  # the answer's end, or our idea of the fields
_CLOSED: Final = frozenset(
    {HIDDEN, "NOT_FOUND", "INVALID_TYPE", "INSUFFICIENT_ACCESS", "INSUFFICIENT_ACCESS_OR_READONLY"}
)  # what there is, and this user may not see
_ONCE: Final = 2  # tries


class Sync:
    """One run. `clock` is aware; `tell` hears how far it is."""

    def __init__(
        self,
        client: Client,
        mirror: Mirror,
        store: Store,
        *,
        clock: Callable[[], datetime],
        sleep: Callable[[float], None],
        tell: Tell,
    ) -> None:
        self._client = client
        self._mirror = mirror
        self._store = store
        self._clock = clock
        self._tell = tell
        self._jobs = Jobs(client, mirror, sleep, tell)

    def run(self, objects: Sequence[Object], *, full: bool = False) -> Outcome:
        """Do it, and keep how it went. Raises SalesforceTrouble, StoreError; then what was read is in the store."""
        parts, refusals = list[Part](), list[Refused]()
        trouble: str | None = "it was interrupted; the next one goes on there"
        written = 0
        try:
            for object_ in objects:
                parts.append(self._part(object_, refusals, full=full))
            if refusals and len(refusals) == len(objects):
                raise refusals[0]
            trouble = str(refusals[0]) if refusals else None
        except SalesforceTrouble as error:
            trouble = str(error)
            raise
        finally:
            written = self._bring()
            outcome = self._outcome(parts, written, trouble)
            self._mirror.ended(outcome)
        return outcome

    def _bring(self) -> int:
        total = waiting(self._mirror)
        done = 0

        def progress(more: int) -> None:
            nonlocal done
            done += more
            self._tell("store", done, max(total, done))

        return bring(self._mirror, self._store, time_ms(self._clock()), progress)

    def _outcome(self, parts: Sequence[Part], written: int, trouble: str | None) -> Outcome:
        usage = self._client.usage
        used, total = (usage.used, usage.total) if usage is not None else (None, None)
        return Outcome(self._clock(), tuple(parts), written, self._client.calls, used, total, trouble)

    def _part(self, object_: Object, refusals: list[Refused], *, full: bool) -> Part:
        """What became of one object; what Salesforce refuses of it is among the refusals then."""
        kept, unusable = Kept(), Counter[str]()
        trouble: str | None = None
        try:
            self._object(object_, kept, unusable, full=full)
        except Refused as refused:
            refusals.append(_named(object_, refused))
            trouble = str(refusals[-1])
        total = self._mirror.count("COUNT(*) FROM records WHERE object = ?", object_)
        return Part(object_, kept.new, kept.changed, kept.gone, total, dict(unusable), trouble)

    def _object(self, object_: Object, kept: Kept, unusable: Counter[str], *, full: bool) -> None:
        """All that has to be done for one object."""
        began = self._clock()
        for tried in range(1, _ONCE + 1):
            try:
                self._steps(object_, kept, unusable, full=full, fields=self._describe(object_, anew=full))
                break
            except Refused as refused:
                if refused.code not in _STALE or tried == _ONCE:
                    raise
                self._keep(object_, described=None)
            except Unusable:
                raise odd(f"{object_}: a record without its id") from None
        described_ = self._state(object_).described
        if unusable and described_ is not None and described_ < began:
            fields = self._describe(object_, anew=True)
            if self._state(object_).full is None:
                unusable.clear()
                self._steps(object_, kept, unusable, full=False, fields=fields)

    def _steps(
        self, object_: Object, kept: Kept, unusable: Counter[str], *, full: bool, fields: Sequence[Field]
    ) -> None:
        counts = (kept, unusable)
        job = self._state(object_).job
        through = job is not None and self._jobs.finish(object_, fields, counts, asked=full)
        anew = full and not (job is not None and job.kind == "everything" and through)
        if anew or self._state(object_).full is None:
            self._jobs.run(object_, "everything", soql.everything(object_, fields), fields, counts, asked=full)
        self._changes(object_, fields, counts)
        if self._is_due(object_):
            question = soql.rereading(object_, formulas(fields))
            self._jobs.run(object_, "rereading", question, fields, counts)
        self._keep(object_, synced=self._clock())

    def _describe(self, object_: Object, *, anew: bool = False) -> tuple[Field, ...]:
        """The fields, asked for again when that was long ago; other fields than before, and all has to be read anew."""
        known, state, now = self._mirror.fields(object_), self._mirror.state(object_), self._clock()
        if not anew and known and state.described and _age_s(state.described, now) < limits.SALESFORCE_DESCRIBE_S:
            return known
        fields = described(object_, self._client.describe(object_))
        state = replace(state, described=now)
        if not is_same(known, fields):
            state = replace(state, full=None, job=None)
        self._mirror.describe(object_, fields, state)
        return fields

    def _changes(self, object_: Object, fields: Sequence[Field], counts: Counts) -> None:
        """What changed since the mark."""
        mark = self._state(object_).mark or datetime.fromtimestamp(0, UTC)
        question = soql.changes(object_, fields, mark, ordered=True)
        answer = self._client.ask(question, deleted=True) if soql.fits_url(question) else None
        if answer is None or answer.total > limits.SALESFORCE_CHANGES:
            question = soql.changes(object_, fields, mark, ordered=False)
            self._jobs.run(object_, "changes", question, fields, counts)
            return
        by_name, done = {field.name: field for field in fields}, 0
        kept, unusable = counts
        while True:
            rows = [row(by_name, _whole(by_name, record), unusable) for record in answer.records]
            state = partial(self._known, object_, rows, tuple(unusable))
            kept.add(self._mirror.page(object_, rows, state))
            done += len(rows)
            self._tell(object_, done, answer.total)
            if answer.more is None:
                return
            answer = self._client.more(answer.more)

    def _known(self, object_: Object, rows: Sequence[Row], unusable: Sequence[str]) -> State:
        """How far the object is with these changes."""
        state = self._state(object_).noting(unusable)
        times = [moment(row.modified_ms) for row in rows] + ([state.mark] if state.mark else [])
        return replace(state, mark=max(times, default=None))

    def _is_due(self, object_: Object) -> bool:
        """Is it time to read formulas and ids again?"""
        state, now = self._state(object_), self._clock()
        last = max((time for time in (state.full, state.reread) if time is not None), default=now)
        return _age_s(last, now) >= limits.SALESFORCE_REREAD_S

    def _state(self, object_: Object) -> State:
        return self._mirror.state(object_)

    def _keep(self, object_: Object, **changed: datetime | None) -> None:
        self._mirror.keep(object_, replace(self._state(object_), **changed))


def _named(object_: Object, refused: Refused) -> Refused:
    """The same, with which object it is, and what can be done where the user may not see it."""
    said = str(refused)
    if refused.code in _CLOSED:
        others = " or ".join(f"`--object {other}`" for other in OBJECTS if other != object_)
        do = f"let the app's user read {object_}s and their fields, or sync without them: {others}"
        said = f"{said.partition('; ')[0]}; {do}"
    said = said if said.startswith(f"{object_}: ") else f"{object_}: {said}"
    return Odd(said) if isinstance(refused, Odd) else Refused(refused.code, said)


def _whole(fields: Mapping[str, Field], record: Mapping[str, Any]) -> Mapping[str, Any]:
    """The record, if it has every field that was asked for. Raises Odd."""
    if not fields.keys() <= record.keys():
        raise odd("a record of a query has not all fields")
    return record


def _age_s(time: datetime, now: datetime) -> float:
    return (now - time).total_seconds()
