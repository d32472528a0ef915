"""Laws of an explanation: it comes to what `decide` comes to, and names what stood in the way (DESIGN 12)."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from engine.cli import crowd
from engine.decide.decider import Decider, NotAUrl
from engine.decide.explain import explain, to_json
from engine.decide.explanation import Explanation
from engine.rules.folder import load
from engine.words import Change, Decision, Page, Profile, TraitDeclaration, Visit

PPM = 1_000_000
RULES = Path(__file__).parent.parent.parent / "rules"
PAGES = (
    "https://www.example.com/", "https://www.example.com/pricing", "https://docs.example.com/x",
    "https://www.example.com/lp/a?utm_medium=cpc", "https://www.example.com/blog/2026/x", "https://elsewhere.example/",
)  # fmt: skip
START, END = datetime(2026, 6, 1, tzinfo=UTC), datetime(2026, 7, 1, tzinfo=UTC)
shares = st.sampled_from([0, 1, PPM // 3, PPM // 2, PPM])


def told(explanation: Explanation) -> list[tuple[str, str | None, str | None]]:
    """(experience, segment, variant) of what the explanation says that is answered."""
    return [
        (one.experience, one.segment, one.shown.variant if one.shown else None)
        for one in explanation.experiences
        if one.outcome in {"personalized", "control"}
    ]


def outcomes(explanation: Explanation) -> dict[str, str]:
    """What came of each experience."""
    return {one.experience: one.outcome for one in explanation.experiences}


def ask(make: Any, decider: Decider, traits: dict[str, Any] | None = None, **known: Any) -> Explanation:
    """The explanation of a visit at the usual time and page."""
    how = {name: known.pop(name) for name in ("experience",) if name in known}
    now, url, visitor = (known.pop(n, d) for n, d in (("now", make.now), ("url", PAGES[0]), ("visitor", "v1")))
    return explain(decider, Profile(visitor, traits or {}, **known), Page(url), Visit(), now, **how)


@st.composite
def rulesets(draw: st.DrawFn, make: Any, conditions: st.SearchStrategy[str]) -> Any:
    """A decider with some segments, experiences, groups, schedules, shares and weights."""
    when, excepts = st.lists(conditions, min_size=1, max_size=2), st.lists(conditions, max_size=1)
    segments = [make.segment(f"s{n}", *draw(when), excepts=draw(excepts)) for n in range(3)]
    experiences = []
    for key in draw(st.permutations("abc")):
        audiences = []
        for segment in draw(st.lists(st.sampled_from(["s0", "s1", "s2"]), min_size=1, max_size=3, unique=True)):
            weights = draw(st.lists(st.integers(0, 3), min_size=1, max_size=3).filter(any))
            variants = [make.variant(f"v{n}", weight=weight) for n, weight in enumerate(weights)]
            audiences.append(make.audience(segment, *variants, control=draw(shares), salt=draw(st.sampled_from("xy"))))
        experiences.append(
            make.experience(
                key,
                *audiences,
                status=draw(st.sampled_from(["live", "live", "live", "draft"])),
                pages=draw(st.sampled_from([("/**",), ("/",), ("/pricing", "/lp/*")])),
                start=draw(st.sampled_from([None, START, END])),
                holdout_ppm=draw(shares.filter(lambda share: share < PPM)),
                split_by=draw(st.sampled_from(["visitor", "user", "account"])),
                exclusion_group=draw(st.sampled_from([None, "g", "g"])),
                priority=draw(st.integers(0, 2)),
            )
        )
    return make.decider(*experiences, segments=segments, traits=[TraitDeclaration("a", "number", None, None)])


@settings(max_examples=40, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(data=st.data())
def test_an_explanation_is_the_decision(data: st.DataObject, make: Any, grammar: Any) -> None:
    """On any rules and visitor: the same winners, groups and variants in the same order, and it is JSON."""
    decider = data.draw(rulesets(make, grammar.conditions))
    roots = data.draw(grammar.visitors())
    profile = Profile(
        data.draw(st.sampled_from(["v1", "v2", "v3"])),
        {name: value for name, value in roots[0].items() if value is not None},
        roots[1],
        roots[2].get("lead", {}),
        roots[2].get("contact", {}),
        data.draw(st.sampled_from([None, "u1"])),
        data.draw(st.sampled_from([None, "acc"])),
    )
    page = Page(data.draw(st.sampled_from(PAGES[:4])))
    explanation = explain(decider, profile, page, Visit(), grammar.NOW)
    assert told(explanation) == make.shown(decider.decide(profile, page, Visit(), grammar.NOW))
    assert explanation.agrees
    assert to_json(explanation).startswith(b'{"verdict":')


def test_the_example_rules_are_explained_as_decided(make: Any) -> None:
    """Every visitor of the demo on every page of the example: winners, groups, variants and the changes themselves."""
    ruleset = load(RULES).ruleset
    assert ruleset is not None
    decider, seen = Decider(ruleset), set()
    for line in crowd.lines(60):
        profile = Profile(line["visitorId"], line["traits"], line["account"], account_id=line["account"].get("name"))
        for url in PAGES:
            visit = Visit(count=5, geo={"country": "AT"}, device={"language": "de"})
            decision = decider.decide(profile, Page(url), visit, make.now)
            explanation = explain(decider, profile, Page(url), visit, make.now)
            assert told(explanation) == make.shown(decision)
            changes = [bytes(one.shown.changes) for one in explanation.experiences if one.shown]
            assert all(b'"changes":' + change in b"".join(a.body for a in decision.assignments) for change in changes)
            seen.update(outcomes(explanation).values())
    assert seen >= {"personalized", "control", "no-match", "excluded", "other-page", "not-live", "not-started"}


def test_every_obstacle_has_its_name(make: Any) -> None:
    """Status, page, schedule, group, no match, holdout, control: each experience says what came of it."""
    decider = make.decider(
        make.experience("draft", "s", status="draft"),
        make.experience("elsewhere", "s", pages=("/pricing",)),
        make.experience("early", "s", start=make.now + timedelta(microseconds=1)),
        make.experience("late", "s", end=make.now),
        make.experience("just-in-time", "s", start=make.now, end=make.now + timedelta(microseconds=1)),
        make.experience("first", "s", exclusion_group="g", priority=1),
        make.experience("second", "s", exclusion_group="g"),
        make.experience("unmatched", "t"),
        make.experience("kept-out", "s", holdout_ppm=PPM),
        make.experience("as-it-is", make.audience("s", control=PPM)),
    )
    explanation = ask(make, decider, {"s": True})
    assert outcomes(explanation) == {
        "draft": "not-live",
        "elsewhere": "other-page",
        "early": "not-started",
        "late": "ended",
        "just-in-time": "personalized",
        "first": "personalized",
        "second": "excluded",
        "unmatched": "no-match",
        "kept-out": "held-out",
        "as-it-is": "control",
    }
    second = next(one for one in explanation.experiences if one.experience == "second")
    assert (second.decided_by, second.audiences) == ("first", ())
    assert "`first`" in second.because
    assert explanation.verdict == (
        "Visitor `v1` sees variant `hero` of `first` (segment `s`), is control in `as-it-is` (segment `s`), "
        "sees variant `hero` of `just-in-time` (segment `s`) and is held out of `kept-out` (segment `s`)."
    )


def test_the_pattern_that_fits_is_named(make: Any) -> None:
    """Of an experience's pages those that the URL fits, as written."""
    decider = make.decider(make.experience("e", "s", pages=("/a", "www.example.com/", "/**")))
    assert ask(make, decider).experiences[0].fitting == ("www.example.com/", "/**")


