"""What `doctor` says of Salesforce: is what was read fresh and in the store, and how many records share an address.

What lives here: looking at the mirror once, judging it. What may not: asking Salesforce.

1. Where nothing was ever read from Salesforce, it is not in use, and nothing is said.
2. Of several records with one address the one that was modified last counts; that is in order, and told as a number.
3. Where Segment sends, a link of the chain (`checkup_links`) says how the email is spelled. However people came here,
   it is said here of those that are stored, of the first `limits.SALESFORCE_LOOKED` of each kind.
"""

from collections import Counter
from datetime import datetime
from itertools import islice
from pathlib import Path
from typing import Final

from msgspec.structs import replace

from engine import limits
from engine.cli.checkup_links import Said, ago, is_email
from engine.cli.salesforce_text import listed
from engine.cli.screen import counted
from engine.profiles.encoding import BadRecord, decode
from engine.profiles.ids import Kind
from engine.profiles.store import Store, StoreError
from engine.salesforce.report import Report, report
from engine.salesforce.trouble import MirrorBroken

_PEOPLE: Final[tuple[Kind, ...]] = ("visitor", "anonymous", "user")
_SYNC: Final = "run `mutiny-edge salesforce sync`, or keep it going with --watch 5m"


def look(data: Path, store: Store) -> Report | str | None:
    """What there is to tell; a text is why it cannot be told, None that Salesforce is not in use."""
    try:
        found = report(data, store)
        return None if found is None else replace(found, spelled=_spelled(store))
    except (MirrorBroken, StoreError) as broken:
        return str(broken)


def _spelled(store: Store) -> dict[str, int]:
    """How the email is spelled of those who have none that finds a record."""
    found = Counter[str]()
    for kind in _PEOPLE:
        for _, body in islice(store.scan(kind), limits.SALESFORCE_LOOKED):
            try:
                held = decode(body).traits if isinstance(body, bytes) else {}
            except BadRecord:
                continue  # counted among the damaged ones
            named = {name: at.value for name, at in held.items() if at.value is not None and is_email(name)}
            if "email" in named and not isinstance(named["email"], str):
                found["email, and no text"] += 1
            elif "email" not in named:
                found.update(list(named))
    return dict(found.most_common())


def freshness(found: Report | str | None, now: datetime) -> Said | None:
    """What was read from Salesforce is fresh, and the store has it."""
    if found is None:
        return None
    if isinstance(found, str):
        what, _, do = found.partition("; ")
        return "warning", what, do
    records = ", ".join(counted(told.records, told.object.lower()) for told in found.objects) or "no records"
    if found.is_filled is False or found.waiting:
        return "warning", f"{records}, and the store does not have all of it", "run `mutiny-edge salesforce replay`"
    times = [told.synced for told in found.objects if told.synced is not None]
    if found.outcome is not None and found.outcome.trouble is not None:
        what, _, do = found.outcome.trouble.partition("; ")
        return "warning", f"{records}; the last sync, {_when(found.outcome.ended, now)}, stopped: {what}", do or _SYNC
    text = f"{records}, synced {_when(min(times), now)}" if times else f"{records}, from exports"
    if any(told.imported is False for told in found.objects):
        return "warning", f"{text}; the last file was not read to its end", "run `mutiny-edge salesforce import` again"
    if times and (now - min(times)).total_seconds() > limits.SALESFORCE_SILENT_S:
        return "warning", text, _SYNC
    unusable = [f"{told.object.lower()}.{name}" for told in found.objects for name in told.unusable]
    if unusable:
        do = "`mutiny-edge salesforce sync --full` reads them anew; else correct them in Salesforce"
        return "warning", f"{text}; some values are none of their field's type, and absent: {listed(unusable)}", do
    return "ok", text


def addresses(found: Report | str | None) -> Said | None:
    """Records have addresses, by which they can be found."""
    if not isinstance(found, Report):
        return None
    said = []
    for told in found.objects:
        noun = told.object.lower()
        if told.shared:
            are = "is" if told.shared == 1 else "are"
            shared = counted(told.shared, "address", "addresses")
            said.append(f"{shared} {are} shared by several {noun}s, of which the last modified counts")
        if told.without_email:
            said.append(
                f"{counted(told.without_email, noun)} {'has' if told.without_email == 1 else 'have'} no address"
            )
    text = "; ".join(said) or "each record has one of its own"
    if not found.spelled:
        return "ok", text
    spelled = listed([f"`{name}` ({number:,})" for name, number in found.spelled.items()])
    do = "send it as `email`, as text: by no other name is a Salesforce record found"
    return "warning", f"{text}; people's addresses are here as {spelled}", do


def _when(time: datetime, now: datetime) -> str:
    return ago((now - time).total_seconds())
