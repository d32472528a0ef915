"""Why a condition has no answer: the paths that are to blame."""

from datetime import UTC, datetime

import pytest

from engine.review.causes import Cause, Part, view_reads

NOW = datetime(2026, 6, 1, tzinfo=UTC)


@pytest.fixture
def causes(make):
    """`causes(text, traits, …)`: what is to blame, as (path, why)."""

    def causes(text, traits=None, account=None, unusable=(), **salesforce):
        part = Part(make.condition(text))
        roots = (traits or {}, account or {}, salesforce, {}, {}, {}, {}, NOW)
        assert part.is_open(roots)
        return {(cause.path, cause.why) for cause in part.causes(roots, unusable)}

    return causes


@pytest.mark.parametrize(
    ("text", "traits", "expected"),
    [
        ("traits.plan == 'pro'", {}, {("traits.plan", "absent")}),
        ("traits.a == 1 && traits.b == 1", {"a": 1}, {("traits.b", "absent")}),
        ("traits.a == 1 || traits.b == 1", {"a": 2}, {("traits.b", "absent")}),
        ("traits.a == 1 || traits.b == 1", {}, {("traits.a", "absent"), ("traits.b", "absent")}),
        ("!(traits.a == 1 && traits.b == 1)", {"a": 1}, {("traits.b", "absent")}),
        ("traits.a ? traits.b == 1 : traits.c == 1", {"a": True}, {("traits.b", "absent")}),
        ("traits.a ? traits.b == 1 : traits.c == 1", {"a": False}, {("traits.c", "absent")}),
        ("traits.a ? traits.b == 1 : traits.c == 1", {}, {("traits.a", "absent")}),
        ("traits.address.city == 'Graz'", {"address": {}}, {("traits.address.city", "absent")}),
        ("traits.address.city == 'Graz'", {"address": "Graz"}, {("traits.address.city", "unlike")}),
        ("has(traits.address.city)", {}, {("traits.address", "absent")}),
        ("traits.age > 3", {"age": "old"}, {("traits.age", "unlike")}),
        ("traits.paying", {"paying": "yes"}, {("traits.paying", "unlike")}),
        ("double(traits.used) / traits.seats > 0.5", {"used": "x", "seats": 2.0}, {("traits.used", "unlike")}),
        ("traits.tags.exists(t, t == 'a')", {}, {("traits.tags", "absent")}),
        ("traits.visits.exists(visit, visit.page == 'x')", {}, {("traits.visits", "absent")}),
        ("traits['job title'] == 'CEO'", {}, {("traits.job title", "absent")}),
        ("visit.count > 3", {}, {("visit.count", "page view")}),
        ("traits.a == 1 && geo.country == 'AT'", {"a": 1}, {("geo.country", "page view")}),
        ("1 / 0 == 1", {}, {("1 / 0", "unlike")}),
    ],
)
def test_who_is_to_blame(causes, text, traits, expected):
    """Only what could change the answer is named: absent, unlike, or known on a page view alone."""
    assert causes(text, traits) == expected


def test_a_declared_trait_of_another_type(causes):
    """What came and could not be read as declared is unlike, although rules see nothing of it."""
    assert causes("traits.age > 3", unusable=("age",)) == {("traits.age", "unlike")}


def test_accounts_and_crm_records(causes):
    """Paths of accounts and of Salesforce records are named whole."""
    assert causes("account.tier == 'gold'") == {("account.tier", "absent")}
    assert causes("salesforce.lead.Status == 'Open'") == {("salesforce.lead.Status", "absent")}
    assert causes("salesforce.lead.Score > 3", lead={"Score": "high"}) == {("salesforce.lead.Score", "unlike")}


@pytest.mark.parametrize(
    ("text", "reads"),
    [
        ("traits.a == 1", set()),
        ("visit.count > 3 && page.query.utm == 'x'", {"visit.count", "page.query"}),
        ("has(geo.country)", {"geo.country"}),
        ("'country' in geo", {"geo"}),
        ("traits.visits.exists(visit, visit.page == 'x')", set()),
        ("now > timestamp('2026-01-01T00:00:00Z')", set()),
    ],
)
def test_what_a_page_view_is_asked(make, text, reads):
    """Fields of page, visit, device and geo that a condition looks at, also by `has()`; names of loops are no roots."""
    assert view_reads(make.condition(text)) == reads


def test_causes_sort():
    """Causes have an order, so that output is the same every time."""
    assert sorted([Cause("b", "absent"), Cause("a", "unlike")])[0].path == "a"