@pytest.mark.parametrize("first", [{"control": PPM}, {"control": 0}])
def test_who_was_decided_first_excludes(make: Any, first: dict[str, int]) -> None:
    """A control visitor excludes the others of the group, too."""
    decider = make.decider(
        make.experience("a", make.audience("s", **first), exclusion_group="g"),
        make.experience("b", "s", exclusion_group="g"),
    )
    assert outcomes(ask(make, decider, {"s": True}))["b"] == "excluded"
    assert outcomes(ask(make, decider, {"s": False}))["b"] == "no-match"


def test_audiences_below_the_winner_are_not_asked(make: Any) -> None:
    """Above the winner every segment says why it lost; below it none is asked."""
    decider = make.decider(make.experience("e", "lost", "won", "below"))
    audiences = ask(make, decider, {"lost": False, "won": True, "below": True}).experiences[0].audiences
    assert [one.outcome for one in audiences] == ["does-not-match", "matches", "not-asked"]
    assert audiences[0].because == "`traits.lost == true` is false"
    assert audiences[2].when == ()


def test_one_experience_alone(make: Any) -> None:
    """Narrowed, the answer is about it alone, and its audiences are asked even where the decision did not get there."""
    decider = make.decider(
        make.experience("a", "s", exclusion_group="g"), make.experience("b", "s", exclusion_group="g")
    )
    explanation = ask(make, decider, {"s": True}, experience="b")
    [only] = explanation.experiences
    assert (only.experience, only.outcome, only.segment, only.draws) == ("b", "excluded", None, ())
    assert [one.outcome for one in only.audiences] == ["matches"]
    assert explanation.verdict.startswith("Visitor `v1` gets nothing of `b`: `a` of the same exclusion group")
    assert explanation.agrees
    with pytest.raises(KeyError):
        ask(make, decider, experience="c")


