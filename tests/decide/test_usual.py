"""Law: the short way to an answer is taken by most, and says the bytes of the long one."""

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from engine.decide.wire import to_json
from engine.profiles.encoding import merged
from engine.profiles.ids import Key, key
from engine.profiles.nothing import NothingStored
from engine.profiles.read import read_profile
from engine.profiles.record import Change as Event
from engine.profiles.store import CHAIN_LONGEST, DAMAGED, Following, Found, StoreUnavailable
from engine.words import Change, Page, Profile, TraitDeclaration, Visit

PPM = 1_000_000
URL = "https://www.example.com/"
ANN = key("visitor", "ann")


class Held(NothingStored):
    """A store that holds what a test says."""

    def __init__(self, held: dict[Key, Found]) -> None:
        super().__init__("prepared")
        self.held = held

    def one(self, key_: Key) -> Found:
        """What was prepared."""
        return self.held.get(key_)

    def get(self, keys: Any) -> list[Found]:
        """What was prepared."""
        return [self.held.get(key_) for key_ in keys]

    def chain(self, first: Key, following: Following) -> list[Found]:
        """What was prepared, one after the other."""
        found: list[Found] = []
        next_: Key | None = first
        while next_ is not None and len(found) < CHAIN_LONGEST:
            body = self.held.get(next_)
            found.append(body)
            next_ = following(body) if isinstance(body, bytes) else None
        return found


class Broken(Held):
    """A store that cannot be reached."""

    def one(self, key_: Key) -> Found:
        """Raises StoreUnavailable."""
        del key_
        raise StoreUnavailable("gone")


def stored(traits: dict[str, Any], **links: Any) -> Held:
    """Ann, and whoever her record leads to: they are of plan `pro`."""
    held: dict[Key, Found] = {ANN: merged(None, [Event(ANN, 1, traits, links)])}
    for kind, id_ in links.items():
        other = key(kind, id_)
        held[other] = merged(None, [Event(other, 1, {"a": True, "plan": "pro"})])
    return Held(held)


def shortly(make: Any, decider: Any, store: Held, url: str = URL) -> bytes | None:
    """The answer of the short way, if there is one."""
    view = decider.view(url)
    assert decider.known(url) is view
    answer = view.usual and view.usual(store, "ann", view.fields, lambda: make.now)
    assert answer is None or isinstance(answer, bytes)
    return answer


def at_length(make: Any, decider: Any, store: Held, url: str = URL) -> bytes:
    """And of the long way, of all that is known; of a page that looks at nobody the store is not asked."""
    match = decider.view(url).match
    profile = read_profile(store, "ann") if match and match.reader.reads else Profile("ann")
    return to_json(decider.decide(profile, Page(url), Visit(), make.now))


def noted(make: Any, decider: Any, store: Held) -> list[int]:
    """What the tally is told of the decision at length."""
    before = decider.tally.counts[:]
    match = decider.view(URL).match
    profile = read_profile(store, "ann") if match and match.reader.reads else Profile("ann")
    decider.tally.note(decider.decide(profile, Page(URL), Visit(), make.now))
    return [now - then for now, then in zip(decider.tally.counts, before, strict=True)]


