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
6. A `Reader` reads what somebody `Wanted`, and leaves the rest where it is: no account that no rule asks for, no
   Salesforce record, no trait (`encoding.facts_decoder`). Whoever looks at nothing else sees no difference.
7. `read_alone` is the short way for a visitor who is one record, or none; where that is not so, it says nothing.
"""

from functools import partial
from typing import Any, Final, TypeAlias

from msgspec import Struct

from engine.profiles.encoding import NO_FACTS, Facts, facts, facts_decoder
from engine.profiles.ids import BadId, Key, key, prefix
from engine.profiles.store import Reads, StoreError
from engine.words import Profile

Known: TypeAlias = Facts[dict[str, Any]]
Step: TypeAlias = tuple[Known | None, Key | None]  # what a record says, and which one it leads to
Names: TypeAlias = frozenset[str] | None  # None: all

_VISITOR: Final = prefix("visitor")
_ANONYMOUS: Final = prefix("anonymous")
_USER: Final = prefix("user")
_GROUP: Final = prefix("group")
_LEAD: Final = prefix("lead")
_CONTACT: Final = prefix("contact")
_NONE: Final[frozenset[str]] = frozenset()


class Wanted(Struct, frozen=True):
    """The parts of a profile that somebody looks at: the names of traits and fields, and the two ids."""

    traits: Names = None
    account: Names = None
    lead: Names = None
    contact: Names = None
    user_id: bool = True
    account_id: bool = True


class Reader:
    """Reads the parts of profiles that are wanted; of the others there may be something in them, or not."""

    __slots__ = ("_crm", "_facts", "_with_account", "reads")

    def __init__(self, wanted: Wanted = Wanted()) -> None:  # noqa: B008 - it is immutable
        traits, account = wanted.traits, wanted.account
        crm = {kind: names for kind, names in ((_LEAD, wanted.lead), (_CONTACT, wanted.contact)) if names != _NONE}
        # One reader for the whole chain: which record of it a body is, nobody is told.
        names = None if traits is None or account is None else traits | account | ({"email"} if crm else _NONE)
        self._facts = facts_decoder(names)
        self._with_account = account != _NONE
        self._crm = {kind: facts_decoder(fields) for kind, fields in crm.items()}
        # Is there anything to be read?
        self.reads = names != _NONE or wanted.user_id or wanted.account_id

    def read(self, store: Reads, visitor_id: str) -> Profile:
        """What is known of this visitor; of a visitor never heard of, nothing. Raises BadId, NotAtOnce."""
        chain: list[Step] = []
        try:
            found = store.chain(key("visitor", visitor_id), partial(self._following, chain))
        except StoreError:
            return Profile(visitor_id, degraded=True)
        if len(found) == 1 and len(chain) == 1:
            said, next_ = chain[0]
            if said is not None and next_ is None and not (self._crm and "email" in said.traits):  # as `read_alone`
                # Most visitors: the rest would find nothing more to do.
                return Profile(visitor_id, said.traits, {}, {}, {}, None, said.links.get("group"))
        degraded = False
        if type(found[-1]) is not bytes:
            degraded = found.pop() is not None
            if not found:
                return Profile(visitor_id, degraded=degraded)
        if len(chain) > len(found):  # the store had to begin anew, and was told the same again
            del chain[: -len(found)]
        if chain[-1][0] is None:
            chain.pop()
            degraded = True
        return self._profile(store, visitor_id, chain, degraded=degraded)

    def read_alone(self, store: Reads, visitor_id: bytes) -> dict[str, Any] | None:
        """The traits of a visitor of whom no other record has to be looked at. Raises NotAtOnce.

        None: ask `read`. That is also where something is wrong.
        """
        try:
            found = store.one(Key(_VISITOR + visitor_id))
            if type(found) is not bytes:
                return {} if found is None else None
            said = self._facts(found)
        except (StoreError, *NO_FACTS):
            return None
        if said.links and self._leads_on(said.links):
            return None
        traits = said.traits
        return None if self._crm and "email" in traits else traits

    def _leads_on(self, links: dict[str, str]) -> bool:
        return self._with_account or "group" not in links or len(links) > 1

    def _following(self, chain: list[Step], body: bytes) -> Key | None:
        """Note what a record says; the one that it leads to, if that is wanted."""
        said: Known | None
        try:
            said = self._facts(body)
            links = said.links
            next_ = leads_to(said) if links and self._leads_on(links) else None
        except NO_FACTS:  # BadId is one
            said = next_ = None
        chain.append((said, next_))
        return next_

    def _profile(self, store: Reads, visitor_id: str, chain: list[Step], *, degraded: bool) -> Profile:
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
                account_id = said.links.get("group", account_id)
            if next_ is not None:
                kind = next_[:2]
                if kind == _USER:
                    user_id = said.links["user"]
        asked = []
        if account_id is not None and kind != _GROUP and self._with_account:
            asked.append(key("group", account_id))
        if self._crm and "email" in traits:
            asked += [key_ for key_ in salesforce(traits["email"]) if key_[:2] in self._crm]
        if not asked:
            return Profile(visitor_id, traits, account, {}, {}, user_id, account_id, degraded)
        values, whole = self._values(store, asked)
        account = values.get(_GROUP, account)
        lead, contact = values.get(_LEAD, {}), values.get(_CONTACT, {})
        return Profile(visitor_id, traits, account, lead, contact, user_id, account_id, degraded or not whole)

    def _values(self, store: Reads, keys: list[Key]) -> tuple[dict[bytes, dict[str, Any]], bool]:
        """The values of these records, by the letter of their kind; and whether all of them could be read."""
        values: dict[bytes, dict[str, Any]] = {}
        whole = True
        try:
            for key_, found in zip(keys, store.get(keys), strict=True):
                if type(found) is bytes:
                    kind = key_[:2]
                    said = self._crm.get(kind, self._facts)(found).traits
                    # That there is a lead can be asked too: one of whose fields none is wanted is no empty one.
                    values[kind] = said or facts(found).traits
                elif found is not None:
                    whole = False
        except (StoreError, *NO_FACTS):
            whole = False
        return values, whole


read_profile: Final = Reader().read  # all of it


def leads_to(said: Known) -> Key | None:
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


def salesforce(email: Any) -> list[Key]:
    """Under what the records of a person with this address stand, if it is one."""
    if type(email) is not str:
        return []
    address = email.strip().lower()
    try:
        return [key("lead", address), key("contact", address)]
    except BadId:
        return []
