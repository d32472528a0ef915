"""From a visitor id to a `Profile`: what a decision is made on.

1. At most one read for the person and one round for the account, and nothing is decoded but values (`record.facts`).
2. It never fails for what a store holds or does: what cannot be read is left out and the profile is `degraded`, so
   that the decision goes on with page and visit. `NotAtOnce` passes through; it is no failure.
"""

from engine.profiles.ids import Key, key
from engine.profiles.record import BadRecord, Facts, facts
from engine.profiles.store import DAMAGED, Store, StoreDamaged, StoreError
from engine.words import Profile


def read_profile(store: Store, visitor_id: str) -> Profile:
    """What is known of this visitor; of a visitor never heard of, nothing. Raises BadId, NotAtOnce."""
    try:
        person = _read(store, key("visitor", visitor_id))
    except StoreError:
        return Profile(visitor_id, degraded=True)
    if person is None:
        return Profile(visitor_id)
    group = person.links.get("group")
    if group is None:
        return Profile(visitor_id, person.traits)
    try:
        account = _read(store, key("group", group))
    except StoreError:
        return Profile(visitor_id, person.traits, account_id=group, degraded=True)
    return Profile(visitor_id, person.traits, {} if account is None else account.traits, account_id=group)


def _read(store: Store, key_: Key) -> Facts | None:
    found = store.get((key_,))[0]
    if found is None:
        return None
    if found is DAMAGED:
        raise StoreDamaged("the record is damaged")
    try:
        return facts(found)
    except BadRecord as bad:
        raise StoreDamaged(str(bad)) from None
