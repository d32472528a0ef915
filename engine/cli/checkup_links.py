"""The chain from Segment to lift, link by link, for `doctor`: what was heard of each, and what to do where nothing was.

What lives here: one function a link, in the order in which somebody connects Segment. What may not: files and stores,
which `checkup_chain.py` reads into a `Chain`.

1. Without a source there is no chain yet, which is in order: then only the first link speaks.
2. What was sent is known by name records (`profiles.catalogue`), so nothing here depends on how much is stored, and
   no value is ever shown.
3. `trouble` is what keeps everybody from being personalized by what Segment knows; the other links are `warning`s.
"""

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import Final, Literal

from msgspec import Struct

from engine import limits
from engine.cli.traits import day
from engine.profiles.catalogue import Entry, moment
from engine.rules.doubts.seen import Seen
from engine.segment.message import VISITOR_TRAIT

State = Literal["ok", "warning", "trouble"]
Said = tuple[State, str] | tuple[State, str, str]

EXPOSURE: Final = "Mutiny Experience Viewed"
_EMAILS: Final = frozenset(
    {"email", "emailaddress", "mail", "useremail", "workemail", "businessemail", "contactemail", "primaryemail"}
)
_SHOWN: Final = 3  # of a list, in one line


class Refused(Struct, frozen=True):
    """The messages that were rejected for one reason."""

    code: str
    messages: int
    reason: str  # the last one's


class Chain(Struct, frozen=True):
    """All that the links are judged by. `heard`: each source that ever sent, and when last (ms)."""

    now: datetime
    sources: tuple[str, ...] = ()
    heard: Mapping[str, int] = {}
    traits: Mapping[str, Entry] = {}
    unusable: Mapping[str, Entry] = {}  # traits that came with a value that nothing can be done with
    events: Mapping[str, Entry] = {}
    goals: Mapping[str, str] = {}  # key and event
    skews_s: Mapping[str, float] = {}  # how far each source's clock is behind ours
    rejected: tuple[Refused, ...] = ()
    torn: tuple[str, ...] = ()  # files
    trouble: str | None = None  # why some of it could not be read; what to do stands behind a semicolon

    @property
    def begun(self) -> bool:
        """Is there anything to look for?"""
        return bool(self.sources or self.heard)


def sources(chain: Chain) -> Said:
    """There is a source, and each has sent in the last day."""
    if chain.trouble is not None:
        what, _, do = chain.trouble.partition("; ")
        return "trouble", what, do or "see that this user may read what is in the data folder"
    if not chain.begun:
        return "ok", "none yet; `mutiny-edge sources add website --kind website` lets a Segment source send here"
    silent = [name for name in chain.sources if name not in chain.heard]
    ages = {name: _age_s(chain, chain.heard[name]) for name in chain.sources if name in chain.heard}
    late = [name for name, age in ages.items() if age > limits.SOURCE_SILENT_S]
    text = "; ".join([*(f"{name} {ago(age)}" for name, age in ages.items()), *(f"{name} never" for name in silent)])
    text = f"last heard: {text}" if text else "no source has a key any more, and some have sent"
    if silent:
        return "warning", text, f"point {_listed(silent)} here with the key that `mutiny-edge sources add` printed"
    if late:
        return "warning", text, f"see in Segment whether {_listed(late)} still sends, and whether it is answered"
    return "ok", text


def identify(chain: Chain) -> Said | None:
    """Traits reach visitors: an identify with their visitor id was seen."""
    if not chain.heard:
        return None
    entry, unusable = chain.traits.get(VISITOR_TRAIT), chain.unusable.get(VISITOR_TRAIT)
    if unusable is not None:
        do = f"send 1 to {limits.VISITOR_ID_CHARS} of A-Z a-z 0-9 . _ : - as client.js does; nothing else links anybody"
        return "warning", f"`{VISITOR_TRAIT}` came that is no visitor id: {_last(chain, unusable)}", do
    if entry is None:
        do = "on the page call analytics.identify(null, {mutinyVisitorId: …}), as client.js does"
        return "trouble", f"no identify with `{VISITOR_TRAIT}` was seen, so no trait reaches any visitor", do
    return "ok", f"`{VISITOR_TRAIT}` {_last(chain, entry)}"


