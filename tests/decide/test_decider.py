"""Laws of the decision: match, then split; one experience of a group; nothing depends on order (DESIGN 4)."""

import copy
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.decide import split
from engine.decide.decider import Decider, NotAUrl
from engine.words import Change, Page, Profile, Slot, TraitDeclaration, Visit

PPM = 1_000_000
VISITORS = [f"visitor-{number}" for number in range(500)]
START, END = datetime(2026, 6, 1, tzinfo=UTC), datetime(2026, 7, 1, tzinfo=UTC)


def test_the_first_segment_that_matches_wins(make: Any) -> None:
    """Of an experience's audiences the first in order that matches decides; of none, there is no entry."""
    decider = make.decider(make.experience("home", "big", "small"))
    assert make.shown(make.decide(decider, traits={"big": True, "small": True})) == [("home", "big", "hero")]
    assert make.shown(make.decide(decider, traits={"big": False, "small": True})) == [("home", "small", "hero")]
    assert make.shown(make.decide(decider, traits={"big": False})) == []


def test_experiences_without_a_group_all_answer(make: Any) -> None:
    """Experiences that exclude nobody all answer, in deciding order."""
    decider = make.decider(make.experience("b", "s"), make.experience("a", "s"), make.experience("c", "s", priority=1))
    assert make.shown(make.decide(decider, traits={"s": True})) == [(key, "s", "hero") for key in "cab"]


def test_an_entry_carries_names(make: Any) -> None:
    """The assignment has the keys, its body the names that go out."""
    (assignment,) = make.decide(make.decider(make.experience("home", "big")), traits={"big": True}).assignments
    assert (assignment.experience, assignment.segment, assignment.variant) == ("home", "big", "hero")
    body = make.body(assignment)
    assert (body["experience"], body["audienceSegment"], body["variant"]) == ("Name of home", "Name of big", "hero")


@pytest.mark.parametrize("status", ["draft", "paused"])
def test_only_live_experiences_answer(make: Any, status: str) -> None:
    """Draft and paused experiences never answer, nor keep others of their group from answering."""
    asleep = make.experience("asleep", "s", status=status, priority=1, exclusion_group="g")
    decider = make.decider(asleep, make.experience("awake", "s", exclusion_group="g"))
    assert make.shown(make.decide(decider, traits={"s": True})) == [("awake", "s", "hero")]


@pytest.mark.parametrize(
    ("now", "answers"),
    [
        (START - timedelta(microseconds=1), False),
        (START, True),
        (END - timedelta(microseconds=1), True),
        (END, False),
    ],
)
def test_a_schedule_is_half_open(make: Any, now: datetime, answers: bool) -> None:
    """An experience runs from its start on, and no longer at its end; outside it does not exclude others."""
    timed = make.experience("timed", "s", start=START, end=END, exclusion_group="g", priority=1)
    decider = make.decider(timed, make.experience("always", "s", exclusion_group="g"))
    expected = "timed" if answers else "always"
    assert make.shown(make.decide(decider, traits={"s": True}, now=now)) == [(expected, "s", "hero")]


def test_of_a_group_one_experience_answers(make: Any) -> None:
    """Within a group the experience of highest priority whose segment matches decides, ties by key."""
    decider = make.decider(
        make.experience("a", "s", exclusion_group="g"),
        make.experience("b", "s", exclusion_group="g", priority=5),
        make.experience("c", "t", exclusion_group="g", priority=9),
        make.experience("d", "s", exclusion_group="other"),
        make.experience("e", "s", exclusion_group="other"),
    )
    assert make.shown(make.decide(decider, traits={"s": True})) == [("b", "s", "hero"), ("d", "s", "hero")]
    assert make.shown(make.decide(decider, traits={"s": True, "t": True})) == [("c", "t", "hero"), ("d", "s", "hero")]


@pytest.mark.parametrize("shares", [{"control": PPM}, {"holdout_ppm": PPM}])
def test_control_and_holdout_end_the_search(make: Any, shares: dict[str, int]) -> None:
    """A control or held-out visitor of one experience never falls through into the next one of its group."""
    control = shares.pop("control", 0)
    first = make.experience("a", make.audience("s", control=control), exclusion_group="g", **shares)
    decider = make.decider(first, make.experience("b", "s", "t", exclusion_group="g"))
    assert make.shown(make.decide(decider, traits={"s": True, "t": True})) == ([("a", "s", None)] if control else [])
    assert make.shown(make.decide(decider, traits={"t": True})) == [("b", "t", "hero")]


