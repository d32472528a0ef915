"""The answer to a usual visitor of a page, in one function: from the id to the bytes, with nothing in between.

What lives here: what `Reader.read`, `Decider.decide_on` and `wire.to_json` do one after the other, at once, for whom it
is short. What may not: any answer that differs from theirs by a byte.

1. Usual is a page whose rules look at traits, the URL and the time alone, without declared types, and draw by visitor;
   and a visitor who is one record, or none. Most are.
2. Whatever is not so is None: ask the long way, which begins anew. So nothing is noted here before the answer is sure;
   then it is counted, in the tally that the function was made with.
3. A visitor id is of an alphabet that JSON writes as it is (`ids.is_visitor_id`); who calls has looked.
"""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from functools import partial
from typing import Any, Final, TypeAlias

from engine.decide.plans import Plan
from engine.decide.render import Roots
from engine.decide.split import drawn
from engine.decide.tally import BEYOND, UNMATCHED, Tally
from engine.decide.wire import END, START, before_decisions
from engine.profiles.read import Reader
from engine.profiles.store import Reads
from engine.words import Traits

Clock: TypeAlias = Callable[[], datetime]
Matching: TypeAlias = Callable[..., list[tuple[int, int]]]
Fields: TypeAlias = dict[str, Any]  # of the page, that its URL alone decides
# Of a valid visitor id; None where the long way has to be asked. Raises NotAtOnce.
Usual: TypeAlias = Callable[[Reads, str, Fields, Clock], bytes | None]

_NOTHING: Final[dict[str, Any]] = {}  # shared and never written to: a root of which nothing is known
UNASKED: Final = datetime.min.replace(tzinfo=UTC)  # the time on pages whose rules do not look at it
_BEFORE: Final = START + b'"'


def where_nothing_applies(version: str, tally: Tally) -> Usual:
    """The function of all pages without an experience."""
    counts = tally.counts
    behind = _behind(version) + END

    def answer(_store: Reads, visitor_id: str, _fields: Fields, _clock: Clock) -> bytes:
        counts[UNMATCHED] += 1
        return b"".join((_BEFORE, visitor_id.encode(), behind))

    return answer


def usual(
    function: Matching, reader: Reader, plans: Sequence[Plan], version: str, tally: Tally, *, timed: bool
) -> Usual:
    """The function of a usual page: `function` matches, `plans` are those of the experiences that its hits name.

    `tally` counts the answers. `timed`: is the time looked at? Page beside its URL, visit, device and place may
    not be, nor may there be declared types, nor a page's experience that does not draw by visitor.
    """
    behind = _behind(version)
    nobody, counts = behind + END, tally.counts
    read = reader.read_alone if reader.reads else None

    def answer(store: Reads, visitor_id: str, fields: Fields, clock: Clock) -> bytes | None:
        id_ = visitor_id.encode()
        traits: Traits | None = _NOTHING if read is None else read(store, id_)
        if traits is None:
            return None
        now = clock() if timed else UNASKED
        try:
            hits = function(traits, _NOTHING, _NOTHING, fields, _NOTHING, _NOTHING, _NOTHING, now)
        except Exception:  # noqa: BLE001 - the long way knows what to do where generated code raises
            return None
        if not hits:
            counts[UNMATCHED] += 1
            return b"".join((_BEFORE, id_, nobody))
        entries = []
        for place, number in hits:
            text, limit, control, personalized, counted = plans[place].draws[number]
            if personalized is not None:
                if drawn(text + id_) < limit:
                    counts[counted] += 1
                    entries.append(control)
                else:
                    counts[counted + 1] += 1
                    entries.append(personalized)
                continue
            roots = (traits, _NOTHING, _NOTHING, fields, _NOTHING, _NOTHING, _NOTHING, now)
            assignment = plans[place].assign(number, visitor_id, partial(_itself, roots))
            if assignment is not None:  # nobody who is held out
                counts[counted + (assignment.variant is not None)] += 1
                entries.append(assignment.body)
        beyond = len(entries) - 1
        if beyond > 0:
            counts[BEYOND] += beyond
        elif beyond:  # held out of all
            counts[UNMATCHED] += 1
        joined = b",".join(entries) if beyond else entries[0]  # most have one
        return b"".join((_BEFORE, id_, behind, joined, END))

    return answer


def _itself(roots: Roots) -> Roots:
    return roots


def _behind(version: str) -> bytes:
    return b'"' + before_decisions(version)
