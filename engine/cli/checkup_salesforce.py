"""What `doctor` says of Salesforce: is what was read fresh and in the store, and how many records share an address.

What lives here: looking at the mirror once, judging it. What may not: asking Salesforce.

1. Where nothing was ever read from Salesforce, it is not in use, and nothing is said.
2. Of several records with one address the one that was modified last counts; that is in order, and told as a number.
3. That the email has to be the trait `email` is a link of the chain (`checkup_links`).
"""

from datetime import datetime
from pathlib import Path
from typing import Final

from engine import limits
from engine.cli.checkup_links import Said, ago
from engine.profiles.store import Store
from engine.salesforce.report import Report, report
from engine.salesforce.trouble import MirrorBroken

_SYNC: Final = "run `mutiny-edge salesforce sync`, or keep it going with --watch 5m"


def look(data: Path, store: Store) -> Report | str | None:
    """What there is to tell; a text is why it cannot be told, None that Salesforce is not in use."""
    try:
        return report(data, store)
    except MirrorBroken as broken:
        return str(broken)


def freshness(found: Report | str | None, now: datetime) -> Said | None:
    """What was read from Salesforce is fresh, and the store has it."""
    if found is None:
        return None
    if isinstance(found, str):
        what, _, do = found.partition("; ")
        return "warning", what, do
    records = ", ".join(f"{told.records:,} {told.object.lower()}s" for told in found.objects) or "no records"
    if found.is_filled is False or found.waiting:
        return "warning", f"{records}, and the store does not have all of it", "run `mutiny-edge salesforce replay`"
    times = [told.synced for told in found.objects if told.synced is not None]
    if found.outcome is not None and found.outcome.trouble is not None:
        what, _, do = found.outcome.trouble.partition("; ")
        return "warning", f"{records}; the last sync, {_when(found.outcome.ended, now)}, stopped: {what}", do or _SYNC
    if not times:
        return "ok", f"{records}, from exports"
    text = f"{records}, synced {_when(min(times), now)}"
    old = (now - min(times)).total_seconds() > limits.SALESFORCE_SILENT_S
    return ("warning", text, _SYNC) if old else ("ok", text)


def addresses(found: Report | str | None) -> Said | None:
    """Records have addresses, by which they can be found."""
    if not isinstance(found, Report):
        return None
    shared = [f"{told.shared:,} of {told.object.lower()}s" for told in found.objects if told.shared]
    without = [f"{told.without_email:,} {told.object.lower()}s" for told in found.objects if told.without_email]
    said = [f"several records have one: {', '.join(shared)}; the last modified counts"] if shared else []
    said += [f"none have {', '.join(without)}"] if without else []
    return "ok", "; ".join(said) or "each record has one of its own"


def _when(time: datetime, now: datetime) -> str:
    return ago((now - time).total_seconds())
