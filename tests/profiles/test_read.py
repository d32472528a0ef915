"""From a visitor id to a profile, whatever the store says."""

import asyncio
from collections.abc import Sequence
from typing import Any, get_args

import msgspec
import pytest

from engine.profiles.ids import BadId, Key, key
from engine.profiles.nothing import NothingStored
from engine.profiles.read import Reader, Wanted, read_profile
from engine.profiles.record import Change, LinkName
from engine.profiles.store import DAMAGED, Following, Found, NotAtOnce, Store, StoreUnavailable
from engine.words import Profile

LINKS = get_args(LinkName)
ANN = key("visitor", "ann")
ACME = key("group", "acme")


class PreparedStore(NothingStored):
    """A store that holds what a test says, and can only be read; an exception that it holds is raised."""

    def __init__(self, held: dict[Key, Found | Exception]) -> None:
        super().__init__("prepared")
        self.held = held
        self.asked: list[Sequence[Key]] = []

    def get(self, keys: Sequence[Key]) -> list[Found]:
        """What was prepared."""
        self.asked.append(keys)
        return [self._found(key_) for key_ in keys]

    def one(self, key: Key) -> Found:
        """What was prepared."""
        self.asked.append([key])
        return self._found(key)

    def chain(self, first: Key, following: Following) -> list[Found]:
        """What was prepared, one after the other; the first one twice, as a store does that has to begin anew."""
        asked: list[Key] = []
        found: list[Found] = []
        self.asked.append(asked)
        body = self._found(first)
        if isinstance(body, bytes):
            following(body)
        next_: Key | None = first
        while next_ is not None:
            asked.append(next_)
            body = self._found(next_)
            found.append(body)
            next_ = following(body) if isinstance(body, bytes) else None
        return found

    def _found(self, key_: Key) -> Found:
        held = self.held.get(key_)
        if isinstance(held, Exception):
            raise held
        return held


def body_of(store: Store, change: Change) -> Found:
    """The body that this change makes."""
    store.apply([change])
    return store.get([change.key])[0]


@pytest.fixture
def ann(store: Store) -> Found:
    """Ann's record, linked to Acme."""
    return body_of(store, Change(ANN, 1, {"plan": "pro"}, {"group": "acme"}))


@pytest.fixture
def acme(store: Store) -> Found:
    """Acme's record."""
    return body_of(store, Change(ACME, 1, {"employees": 30}))


def test_a_visitor_never_heard_of_has_an_empty_profile(store: Store) -> None:
    """Nothing is known, and nothing is wrong."""
    assert read_profile(store, "eve") == Profile("eve")


def test_traits_and_account_come_together(store: Store, ann: Found, acme: Found) -> None:
    """The visitor's traits, the account's traits, the account's id."""
    assert read_profile(store, "ann") == Profile("ann", {"plan": "pro"}, {"employees": 30}, account_id="acme")


def test_a_visitor_without_account(store: Store) -> None:
    """No link, no account."""
    store.apply([Change(ANN, 1, {"plan": "pro"})])
    assert read_profile(store, "ann") == Profile("ann", {"plan": "pro"})


def test_an_account_of_which_nothing_is_known_still_has_its_id(store: Store, ann: Found) -> None:
    """A link to a record that was never written: an id is enough to split by."""
    assert read_profile(store, "ann") == Profile("ann", {"plan": "pro"}, account_id="acme")


def test_a_removed_trait_is_absent(store: Store, ann: Found) -> None:
    """Rules never see a null."""
    store.apply([Change(ANN, 2, {"plan": None})])
    assert read_profile(store, "ann").traits == {}


def test_a_write_is_seen_at_the_next_read(store: Store, ann: Found, acme: Found) -> None:
    """Nothing old is kept between reads, neither values nor links."""
    assert read_profile(store, "ann").account_id == "acme"
    store.apply([Change(ANN, 2, {"plan": "team"}, {"group": "other"})])
    assert read_profile(store, "ann") == Profile("ann", {"plan": "team"}, account_id="other")


def test_two_profiles_share_no_mutable_state(store: Store) -> None:
    """Whoever changes a profile's maps changes no other's."""
    read_profile(store, "eve").traits["plan"] = "pro"
    assert read_profile(store, "eve").traits == {}