NAMES = "abc"
PARTS = st.tuples(st.sampled_from(NAMES), st.sampled_from([0, PPM // 3, PPM]), st.integers(1, 3), st.booleans())
EXPERIENCES = st.lists(
    st.tuples(
        st.lists(PARTS, min_size=1, max_size=3),
        st.sampled_from([0, 0, PPM // 2]),
        st.sampled_from([None, None, "group"]),
        st.sampled_from(["visitor", "visitor", "visitor", "user"]),
    ),
    max_size=4,
)
CONDITIONS = [
    "traits.{} == true",
    "traits.plan == 'pro' && has(traits.{})",
    "page.path == '/' || traits.{} == true",
    "now > timestamp('2026-01-01T00:00:00Z') && traits.{} == true",
    "account.plan == 'pro' || has(traits.{})",
    "visit.new || has(traits.{})",
    "has(salesforce.lead) || has(traits.{})",
    "device.type == 'x' || has(traits.{})",
]
TRAITS = st.dictionaries(st.sampled_from([*NAMES, "plan", "email"]), st.sampled_from([True, False, "pro", 'q"<é', 3]))
LINKS = st.dictionaries(st.sampled_from(["user", "group", "anonymous"]), st.sampled_from(["1", "2"]), max_size=2)


def experience(make: Any, number: int, parts: Any) -> Any:
    """An experience of these parts."""
    audiences, holdout, group, split_by = parts
    made = []
    for segment, control, variants, slots in audiences:
        text = (make.slot(f"traits.{segment}"), "!") if slots else ("Hi",)
        keys = [make.variant(f"v{n}", Change(selector="h1", text=text)) for n in range(variants)]
        made.append(make.audience(segment, *keys, control=control))
    return make.experience(f"e{number}", *made, holdout_ppm=holdout, exclusion_group=group, split_by=split_by)


@settings(suppress_health_check=[HealthCheck.too_slow])
@given(
    parts=EXPERIENCES,
    conditions=st.lists(st.sampled_from(CONDITIONS[:3]) | st.sampled_from(CONDITIONS), min_size=3, max_size=3),
    traits=TRAITS,
    links=st.just({}) | LINKS,
    body=st.none() | st.sampled_from([DAMAGED, b"", b"\x92\x80\x80", b"\x92\x81\xa1a\xc3\x80", b"\x91\x80"]),
)
def test_both_ways_say_the_same(make: Any, parts: Any, conditions: Any, traits: Any, links: Any, body: Any) -> None:
    """Any rules, of anybody, whatever the store holds, unless the long way has to be asked."""
    segments = [make.segment(name, text.format(name)) for name, text in zip(NAMES, conditions, strict=True)]
    made = [experience(make, number, some) for number, some in enumerate(parts)]
    decider = make.decider(*made, segments=segments)
    store = stored(traits, **links)
    if body is not None:
        store.held[ANN] = body
    for known in (store, Held({})):
        before = decider.tally.counts[:]
        answer = shortly(make, decider, known)
        counted = [now - then for now, then in zip(decider.tally.counts, before, strict=True)]
        assert answer is None or answer == at_length(make, decider, known)
        assert counted == (noted(make, decider, known) if answer else [0] * len(before))


def test_most_are_answered_shortly(make: Any) -> None:
    """A visitor who is one record, or none; an account that no rule looks at; a slot, a schedule, a page of nothing."""
    slot = make.audience("a", make.variant("v", Change(selector="h1", text=(make.slot("traits.company"),))))
    decider = make.decider(make.experience("e", slot, start=make.now), make.experience("f", "a", holdout_ppm=PPM // 2))
    for store in (stored({"a": True, "company": 'A"B'}), stored({"a": True}, group="1"), stored({"b": 1}), Held({})):
        assert shortly(make, decider, store) == at_length(make, decider, store)
    nothing = make.decider(make.experience("e", "a", pages=("https://other.example/",)))
    assert shortly(make, nothing, Broken({})) == at_length(make, nothing, Held({}))
    on_url = make.decider(make.experience("e", "s"), segments=[make.segment("s", "page.path == '/'")])
    assert shortly(make, on_url, Broken({})) == at_length(make, on_url, Held({}))


def test_who_is_not_usual_is_asked_at_length(make: Any) -> None:
    """Whose record leads to another or cannot be read, and where the store cannot be."""
    decider = make.decider(make.experience("e", "a"))
    for links in ({"user": "1"}, {"anonymous": "1"}, {"group": "1", "user": "2"}):
        assert shortly(make, decider, stored({"a": True}, **links)) is None
    for body in (DAMAGED, b"hello"):
        assert shortly(make, decider, Held({ANN: body})) is None
    assert shortly(make, decider, Broken({})) is None


@pytest.mark.parametrize(
    "condition", ["visit.new", "page.title == 'x'", "device.type == 'mobile'", "geo.country == 'DE'"]
)
def test_a_page_that_looks_at_more_has_no_short_way(make: Any, condition: str) -> None:
    """Nor has one with declared types, nor one that draws by user."""
    decider = make.decider(make.experience("e", "s"), segments=[make.segment("s", condition)])
    assert decider.view(URL).usual is None
    declared = make.decider(make.experience("e", "a"), traits=[TraitDeclaration("a", "boolean", None, None)])
    assert declared.view(URL).usual is None
    assert make.decider(make.experience("e", "a", split_by="user")).view(URL).usual is None
