"""Jobs of Bulk API 2.0: begun, waited for, and their pages taken into the mirror one by one.

What lives here: `Jobs`. What may not: when which job is begun (`sync`), the wire (`client`).

1. A job is noted in the mirror with the page that comes next. So one that was begun by a process that died is finished
   by the next one; Salesforce keeps results for seven days. A job that it does not know any more, or that failed for
   it, is dropped, and its work is done anew.
2. A page is read line by line into one transaction. One that is cut is asked for again, a few times.
3. `everything` and `rereading` see every record, so those that they did not see are gone. What changed while they ran
   is not known by them: `everything` sets the mark to when the job was made, by Salesforce's clock.
4. **Nothing is taken away on the word of answers that do not agree**: the pages have to hold exactly as many records as
   the job says that it has. And where more than half would go (as of a user who may not see them any more), that has to
   be asked for (`full`). Such a job is dropped, so that the next sync reads anew.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final, TypeAlias

from msgspec.structs import replace

from engine import limits
from engine.salesforce.answers import odd
from engine.salesforce.client import Begun, Client, Cut
from engine.salesforce.fields import Field, Object, formulas
from engine.salesforce.mirror import Kept, Mirror
from engine.salesforce.rows import Row, made, row
from engine.salesforce.state import Job, JobKind, State
from engine.salesforce.trouble import Odd, Refused

Tell: TypeAlias = Callable[[str, int, int | None], None]  # of what, how many records are done, of how many
Counts: TypeAlias = tuple[Kept, Counter[str]]  # what became of records, and unusable values by field
Make: TypeAlias = Callable[[Mapping[str, Any]], Row | None]

_FAILED: Final = frozenset({"Failed", "Aborted"})
_DONE: Final = "JobComplete"
_ID: Final = Field("Id", "id")
_GONE: Final = frozenset({"NOT_FOUND", "INVALIDJOB", "INVALID_JOB", "INVALIDJOBSTATE", "ENTITY_IS_DELETED"})


class Jobs:
    """Jobs for a mirror."""

    def __init__(self, client: Client, mirror: Mirror, sleep: Callable[[float], None], tell: Tell) -> None:
        self._client = client
        self._mirror = mirror
        self._sleep = sleep
        self._tell = tell

    def begin(self, object_: Object, kind: JobKind, question: str) -> None:
        """Have Salesforce begin it, and note that."""
        begun = self._client.begin(question, deleted=kind == "changes")
        state = self._mirror.state(object_)
        number = state.number + 1
        job = Job(kind, begun.id, begun.created, number)
        state = replace(state, number=number, job=job, unusable=() if kind == "everything" else state.unusable)
        self._mirror.keep(object_, state)

    def finish(self, object_: Object, fields: Sequence[Field], counts: Counts, *, asked: bool = False) -> bool:
        """Wait for the job that is noted, and take all its pages; false where it cannot be finished any more.

        With `asked` it may take away as many records as it did not see.
        """
        kept, unusable = counts
        try:
            total = self._wait(object_)
            while (job := _of(self._mirror.state(object_))).locator is not None:
                kept.add(self._page(object_, job, fields, unusable))
                self._tell(object_, _of(self._mirror.state(object_)).records, total)
        except Refused as refused:
            if refused.code in _GONE or isinstance(refused, Odd):
                self._drop(object_)
            if refused.code not in _GONE:
                raise
            return False
        self._agree(object_, job, total, asked=asked)
        kept.gone += self._end(object_, job)
        return True

    def _agree(self, object_: Object, job: Job, total: int | None, *, asked: bool) -> None:
        """The job may end as it has to. Raises Refused; then it is dropped."""
        if job.records != total:
            self._drop(object_)
            said = "does not say how many" if total is None else f"says {total:,}"
            raise odd(f"{object_}: its job sent {job.records:,} records and {said}")
        if job.kind == "changes" or asked:
            return
        gone, known = self._mirror.unseen(object_, job.number)
        if gone > limits.SALESFORCE_GONE_MOST and 2 * gone > known:
            self._drop(object_)
            do = "none was removed; see that the user may still see them all, or have it done by `--full`"
            raise Refused("", f"{object_}: {gone:,} of {known:,} records were not in what Salesforce sent; {do}")

    def run(
        self, object_: Object, job: JobKind, question: str, fields: Sequence[Field], counts: Counts, *,
        asked: bool = False,
    ) -> None:  # fmt: skip
        """Begin it and finish it."""
        self.begin(object_, job, question)
        if not self.finish(object_, fields, counts, asked=asked):
            raise Refused("", f"{object_}: Salesforce does not know its own job any more; run it again")

    def _wait(self, object_: Object) -> int | None:
        """Until its results are there; how many they are, as far as it says."""
        job = _of(self._mirror.state(object_))
        pause = limits.SALESFORCE_POLL_S
        while True:
            found = self._client.job(job.id)
            if found.state in _FAILED:
                self._drop(object_)
                raise _failed(object_, found)
            if found.state == _DONE:
                return found.records
            self._tell(object_, found.records or 0, None)
            self._sleep(pause)
            pause = min(pause * 1.5, limits.SALESFORCE_POLL_MOST_S)

    def _page(self, object_: Object, job: Job, fields: Sequence[Field], unusable: Counter[str]) -> Kept:
        """The next page, asked for again where it is cut, or is none."""
        for tried in range(1, limits.SALESFORCE_TRIES + 1):
            counted = Counter[str]()
            try:
                kept = self._take(object_, job, fields, counted)
            except (Cut, Odd):
                if tried == limits.SALESFORCE_TRIES:
                    raise
                self._sleep(limits.SALESFORCE_PAUSE_S * 2 ** (tried - 1))
            else:
                unusable.update(counted)
                return kept
        raise AssertionError("the last try returns or raises")

    def _take(self, object_: Object, job: Job, fields: Sequence[Field], unusable: Counter[str]) -> Kept:
        asked = [_ID, *formulas(fields)] if job.kind == "rereading" else fields
        page = self._client.page(job.id, job.locator or "", [field.name for field in asked])
        make = self._remade(object_, fields, unusable) if job.kind == "rereading" else _read(fields, unusable)
        records = 0

        def rows() -> Iterator[Row]:
            nonlocal records
            for raw in page.records():
                records += 1
                found = make(raw)
                if found is not None:
                    yield found

        def behind() -> State:
            if page.next == job.locator and page.next:
                raise odd("a page of results names itself as the next one")
            state = self._mirror.state(object_).noting(unusable)
            return replace(state, job=replace(job, locator=page.next or None, records=job.records + records))

        number = 0 if job.kind == "changes" else job.number
        return self._mirror.page(object_, rows(), behind, number)

    def _remade(self, object_: Object, fields: Sequence[Field], unusable: Counter[str]) -> Make:
        """A record that is known, with the formula fields as they are now."""
        calculated = {field.name: field for field in formulas(fields)}

        def make(raw: Mapping[str, Any]) -> Row | None:
            new = row({"Id": _ID, **calculated}, raw, unusable).values
            known = self._mirror.record(object_, new["Id"])
            if known is None:
                return None
            return made({name: value for name, value in known.values.items() if name not in calculated} | new)

        return make

    def _end(self, object_: Object, job: Job) -> int:
        """Every page is kept; how many records are gone that it did not see."""
        state = replace(self._mirror.state(object_), job=None)
        if job.kind == "rereading":
            return self._mirror.settle(object_, job.number, replace(state, reread=job.created))
        state = replace(state, mark=job.created)
        if job.kind == "everything":
            return self._mirror.settle(object_, job.number, replace(state, full=job.created))
        self._mirror.keep(object_, state)
        return 0

    def _drop(self, object_: Object) -> None:
        self._mirror.keep(object_, replace(self._mirror.state(object_), job=None))


def _read(fields: Sequence[Field], unusable: Counter[str]) -> Make:
    """The record that a line of CSV is."""
    by_name = {field.name: field for field in fields}
    return lambda raw: row(by_name, raw, unusable)


def _of(state: State) -> Job:
    if state.job is None:
        raise AssertionError("a job is finished that was never noted")
    return state.job


def _failed(object_: Object, found: Begun) -> Refused:
    code, _, _ = found.message.partition(":")
    said = found.message or "it does not say why"
    return Refused(code.strip(), f"{object_}: Salesforce could not carry out its job ({found.state}): {said}")