def linked(time: int, key_: Key, traits: dict[str, Any] | None = None, **links: str) -> Change:
    """This is known of somebody, and where it leads."""
    return Change(key_, time, traits or {}, {name: id_ for name, id_ in links.items() if name in LINKS})  # type: ignore[misc]


@pytest.fixture
def whole(store: Store) -> Store:
    """A visitor, her anonymous id, her user id, her account, her Salesforce records."""
    store.apply(
        [
            linked(1, ANN, {"plan": "imported", "seen": 1}, anonymous="a", group="imported"),
            linked(2, key("anonymous", "a"), {"plan": "free", "utm": "x"}, user="u", group="guests"),
            linked(3, key("user", "u"), {"plan": "pro", "email": " Ann@Example.com "}, group="acme"),
            linked(3, ACME, {"employees": 30}),
            linked(3, key("lead", "ann@example.com"), {"Status": "Open"}),
            linked(3, key("contact", "ann@example.com"), {"Title": "CTO"}),
        ]
    )
    return store


def test_the_whole_way(whole: Store) -> None:
    """The user's traits over the anonymous ones over the visitor's own; account, lead and contact."""
    assert read_profile(whole, "ann") == Profile(
        "ann",
        {"plan": "pro", "email": " Ann@Example.com ", "utm": "x", "seen": 1},
        {"employees": 30},
        {"Status": "Open"},
        {"Title": "CTO"},
        "u",
        "acme",
    )


def test_one_read_for_the_person_and_one_round_for_the_rest(whole: Store) -> None:
    """A chain from the visitor to the account; a get only for what no link leads to, and where there is some."""
    store = PreparedStore({key_: whole.get([key_])[0] for key_, _ in whole.scan()})
    assert read_profile(store, "ann") == read_profile(whole, "ann")
    by_email = [key("lead", "ann@example.com"), key("contact", "ann@example.com")]
    assert store.asked == [[ANN, key("anonymous", "a"), key("user", "u"), ACME], by_email]
    store.asked.clear()
    read_profile(store, "eve")
    assert store.asked == [[key("visitor", "eve")]]


def test_the_newest_link_of_a_visitor_counts(store: Store) -> None:
    """To an anonymous id or to a user, whichever was linked last; of both at once the anonymous id."""
    store.apply([linked(1, key("anonymous", "a"), {"who": "a"}), linked(1, key("user", "u"), {"who": "u"})])
    for time, link, who in [(1, {"anonymous": "a"}, "a"), (2, {"user": "u"}, "u"), (2, {"anonymous": "a"}, "a")]:
        store.apply([linked(time, ANN, **link)])
        assert read_profile(store, "ann").traits == {"who": who}


def test_an_earlier_records_account_counts_where_the_user_has_none(store: Store) -> None:
    """The anonymous record's, then the visitor's own; the user's id is known though nothing else is."""
    store.apply([linked(1, ANN, anonymous="a", group="acme"), linked(1, key("anonymous", "a"), user="u")])
    store.apply([linked(1, ACME, {"employees": 30})])
    assert read_profile(store, "ann") == Profile("ann", {}, {"employees": 30}, user_id="u", account_id="acme")
    store.apply([linked(1, key("anonymous", "a"), group="other")])
    assert read_profile(store, "ann").account_id == "other"
    store.apply([linked(1, key("user", "u"), group="own")])
    assert read_profile(store, "ann").account_id == "own"


def test_what_was_removed_does_not_show_through(store: Store) -> None:
    """A trait that the user's record says is removed is not the older one of the anonymous record."""
    store.apply([linked(1, ANN, anonymous="a"), linked(1, key("anonymous", "a"), {"plan": "free", "n": 1}, user="u")])
    store.apply([linked(2, key("user", "u"), {"plan": None})])
    assert read_profile(store, "ann").traits == {"n": 1}


