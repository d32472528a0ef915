"""A `given:` file is read as the test's `given:` is, with the problems of rule files at their places."""

from datetime import UTC, datetime

import pytest

from engine.cli.given import read_given
from engine.rules.files import RuleText
from engine.rules.folder import load_texts

WHOLE = """\
visitorId: ada
traits: {employees: "45", old: null, tags: [a, b]}
account: {seats: 5}
salesforce: {lead: {Status: Working}, contact: {}}
page: {url: "https://www.example.com/?a=b", referrer: "https://r.example/", title: T}
visit: {count: 3, first_seen: 2026-01-01T00:00:00Z, new: false}
device: {type: mobile, language: de}
geo: {country: AT, region: "9", city: Wien}
now: 2026-06-01T12:00:00+02:00
"""


def test_it_is_what_a_test_says():
    """The same text under `given:` of a test in a rule file means the same."""
    indented = "".join(f"      {line}\n" for line in WHOLE.splitlines())
    rules = f"tests:\n  - name: a test\n    given:\n{indented}    expect: nothing\n"
    ruleset = load_texts([RuleText("rules/t.yaml", rules.encode())]).ruleset
    assert ruleset is not None
    given, problems = read_given("ada.yaml", WHOLE.encode())
    assert problems == []
    assert given == ruleset.cases[0].given
    assert given.now == datetime(2026, 6, 1, 10, tzinfo=UTC)
    assert given.profile.traits == {"employees": "45", "tags": ["a", "b"]}


def test_json_is_read_too():
    """JSON is YAML."""
    given, problems = read_given("a.json", b'{"traits": {"x": 1.5}, "page": {"url": "https://a.example/"}}')
    assert problems == []
    assert (given.profile.visitor_id, given.profile.traits, given.now) == ("test", {"x": 1.5}, None)


@pytest.mark.parametrize(
    ("text", "place", "words"),
    [
        ("page: {url: 'https://a.example/'}\nvisitor: x\n", (2, 1), "unknown key `visitor`"),
        ("traits: {a: 1}\n", (1, 1), "missing key `page`"),
        ("page: {url: example.com}\n", (1, 13), "`example.com` is no page's URL"),
        ("visitorId: a b\npage: {url: 'https://a.example/'}\n", (1, 12), "`a b` is no visitor's id"),
        ("page: {url: 'https://a.example/'}\nvisit: {count: x}\n", (2, 16), "expected a whole number"),
        ("page: {url: 'https://a.example/'}\nnow: 2026-01-01\n", (2, 6), "has no time and zone"),
        ("page: {url: 'https://a.example/'}\npage: 1\n", (2, 1), "duplicate key"),
        ("[1]\n", (1, 1), "expected keys such as `visitorId:`, `traits:` and `page:`"),
        ("", (1, 1), "the file says nothing"),
        ("page: [\n", (1, 7), ""),
    ],
)
def test_what_is_wrong_stands_at_its_place(text, place, words):
    """No visitor, and the first problem where it is."""
    given, problems = read_given("ada.yaml", text.encode())
    assert given is None
    assert (problems[0].place.file, problems[0].place.line, problems[0].place.column) == ("ada.yaml", *place)
    assert words in problems[0].message


def test_several_problems_are_told_at_once():
    """One run names them all, in order."""
    _, problems = read_given("a.yaml", b"page: {url: x}\nnow: y\nvisitorId: '!'\n")
    assert [problem.place.line for problem in problems] == [1, 2, 3]


@pytest.mark.parametrize("data", [b"\xff\xfe", b"\0", b"\xff", b"{" * 500, b"page: &a {url: *a}"])
def test_nothing_raises(data):
    """Whatever a file holds."""
    given, problems = read_given("a.yaml", data)
    assert given is None
    assert problems
