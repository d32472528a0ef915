"""Rules that ask for what nobody ever sent; and none that somebody may well have."""

from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from engine.rules.doubts.seen import Seen, SeenTrait
from engine.rules.folder import Circumstances, load

SEEN = {
    "traits": {
        "employees": SeenTrait({"string": 10}, {"number": 9}),
        "plan": SeenTrait({"string": 5}, {}),
        "age": SeenTrait({"number": 2}, {}),
        "vip": SeenTrait({"string": 4}, {"boolean": 4}),
        "since": SeenTrait({"string": 4}, {"timestamp": 4}),
        "tags": SeenTrait({"list": 3}, {}),
        "mixed": SeenTrait({"number": 1, "string": 2}, {}),
        "old": SeenTrait({}, {}),
    },
    "account": {"seats": SeenTrait({"number": 7}, {})},
}
Doubts = Callable[..., list[str]]


@pytest.fixture
def doubts(tmp_path: Path) -> Doubts:
    """`column code message | hint` for every doubt of this kind about a condition."""

    def look(when: str, traits: str = "{}", seen: Mapping[str, Mapping[str, SeenTrait]] = SEEN) -> list[str]:
        text = f"segments:\n  s:\n    name: S\n    when: |-\n      {when}\n"
        text += f"traits: {traits}\ninsertable: [traits.company]\n"
        text += "experiences: {e: {name: E, pages: [/], audiences: [{segment: s, variants: [{key: v, changes: ["
        text += "{selector: h1, text: \"{{ traits.company | default: 'you' }}\"}]}]}]}}\n"
        (tmp_path / "a.yaml").write_text(text, "utf-8")
        known = Circumstances(seen=lambda: Seen("the 10 stored records", seen))
        found = load(tmp_path, circumstances=known).problems
        assert {problem.severity for problem in found} <= {"warning"}
        return [
            f"{p.place.column} {p.code} {p.message} | {p.hint}"
            for p in found
            if p.code.startswith("unseen") and p.place.line == 5
        ]

    return look


@pytest.mark.parametrize(
    ("when", "expected"),
    [
        (
            "traits.emploees > 5",
            "14 unseen-trait none of the 10 stored records has `traits.emploees` | did you mean `traits.employees`?",
        ),
        (
            "has(traits.postcode)",
            "18 unseen-trait none of the 10 stored records has `traits.postcode` | right only where",
        ),
        ('traits["job title"] == "x"', '15 unseen-trait none of the 10 stored records has `traits["job title"]`'),
        ('"zip" in traits', "8 unseen-trait none of the 10 stored records has `traits.zip`"),
        ("traits.zip.city == 1 || traits.zip.town == 1", "14 unseen-trait none"),
        (
            "traits.employees > 5 && traits.age > 3",
            "7 unseen-type `traits.employees` is compared with a number, but of 10 stored values all are texts | 9 of",
        ),
        (
            "!(traits.vip)",
            "9 unseen-type `traits.vip` is asked for true or false, but of 4 stored values all are texts |",
        ),
        ("traits.since > now - duration('1h')", "7 unseen-type `traits.since` is compared with a timestamp"),
        (
            'account.seats == "45"',
            "7 unseen-type `account.seats` is compared with a text, but of 7 stored values all are",
        ),
        ("account.seats in ['45', '46']", "7 unseen-type `account.seats` is compared with a text"),
        (
            "traits.age.startsWith('4')",
            "7 unseen-type `traits.age` is asked for a text, but of 2 stored values all are",
        ),
        (
            "traits.tags == 'x'",
            '7 unseen-type `traits.tags` is compared with a text, but of 3 stored values all are lists | `"x" in tr',
        ),
        (
            "traits.plan == 3",
            "7 unseen-type `traits.plan` is compared with a number, but of 5 stored values all are texts",
        ),
    ],
)
def test_what_nobody_has(doubts: Doubts, when: str, expected: str) -> None:
    """Each said once, at its place, with what would be right where that is plain."""
    (line,) = doubts(when)
    assert line.startswith(expected)