@given(
    st.integers(0, PPM),
    st.integers(0, PPM),
    st.lists(st.integers(1, 9), min_size=1, max_size=4),
    st.text("abc", max_size=3),
)
def test_the_group_is_the_split(make: Any, control: int, holdout: int, weights: list[int], salt: str) -> None:
    """Matched visitors are held out, control or in a variant exactly as `split` says of their id."""
    variants = [make.variant(f"v{number}", weight=weight) for number, weight in enumerate(weights)]
    audience = make.audience("s", *variants, control=control, salt=salt)
    decider = make.decider(make.experience("home", audience, holdout_ppm=holdout))
    for visitor in VISITORS[:20]:
        keys = ("home", "s", salt, visitor)
        variant = None if split.is_control(control, *keys) else f"v{split.choose(weights, *keys)}"
        expected = [] if split.is_held_out(holdout, "home", visitor) else [("home", "s", variant)]
        assert make.shown(make.decide(decider, visitor, {"s": True})) == expected


@pytest.mark.parametrize("split_by", ["visitor", "user", "account"])
def test_the_unit_is_what_split_by_names(make: Any, split_by: str) -> None:
    """Visitors with one user or account are drawn together where that is asked for; where it is unknown, by visitor."""
    audience = make.audience("s", make.variant("a"), make.variant("b"), control=PPM // 3)
    decider = make.decider(make.experience("home", audience, split_by=split_by, holdout_ppm=PPM // 4))

    def groups(**ids: Any) -> list[Any]:
        return [make.shown(make.decide(decider, visitor, {"s": True}, **ids)) for visitor in VISITORS]

    alone = groups()
    assert len({str(group) for group in alone}) == 4, "held out, control, a, b"
    for name in ("user", "account"):
        together = groups(**{f"{name}_id": "one"})
        if name == split_by:
            assert together == [make.shown(make.decide(decider, "one", {"s": True}))] * len(VISITORS)
        else:
            assert together == alone
        assert groups(**{f"{name}_id": ""}) == alone


def test_changing_a_share_moves_only_whom_it_must(make: Any) -> None:
    """Raising control from 30 to 40 % makes control of some and moves nobody else; the same for the holdout."""

    def groups(control: int, holdout: int) -> list[Any]:
        audience = make.audience("s", make.variant("a"), make.variant("b"), control=control)
        decider = make.decider(make.experience("home", audience, holdout_ppm=holdout))
        return [make.shown(make.decide(decider, visitor, {"s": True})) for visitor in VISITORS]

    before = groups(300_000, 100_000)
    for after, gains in ((groups(400_000, 100_000), [("home", "s", None)]), (groups(300_000, 200_000), [])):
        moved = [(one, other) for one, other in zip(before, after, strict=True) if one != other]
        assert moved
        assert all(other == gains for _, other in moved)


def test_adding_a_variant_does_not_touch_control(make: Any) -> None:
    """With one variant more, the same visitors are control and the same are held out."""

    def groups(*keys: str) -> list[Any]:
        audience = make.audience("s", *map(make.variant, keys), control=PPM // 2)
        decider = make.decider(make.experience("home", audience, holdout_ppm=PPM // 10))
        shown = [make.shown(make.decide(decider, visitor, {"s": True})) for visitor in VISITORS]
        return [entries and entries[0][2] is None for entries in shown]

    assert groups("a") == groups("a", "b") == groups("a", "b", "c")


@given(st.randoms(use_true_random=False), st.sets(st.sampled_from("stuvw")))
def test_nothing_depends_on_order(make: Any, random: Random, true: set[str]) -> None:
    """Rule files, traits and keys in any order: the same decision, byte for byte."""
    experiences = [
        make.experience(key, *keys, exclusion_group=group, priority=priority, pages=pages)
        for key, keys, group, priority, pages in (
            ("a", "st", "g", 0, ("/**",)),
            ("b", "ts", "g", 1, ("/", "/x")),
            ("c", "uv", None, 0, ("/x", "/")),
            ("d", "w", "h", 0, ("/**",)),
            ("e", "wu", "h", 0, ("/**",)),
        )
    ]
    declarations = [TraitDeclaration(name, "boolean", None, None) for name in "stuvw"]

    def decision() -> Any:
        traits = dict.fromkeys(random.sample(sorted(true), len(true)), "true")
        decider = make.decider(
            *random.sample(experiences, 5),
            segments=[make.segment(key) for key in random.sample("stuvw", 5)],
            traits=random.sample(declarations, 5),
        )
        return make.decide(decider, traits=traits)

    assert decision() == decision()


def test_other_experiences_change_nothing(make: Any) -> None:
    """What an experience decides is the same with and without others beside it, exclusion groups aside."""
    home = make.experience("home", make.audience("s", make.variant("a"), make.variant("b"), control=PPM // 2))
    others = [make.experience(f"other-{number}", "s", priority=number - 2, exclusion_group="g") for number in range(5)]
    alone, beside = make.decider(home), make.decider(home, *others)
    for visitor in VISITORS[:50]:
        shown = make.shown(make.decide(beside, visitor, {"s": True}))
        assert make.shown(make.decide(alone, visitor, {"s": True})) == [s for s in shown if s[0] == "home"]


@pytest.mark.parametrize(
    ("condition", "known", "matches"),
    [
        ("account.plan == 'pro'", {"account": {"plan": "pro"}}, True),
        ("salesforce.lead.Industry == 'SaaS'", {"lead": {"Industry": "SaaS"}}, True),
        ("has(salesforce.lead)", {"contact": {"Industry": "SaaS"}}, False),
        ("!has(salesforce.contact) && !has(salesforce.lead)", {}, True),
        ("salesforce.contact.Industry == 'SaaS'", {"contact": {"Industry": "SaaS"}}, True),
        ("page.host == 'www.example.com' && page.path == '/a' && page.query.b == 'c'", {}, True),
        ("page.url == 'https://www.example.com/a?b=c' && page.referrer == 'r' && page.title == 't'", {}, True),
        ("visit.count == 3 && !visit.new", {"visit": Visit(count=3)}, True),
        ("visit.new", {"visit": Visit(count=1)}, True),
        ("visit.new", {"visit": Visit(count=3, new=True)}, True),
        ("has(visit.count) || has(visit.new) || has(visit.first_seen)", {"visit": Visit()}, False),
        ("visit.first_seen < now", {"visit": Visit(first_seen=START)}, True),
        (
            "device.type == 'mobile' && geo.country == 'DE'",
            {"visit": Visit(device={"type": "mobile"}, geo={"country": "DE"})},
            True,
        ),
        ("now == timestamp('2026-06-01T12:00:00Z')", {}, True),
    ],
)
def test_conditions_see_what_is_known(make: Any, condition: str, known: dict[str, Any], matches: bool) -> None:
    """Every root is filled from profile, page and visit; what is not known is absent."""
    decider = make.decider(make.experience("home", "s"), segments=[make.segment("s", condition)])
    visit = known.pop("visit", Visit())
    page = Page("https://www.example.com/a?b=c", "r", "t")
    assert bool(decider.decide(Profile("v", **known), page, visit, make.now).assignments) is matches


def test_an_unsaid_referrer_is_an_empty_text(make: Any) -> None:
    """A page without referrer and title has empty ones, as browsers say it."""
    segment = make.segment("s", "page.referrer == '' && page.title == ''")
    decider = make.decider(make.experience("home", "s"), segments=[segment])
    assert make.shown(make.decide(decider)) == [("home", "s", "hero")]


def test_declared_traits_are_coerced_before_rules_see_them(make: Any) -> None:
    """Rules see 45 for "45" and the default for what is absent or unusable; unusable traits are named."""
    segment = make.segment("s", "traits.employees < 50 && traits.plan == 'free'")
    declarations = [
        TraitDeclaration("employees", "number", None, None),
        TraitDeclaration("plan", None, "free", "lower"),
    ]
    decider = make.decider(make.experience("home", "s"), segments=[segment], traits=declarations)
    decision = make.decide(decider, traits={"employees": "45", "plan": "FREE"})
    assert (make.shown(decision), decision.unusable) == ([("home", "s", "hero")], ())
    decision = make.decide(decider, traits={"employees": "45 people"})
    assert (make.shown(decision), decision.unusable) == ([], ("employees",))


def test_slots_show_what_the_profile_holds(make: Any) -> None:
    """A slot shows the coerced trait, folded text as it was written, and each visitor their own."""
    change = Change(
        selector="h1", text=(Slot(("traits", "company"), "you", "text"), " ", Slot(("traits", "n"), "-", "text"))
    )
    declarations = [TraitDeclaration("company", None, None, "lower"), TraitDeclaration("n", "number", 7, None)]
    experience = make.experience("home", make.audience("s", make.variant("hero", change)))
    decider = make.decider(experience, segments=[make.segment("s", "true")], traits=declarations)
    for traits, text in (({"company": "Acme", "n": "5"}, "Acme 5"), ({"n": "x"}, "you 7"), ({"company": "B"}, "B 7")):
        (assignment,) = make.decide(decider, traits=traits).assignments
        assert make.body(assignment)["changes"] == [{"selector": "h1", "text": text}]


def test_a_decision_says_what_it_was_made_with(make: Any) -> None:
    """Visitor, ruleset version and `degraded` stand in the decision, also where nothing applies."""
    decider = make.decider(make.experience("home", "s", pages=("/",)))
    for url in ("https://www.example.com/", "https://www.example.com/elsewhere"):
        decision = make.decide(decider, "v7", url=url, degraded=True)
        assert (decision.visitor_id, decision.ruleset, decision.degraded) == ("v7", "0badcafe", True)
        assert not make.decide(decider, "v7", url=url).degraded


def test_deciding_changes_nothing(make: Any) -> None:
    """The profile is as it was, and the same question has the same answer."""
    traits = {"s": "true", "x": {"y": ["z"]}}
    decider = make.decider(make.experience("home", "s"), traits=[TraitDeclaration("s", "boolean", None, None)])
    profile, page, visit = Profile("v", traits), Page("https://www.example.com/"), Visit(1, device={"type": "bot"})
    before = copy.deepcopy((profile, page, visit))
    decisions = [decider.decide(profile, page, visit, make.now) for _ in range(3)]
    assert (profile, page, visit) == before
    assert decisions == [decisions[0]] * 3
    assert decisions[0].assignments


def test_a_successor_can_be_warm(make: Any) -> None:
    """A decider made warm, alone or after another one, decides as one that is not."""
    old, alone, after = (make.decider(make.experience("home", "s")) for _ in range(3))
    decision = make.decide(old, traits={"s": True})
    alone.warm()
    after.warm(old)
    assert decision.assignments
    assert [make.decide(decider, traits={"s": True}) for decider in (alone, after)] == [decision] * 2


def test_its_parts_are_all_that_is_large(make: Any) -> None:
    """Segments, and audiences as written, prepared and in short: who drops them one by one never drops much at once."""
    kinds = sorted(type(part).__name__ for part in make.decider(make.experience("home", "s")).parts())
    assert kinds == ["Audience", "Draw", "Segment", "_Prepared"]


def test_a_page_that_is_no_url_is_said(make: Any) -> None:
    """A page URL that is none is an error, whatever the rules are."""
    with pytest.raises(NotAUrl):
        make.decide(make.decider(), url="/pricing")


def test_a_ruleset_without_anything_decides_nothing(make: Any) -> None:
    """An empty ruleset is a ruleset."""
    decider = Decider(make.ruleset())
    assert make.shown(make.decide(decider)) == []
    assert decider.ruleset.version == "0badcafe"


def test_what_conditions_and_slots_see(make: Any) -> None:
    """The roots in their order, traits coerced, unusable ones named; slots see folded text as it came."""
    declared = [TraitDeclaration("n", "number", None, None), TraitDeclaration("t", None, None, "lower")]
    decider = make.decider(traits=declared)
    profile = Profile("v1", {"n": "x", "t": "Ab"})
    roots, unusable = decider.roots(profile, Page("https://www.example.com/a?b=c", title="T"), Visit(count=1), START)
    assert (roots[0], unusable) == ({"t": "ab"}, ("n",))
    assert (roots[3]["path"], roots[3]["query"], roots[3]["title"]) == ("/a", {"b": "c"}, "T")
    assert (roots[4], roots[7]) == ({"count": 1, "new": True}, START)
    assert decider.shown(profile, roots)[0] == {"t": "Ab"}