def test_two_users_of_one_device_do_not_see_each_others_traits(store: Store) -> None:
    """What was set on the device itself is nobody's any more: it may be the other one's; her own is intact."""
    device = key("anonymous", "a")
    store.apply([linked(1, ANN, anonymous="a"), linked(1, device, {"cart": "hers"}, user="she", group="her-company")])
    store.apply([linked(2, key("user", "she"), {"plan": "pro"}), linked(5, device, {"cart": "his"}, user="he")])
    assert read_profile(store, "ann") == Profile("ann", {}, user_id="he")
    store.apply([linked(5, device, {"cart": "whose?"}), linked(6, device, user="she")])
    assert read_profile(store, "ann") == Profile("ann", {"plan": "pro"}, user_id="she")


@pytest.mark.parametrize("email", [7, ["ann@example.com"], "x" * 1_000, "  "])
def test_an_address_that_is_none_leads_nowhere(store: Store, email: Any) -> None:
    """Another type, longer than any key, blank: no Salesforce record, and no failure."""
    store.apply([linked(1, ANN, {"email": email})])
    assert read_profile(store, "ann") == Profile("ann", {"email": email})


@pytest.mark.parametrize("held", [DAMAGED, b"\xc1 of another program", StoreUnavailable("gone")])
def test_a_person_who_cannot_be_read_is_absent_and_degraded(held: Found | Exception) -> None:
    """A damaged record, foreign bytes, a store that is gone: the decision goes on with page and visit."""
    assert read_profile(PreparedStore({ANN: held}), "ann") == Profile("ann", degraded=True)


@pytest.mark.parametrize("held", [DAMAGED, b"", msgspec.msgpack.encode([{}, {"anonymous": "a", "user": "u"}])])
def test_what_cannot_be_read_on_the_way_leaves_what_can(held: Found, whole: Store) -> None:
    """The records before it count; the profile says that something is missing."""
    bodies: dict[Key, Found | Exception] = dict(whole.scan())
    store = PreparedStore(bodies | {key("anonymous", "a"): held})
    assert read_profile(store, "ann") == Profile(
        "ann", {"plan": "imported", "seen": 1}, account_id="imported", degraded=True
    )
    store = PreparedStore(bodies | {key("user", "u"): held})
    profile = read_profile(store, "ann")
    assert (profile.traits, profile.user_id, profile.account_id, profile.degraded) == (
        {"plan": "free", "utm": "x", "seen": 1},
        "u",
        "guests",
        True,
    )


@pytest.mark.parametrize("held", [DAMAGED, b""])
def test_an_account_that_cannot_be_read_leaves_the_person(held: Found, ann: Found) -> None:
    """What is known of the visitor counts, the account's id too; the profile says that something is missing."""
    profile = read_profile(PreparedStore({ANN: ann, ACME: held}), "ann")
    assert profile == Profile("ann", {"plan": "pro"}, account_id="acme", degraded=True)


@pytest.mark.parametrize("held", [DAMAGED, b"", StoreUnavailable("gone")])
def test_salesforce_records_that_cannot_be_read_leave_the_rest(held: Found | Exception, whole: Store) -> None:
    """They are asked for last."""
    bodies: dict[Key, Found | Exception] = dict(whole.scan())
    profile = read_profile(PreparedStore(bodies | {key("contact", "ann@example.com"): held}), "ann")
    assert (profile.traits["plan"], profile.account, profile.contact, profile.degraded) == (
        "pro",
        {"employees": 30},
        {},
        True,
    )


def test_not_at_once_passes_through_and_can_be_awaited(ann: Found, acme: Found) -> None:
    """A store that has to wait says so to whoever can wait; asked again afterwards, it answers."""
    store = PreparedStore({ANN: ann})

    async def arrive() -> None:
        store.held[ACME] = acme

    async def ask() -> Profile:
        store.held[ACME] = NotAtOnce(arrive())
        try:
            return read_profile(store, "ann")
        except NotAtOnce as waiting:
            await waiting.arrival
        return read_profile(store, "ann")

    assert asyncio.run(ask()).account == {"employees": 30}


def test_an_id_that_no_key_can_be_made_of_is_refused(store: Store) -> None:
    """An empty or endless id is the caller's mistake, not an unknown visitor."""
    for id_ in ("", "x" * 1_000):
        with pytest.raises(BadId):
            read_profile(store, id_)


NONE: frozenset[str] = frozenset()
NOTHING = Wanted(NONE, NONE, NONE, NONE, user_id=False, account_id=False)