def test_unusable_traits_are_named_once_for_all(make: Any) -> None:
    """A declared trait of another type is named with what was sent, whoever asks for it."""
    decider = make.decider(make.experience("e", "s"), traits=[TraitDeclaration("employees", "number", None, None)])
    [fact] = ask(make, decider, {"employees": "45 people"}).unusable
    assert (fact.path, fact.state, fact.value, fact.sent) == ("traits.employees", "unusable", None, "45 people")


class Liar(Decider):
    """Decides nothing, whatever the rules say."""

    def decide(self, profile: Profile, page: Page, visit: Visit, now: datetime) -> Decision:
        """The answer without its entries."""
        return replace(super().decide(profile, page, visit, now), assignments=())


def test_a_decision_that_differs_is_told(make: Any) -> None:
    """Should the service decide otherwise, the explanation stays what the rules say, and says that they differ."""
    explanation = ask(make, Liar(make.ruleset(make.experience("e", "s"))), {"s": True})
    assert outcomes(explanation) == {"e": "personalized"}
    assert not explanation.agrees


def test_no_url(make: Any) -> None:
    """A page that is none is refused as `decide` refuses it."""
    with pytest.raises(NotAUrl):
        ask(make, make.decider(), url="example.com")


def test_nothing_at_all(make: Any) -> None:
    """Without an experience the page is as it is, and the verdict says so."""
    explanation = ask(make, make.decider())
    assert (explanation.experiences, explanation.agrees) == ((), True)
    assert explanation.verdict == "Visitor `v1` sees the page as it is: no experience runs on it now."


def test_a_degraded_profile_is_said(make: Any) -> None:
    """Where the store could not be read, the explanation says so."""
    assert ask(make, make.decider(), degraded=True).degraded


def test_a_slot_sees_text_as_it_came(make: Any) -> None:
    """A folded trait is compared in small letters, and shown as it was sent: the same bytes that `decide` sends."""
    hero = make.variant("hero", Change(selector="h1", text=("Hi ", make.slot("traits.name"))))
    decider = make.decider(
        make.experience("e", make.audience("s", hero)),
        segments=[make.segment("s", 'traits.name == "ada"')],
        traits=[TraitDeclaration("name", None, None, "lower")],
    )
    shown = ask(make, decider, {"name": "Ada"}).experiences[0].shown
    assert shown is not None
    assert bytes(shown.changes) == b'[{"selector":"h1","text":"Hi Ada"}]'
    assert (shown.slots[0].written, shown.slots[0].fact.value, shown.slots[0].fact.sent) == ("Ada", "ada", "Ada")