@pytest.mark.parametrize(
    ("when", "traits"),
    [
        ("traits.plan == 'free' && traits.age > 5 && traits.mixed > 1 && traits.mixed == 'a'", "{}"),
        ("traits.employees > 5", "{employees: {type: number}}"),
        ("traits.plan in [1, 2] || traits.plan > 3", "{plan: {default: 3}}"),
        ("traits.age != ''", "{}"),
        ("traits.old > 5 && traits.old == 'x'", "{}"),
        ("traits.plan in ['a'] || dyn(traits.plan) in [1, 'a']", "{}"),
        ("traits.age == traits.plan", "{}"),
        ("traits.tags.exists(t, t == 'x') || 'x' in traits.tags", "{}"),
        ("[1].exists(traits, traits == 1)", "{}"),
        ("salesforce.lead.Status == 'x' && page.query.zip == 'x' && visit.count > 1", "{}"),
    ],
)
def test_no_false_alarms(doubts: Doubts, when: str, traits: str) -> None:
    """What somebody has, what a declaration makes fit, and what is not stored."""
    assert doubts(when, traits) == []


def test_texts_that_are_meant_as_something_else(doubts: Doubts) -> None:
    """The declaration that makes them fit can be pasted."""
    assert doubts("traits.employees > 5")[0].endswith("as a number: `traits: {employees: {type: number}}`")
    assert doubts("traits.vip")[0].endswith(
        "| all of these texts can be read as true or false: `traits: {vip: {type: boolean}}`"
    )
    assert doubts("account.seats == '45'")[0].endswith("| `account.seats == 45`")


def test_nobody_is_stored(doubts: Doubts) -> None:
    """Of an empty store nothing can be learned."""
    assert doubts("traits.zip == 1", seen={"traits": {}, "account": {}}) == []


def test_slots_and_the_order_of_questions(tmp_path: Path) -> None:
    """A slot is doubted like a condition; of rules with errors nobody is asked for visitors."""
    asked = []

    def seen() -> Seen:
        asked.append(1)
        return Seen("the 10 stored records", SEEN)

    text = "segments: {s: {name: S, when: traits.age > 1}}\ninsertable: [traits.compny]\nexperiences:\n"
    text += "  e: {name: E, pages: [/], audiences: [{segment: s, variants: [{key: v, changes: [\n"
    text += "    {selector: h1, text: \"Hi {{ traits.compny | default: 'you' }}\"}]}]}]}\n"
    (tmp_path / "a.yaml").write_text(text, "utf-8")
    (problem,) = load(tmp_path, circumstances=Circumstances(seen=seen)).problems
    assert (problem.code, problem.place.line, problem.place.column, problem.width) == ("unseen-trait", 5, 30, 36)
    (tmp_path / "a.yaml").write_text(text + "nonsense: 1\n", "utf-8")
    load(tmp_path, circumstances=Circumstances(seen=seen))
    (tmp_path / "a.yaml").write_text(text, "utf-8")
    load(tmp_path, doubts=False, circumstances=Circumstances(seen=seen))
    assert asked == [1]


GOALS = """segments: {s: {name: S, when: page.path == "/"}}
experiences: {e: {name: E, pages: [/], audiences: [{segment: s, variants: [{key: v, changes: []}]}]}}
conversions:
  good: {event: Signed Up}
  slip: {event: signed-up}
  none: {event: Demo Booked}
"""


@pytest.mark.parametrize(
    ("events", "expected"),
    [
        (
            {"Signed Up", "Order"},
            [
                "5:17 no event `signed-up` was ever sent | did you mean `Signed Up`?",
                "6:17 no event `Demo Booked` was ever sent | right only where it is about to be sent",
            ],
        ),
        (set(), []),
    ],
)
def test_goals_whose_event_never_came(tmp_path: Path, events: set[str], expected: list[str]) -> None:
    """Each at its event, with the nearest name; while no event at all was seen nothing is said."""
    (tmp_path / "a.yaml").write_text(GOALS, "utf-8")
    known = Circumstances(seen=lambda: Seen("the 10 stored records", {"traits": {}, "account": {}}, frozenset(events)))
    found = [p for p in load(tmp_path, circumstances=known).problems if p.code == "unseen-event"]
    assert {p.severity for p in found} <= {"warning"}
    assert [f"{p.place.line}:{p.place.column} {p.message} | {p.hint}" for p in found] == expected