def email(chain: Chain) -> Said | None:
    """The email trait is spelled exactly `email`."""
    if not chain.heard:
        return None
    others = [entry for name, entry in sorted(chain.traits.items()) if name != "email" and is_email(name)]
    spelled = ", ".join(f"`{entry.name}`" + _by(entry) for entry in others[:_SHOWN])
    do = "send it as `email`: by no other name is a Salesforce record found"
    if "email" not in chain.traits:
        return "warning", f"the email is sent as {spelled}" if others else "no trait `email` was seen", do
    if others:
        return "warning", f"`email` is sent, and {spelled} too", do
    return "ok", f"`email` {_last(chain, chain.traits['email'])}"


def goals(chain: Chain) -> Said | None:
    """The event of every goal was seen."""
    if not chain.heard or not chain.goals:
        return None
    unseen = {key: event for key, event in chain.goals.items() if event not in chain.events}
    if not unseen:
        return "ok", f"the events of all {len(chain.goals)} goals were seen" if len(chain.goals) > 1 else "seen"
    seen = Seen("", {}, frozenset(chain.events))
    near = [f"`{key}`: {hint}" for key, event in unseen.items() if (hint := seen.nearest_event(event))]
    do = near[0] if near else "send it as a Segment track event, or take the goal out"
    return "warning", f"never seen: {_listed(f'`{event}`' for event in unseen.values())}", do


def exposures(chain: Chain) -> Said | None:
    """Segment gets the exposures, and sends them on to here."""
    if not chain.heard:
        return None
    entry = chain.events.get(EXPOSURE)
    if entry is None:
        do = f"for each decision the page has to send its `track`: analytics.track('{EXPOSURE}', …)"
        return "warning", f"no `{EXPOSURE}` was seen, so nothing can be said of lift", do
    return "ok", f"`{EXPOSURE}` {_last(chain, entry)}"


def clocks(chain: Chain) -> Said | None:
    """The clocks of the sources agree with ours."""
    wrong = {name: skew for name, skew in chain.skews_s.items() if abs(skew) > limits.CLOCK_SKEW_S}
    if not chain.skews_s:
        return None
    if not wrong:
        return "ok", f"all within {limits.CLOCK_SKEW_S:.0f} s"
    said = [f"{name} is {_span(abs(skew))} {'behind' if skew > 0 else 'ahead'}" for name, skew in wrong.items()]
    return "warning", "; ".join(said), "set the clock there, or here if it is all of them: newest wins by these times"


def rejected(chain: Chain) -> Said | None:
    """No message was rejected."""
    if not chain.rejected:
        return ("ok", "none") if chain.heard else None
    most = max(chain.rejected, key=lambda refused: refused.messages)
    counts = ", ".join(f"{refused.code} {refused.messages:,}" for refused in chain.rejected)
    do = "`mutiny-edge rejected list` shows them; once it is mended, `mutiny-edge rejected replay`"
    return "warning", f"{counts}; the last {most.code}: {most.reason}", do


def torn(chain: Chain) -> Said | None:
    """No line of the event log was left half written."""
    if not chain.torn:
        return ("ok", "none") if chain.heard else None
    return (
        "warning",
        f"{len(chain.torn)} half written lines were set aside: {_listed(chain.torn)}",
        "none was acknowledged, so its sender sent it again; the files may be removed",
    )


LINKS: Final[dict[str, Callable[[Chain], Said | None]]] = {
    "sources": sources,
    "identify": identify,
    "email": email,
    "goals": goals,
    "exposures": exposures,
    "clocks": clocks,
    "rejected": rejected,
    "torn": torn,
}


def ago(seconds: float) -> str:
    """`just now`, `12 min ago`, `5 h ago`, `3 days ago`."""
    return "just now" if seconds < 120 else f"{_span(seconds)} ago"


def _span(seconds: float) -> str:
    for size, unit in ((86_400, "days"), (3_600, "h"), (60, "min")):
        if seconds >= 2 * size:
            return f"{seconds / size:.0f} {unit}"
    return f"{seconds:.0f} s"


def _age_s(chain: Chain, time_ms: int) -> float:
    return (chain.now - moment(time_ms)).total_seconds()


def _last(chain: Chain, entry: Entry) -> str:
    return f"last seen {day(entry.last_ms, chain.now)}{_by(entry)}" if entry.last_ms is not None else "was seen"


def _by(entry: Entry) -> str:
    return f" ({_listed(entry.sources)})" if entry.sources else ""


def _listed(names: Iterable[str]) -> str:
    listed = list(names)
    more = len(listed) - _SHOWN
    return ", ".join(listed[:_SHOWN]) + (f" and {more} more" if more > 0 else "")


def is_email(name: str) -> bool:
    """Is it a way to spell `email`?"""
    return _plain(name) in _EMAILS


def _plain(name: str) -> str:
    return "".join(c for c in name.lower() if c.isalnum())