def test_only_what_is_wanted_is_read(whole: Store) -> None:
    """Fewer records, fewer traits; what is wanted is as ever."""
    store = PreparedStore({key_: whole.get([key_])[0] for key_, _ in whole.scan()})
    person = [ANN, key("anonymous", "a"), key("user", "u")]

    def asked(**parts: Any) -> list[Any]:
        store.asked.clear()
        profile = Reader(msgspec.structs.replace(NOTHING, **parts)).read(store, "ann")
        full = read_profile(whole, "ann")
        assert (profile.user_id, profile.account_id) == (full.user_id, full.account_id)
        for part, names in parts.items():
            here, there = getattr(profile, part), getattr(full, part)
            assert names is None or {name: here.get(name) for name in names} == {
                name: there.get(name) for name in names
            }
            assert names is not None or here == there
        return [list(keys) for keys in store.asked]

    assert asked(traits=frozenset({"plan", "utm", "none"})) == [person]
    assert asked(account=frozenset({"employees"})) == [[*person, ACME]]
    assert asked(lead=frozenset({"Status"})) == [person, [key("lead", "ann@example.com")]]
    assert asked(contact=None, traits=frozenset({"seen"})) == [person, [key("contact", "ann@example.com")]]
    assert asked(traits=None) == [person]
    assert asked(traits=None, account=None, lead=None, contact=None)[0] == [*person, ACME]


def test_a_record_of_which_nothing_is_wanted_is_still_there(whole: Store) -> None:
    """Rules can ask whether there is a lead at all."""
    wanted = msgspec.structs.replace(NOTHING, lead=frozenset({"Company"}))
    assert Reader(wanted).read(whole, "ann").lead == {"Status": "Open"}


def test_the_account_of_a_record_before_the_users_is_found(store: Store) -> None:
    """Its id alone where nothing more is wanted, though the user's own record names none."""
    store.apply([linked(1, ANN, anonymous="a", group="acme"), linked(1, key("anonymous", "a"), {"n": 1}, user="u")])
    store.apply([linked(1, ACME, {"employees": 30})])
    some = msgspec.structs.replace(NOTHING, traits=frozenset({"n"}), account_id=True)
    assert Reader(some).read(store, "ann") == Profile("ann", {"n": 1}, user_id="u", account_id="acme")
    more = msgspec.structs.replace(some, account=frozenset({"employees"}))
    assert Reader(more).read(store, "ann").account == {"employees": 30}


def test_whether_there_is_anything_to_read() -> None:
    """Not for rules that look at page and visit alone."""
    assert not Reader(NOTHING).reads
    for part in ("traits", "account", "lead", "contact"):
        for names in (None, frozenset({"a"})):
            assert Reader(msgspec.structs.replace(NOTHING, **{part: names})).reads
    assert Reader(msgspec.structs.replace(NOTHING, user_id=True)).reads
    assert Reader(msgspec.structs.replace(NOTHING, account_id=True)).reads


def test_who_is_one_record_can_be_read_alone(store: Store) -> None:
    """Also with an account that nobody wants; otherwise the whole way has to be gone."""
    traits = msgspec.structs.replace(NOTHING, traits=frozenset({"n"}))
    alone = Reader(traits)
    assert alone.read_alone(store, b"ann") == {}
    store.apply([linked(1, ANN, {"n": 1, "m": 2}, group="acme")])
    assert alone.read_alone(store, b"ann") == alone.read(store, "ann").traits == {"n": 1}
    assert Reader(msgspec.structs.replace(traits, account=None)).read_alone(store, b"ann") is None
    store.apply([linked(2, ANN, {"email": "ann@example.com"})])
    assert Reader(msgspec.structs.replace(traits, lead=None)).read_alone(store, b"ann") is None
    store.apply([linked(3, ANN, user="u")])
    assert alone.read_alone(store, b"ann") is None


@pytest.mark.parametrize("held", [DAMAGED, b"", b"\x91\x80", StoreUnavailable("gone")])
def test_nobody_is_read_alone_where_something_is_wrong(held: Found | Exception) -> None:
    """`read` says what."""
    assert Reader().read_alone(PreparedStore({ANN: held}), b"ann") is None
