"""From a visitor id to a `Profile`: what a decision is made on.

1. The person is one `chain`: the visitor's record, by its newest link the anonymous record or the user's, from the
   anonymous record the user's, and from there the account's. Nothing is decoded but values (`encoding.facts`).
2. Then at most one `get`, for what the chain could not know to lead to: the account where the user's record names none
   and an earlier one does, and the Salesforce records under the trait `email`.
3. The user's traits lie over those of the anonymous record, those over the visitor's own; what one of them has removed
   does not show through from below. The account's id is found in the same order.
4. **Of a device that several users had, nothing counts but the link to its user**: whose its own traits are nobody
   can say, and two users must never see each other's. Most of them the record forgets by itself (`record`, the
   horizon).
5. It never fails for what a store holds or does: what cannot be read is left out and the profile is `degraded`, so
   that the decision goes on with page and visit. `NotAtOnce` passes through; it is no failure.
"""

from typing import Any, Final, TypeAlias

from engine.profiles.encoding import BadRecord, Facts, facts
from engine.profiles.ids import BadId, Key, key, prefix
from engine.profiles.store import Store, StoreError
from engine.words import Profile

Step: TypeAlias = tuple[Facts | None, Key | None]  # what a record says, and which one it leads to

_ANONYMOUS: Final = prefix("anonymous")
_USER: Final = prefix("user")
_GROUP: Final = prefix("group")
_LEAD: Final = prefix("lead")
_CONTACT: Final = prefix("contact")


def read_profile(store: Store, visitor_id: str) -> Profile:
    """What is known of this visitor; of a visitor never heard of, nothing. Raises BadId, NotAtOnce."""
    chain = _Chain()
    try:
        found = store.chain(key("visitor", visitor_id), chain.following)
    except StoreError:
        return Profile(visitor_id, degraded=True)
    degraded = False
    if type(found[-1]) is not bytes:
        degraded = found.pop() is not None
        if not found:
            return Profile(visitor_id, degraded=degraded)
    if len(chain) > len(found):  # the store had to begin anew
        del chain[: -len(found)]
    said = chain[-1][0]
    if said is None:
        chain.pop()
        degraded = True
    elif not said.links and len(chain) == 1 and "email" not in said.traits:  # the rest would find nothing to do
        return Profile(visitor_id, said.traits, degraded=degraded)
    return _profile(store, visitor_id, chain, degraded=degraded)


class _Chain(list[Step]):
    """What was found along a chain; where the store had to begin anew, after what it had found before."""

    def following(self, body: bytes) -> Key | None:
        said: Facts | None
        try:
            said = facts(body)
            next_ = leads_to(said) if said.links else None
        except (BadRecord, BadId):
            said = next_ = None
        self.append((said, next_))
        return next_


def leads_to(said: Facts) -> Key | None:
    """The record that this one leads to: of an anonymous id or a user, by the newer link, or else of its account.

    Raises BadRecord, BadId.
    """
    links = said.links
    anonymous, user = links.get("anonymous"), links.get("user")
    if user is not None and (anonymous is None or said.link_time("user") > said.link_time("anonymous")):
        return key("user", user)
    if anonymous is not None:
        return key("anonymous", anonymous)
    return key("group", links["group"]) if "group" in links else None


def _profile(store: Store, visitor_id: str, chain: list[Step], *, degraded: bool) -> Profile:
    """The profile that the records of a chain make, with what they lead to besides."""
    traits: dict[str, Any] = {}
    account: dict[str, Any] = {}
    user_id = account_id = None
    kind = b""
    for said, next_ in chain:
        if said is None or kind == _GROUP:
            account = {} if said is None else said.traits
            break
        if not (kind == _ANONYMOUS and said.is_shared):
            for name in said.removed:
                traits.pop(name, None)
            traits = {**traits, **said.traits} if traits else said.traits
            if next_ is not None:
                account_id = said.links.get("group", account_id)
        if next_ is not None:
            kind = next_[:2]
            if kind == _USER:
                user_id = said.links["user"]
    asked = [] if account_id is None or kind == _GROUP else [key("group", account_id)]
    if "email" in traits:
        asked += salesforce(traits["email"])
    if not asked:
        return Profile(visitor_id, traits, account, {}, {}, user_id, account_id, degraded)
    values, whole = _values(store, asked)
    account = values.get(_GROUP, account)
    lead, contact = values.get(_LEAD, {}), values.get(_CONTACT, {})
    return Profile(visitor_id, traits, account, lead, contact, user_id, account_id, degraded or not whole)


def salesforce(email: Any) -> list[Key]:
    """Under what the records of a person with this address stand, if it is one."""
    if type(email) is not str:
        return []
    address = email.strip().lower()
    try:
        return [key("lead", address), key("contact", address)]
    except BadId:
        return []


def _values(store: Store, keys: list[Key]) -> tuple[dict[bytes, dict[str, Any]], bool]:
    """The values of these records, by the letter of their kind; and whether all of them could be read."""
    values: dict[bytes, dict[str, Any]] = {}
    whole = True
    try:
        for key_, found in zip(keys, store.get(keys), strict=True):
            if type(found) is bytes:
                values[key_[:2]] = facts(found).traits
            elif found is not None:
                whole = False
    except (StoreError, BadRecord):
        whole = False
    return values, whole
