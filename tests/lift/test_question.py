"""Who a person is, which exposure counts, what is counted: on small logs, each with one thing in it."""

import pytest

from engine.lift.question import needs_accounts, quoted, steps
from engine.lift.statistics import Group


def only(counted):
    """The one line's groups, as (visitors, converters) of control and of personalized; and who saw both."""
    [line] = counted.figures
    pair = line.closed
    return (
        (pair.control.visitors, pair.control.converters),
        (pair.personalized.visitors, pair.personalized.converters),
        line.saw_both,
    )


def test_an_anonymous_visitor_converts(stream, counted):
    """Shown to an anonymous id, converted by the same; another only sees it."""
    stream.shown(0, "a1", personalized=True)
    stream.converted(1, "a1")
    stream.shown(0, "a2", personalized=False)
    assert only(counted()) == ((1, 0), (1, 1), 0)


def test_a_conversion_from_the_backend(stream, counted):
    """Shown to an anonymous id that logs in later; the backend knows the user alone, and speaks before the link."""
    stream.shown(0, "a1", personalized=True)
    stream.converted(1, user="u1")
    stream.identified(2, "a1", "u1")
    assert only(counted()) == ((0, 0), (1, 1), 0)


@pytest.mark.parametrize("type_", ["track", "page", "screen", "group", "identify"])
def test_any_message_links(stream, counted, type_):
    """A userId beside an anonymousId, whatever kind of message has them."""
    stream.shown(0, "a1", personalized=False)
    fields = {"track": {"event": "Logged In"}, "group": {"groupId": "g1"}}.get(type_, {})
    stream.add(type_, 1, "a1", "u1", **fields)
    stream.converted(2, user="u1")
    assert only(counted()) == ((1, 1), (0, 0), 0)


def test_an_alias_links(stream, counted):
    """`previousId` is an anonymous id of the user's; a browser's alias of an identified visitor links nobody."""
    stream.shown(0, "a1", personalized=True)
    stream.shown(0, "a2", personalized=True)
    stream.add("alias", 1, None, "u1", previousId="a1")
    stream.add("alias", 1, None, "a2", previousId="a2")
    stream.converted(2, user="u1")
    assert only(counted()) == ((0, 0), (2, 1), 0)


def test_the_browser_keeps_its_visitor_when_segment_begins_a_new_anonymous_id(stream, counted):
    """Two anonymous ids of one `mutinyVisitorId` are one visitor, and whoever logs in with the second was the first."""
    stream.identified(0, "a1", visitor="v1")
    stream.shown(0, "a1", personalized=True)
    stream.identified(1, "a2", visitor="v1")
    stream.shown(1, "a2", personalized=True)
    stream.identified(2, "a2", "u1")
    stream.converted(3, user="u1")
    assert only(counted()) == ((0, 0), (1, 1), 0)


def test_a_server_says_which_visitor_a_user_is(stream, counted):
    """`mutinyVisitorId` beside a userId alone."""
    stream.identified(0, "a1", visitor="v1")
    stream.shown(0, "a1", personalized=True)
    stream.identified(1, None, "u1", "v1")
    stream.converted(3, user="u1")
    assert only(counted()) == ((0, 0), (1, 1), 0)


def test_what_is_sent_under_the_visitors_own_id(stream, counted):
    """As a server does on the first page view, when the browser has no anonymous id yet: it is that visitor's."""
    stream.shown(0, "v1", personalized=True)
    stream.identified(1, "a1", visitor="v1")
    stream.shown(1, "a1", personalized=True)
    stream.converted(2, "a1")
    stream.shown(0, "v2", personalized=False)
    stream.identified(1, None, "u2", "v2")
    stream.converted(2, user="u2")
    assert only(counted()) == ((1, 1), (1, 1), 0)


def test_a_link_counts_before_the_visitors_own_id(stream, counted):
    """Whoever says of an anonymous id which visitor it is knows better than its looks."""
    stream.identified(0, "v1", visitor="v2")
    stream.identified(1, "a1", visitor="v1")
    stream.shown(2, "v1", personalized=True)
    stream.converted(3, "a1")
    assert only(counted()) == ((0, 0), (1, 0), 0)


def test_the_newest_link_counts(stream, counted):
    """Of a device that changed hands, what was seen before anybody logged in is the newest user's."""
    stream.shown(0, "a1", personalized=True)
    stream.identified(1, "a1", "u1")
    stream.identified(2, "a1", "u2")
    stream.converted(3, user="u1")
    assert only(counted()) == ((0, 0), (1, 0), 0)
    stream.converted(3, user="u2")
    assert only(counted()) == ((0, 0), (1, 1), 0)


def test_who_shares_a_device_under_their_own_name(stream, counted):
    """An event with a userId is that user's, whoever the device belongs to by now."""
    stream.shown(0, "a1", personalized=True, user="u1")
    stream.shown(1, "a1", personalized=True, user="u2")
    stream.converted(3, user="u1")
    assert only(counted()) == ((0, 0), (2, 1), 0)


def test_a_person_with_two_devices_counts_once(stream, counted):
    """In the group that they saw first; that they saw both is told, and a conversion on either device counts."""
    stream.shown(1, "phone", personalized=False)
    stream.shown(0, "desk", personalized=True)
    stream.identified(2, "phone", "u1")
    stream.identified(2, "desk", "u1")
    stream.converted(3, "phone")
    assert only(counted()) == ((0, 0), (1, 1), 1)


def test_one_browser_draws_once(stream, counted):
    """Two people who take turns on one browser saw what one draw decided: they are one visitor."""
    for who in "12":
        stream.identified(0, f"a{who}", visitor="v1")
        stream.shown(0, f"a{who}", personalized=True)
        stream.identified(1, f"a{who}", f"u{who}")
    stream.converted(2, user="u1")
    stream.converted(2, user="u2")
    assert only(counted()) == ((0, 0), (1, 1), 0)
    assert only(counted(split="user")) == ((0, 0), (2, 2), 0)


def test_an_account_draws_once(stream, counted):
    """Split by account, colleagues are one visitor; who has no account is one by themselves."""
    for who in "123":
        stream.shown(int(who), f"a{who}", personalized=True, user=f"u{who}")
    stream.add("group", 0, None, "u1", groupId="g1")
    stream.add("group", 0, "a2", None, groupId="g1", traits={"name": "Acme"})
    stream.converted(4, user="u2")
    assert only(counted()) == ((0, 0), (3, 1), 0)
    assert only(counted(split="account")) == ((0, 0), (2, 1), 0)


def test_the_newest_account_counts(stream, counted):
    """Of a user who changed it; `context.groupId` says it, too."""
    stream.shown(0, None, personalized=True, user="u1")
    stream.shown(0, None, personalized=True, user="u2")
    stream.add("group", 0, None, "u1", groupId="g1")
    stream.add("page", 1, None, "u1", context={"groupId": "g2"})
    stream.add("group", 0, None, "u2", groupId="g1")
    assert only(counted(split="account")) == ((0, 0), (2, 0), 0)
    stream.add("group", 2, None, "u2", groupId="g2")
    assert only(counted(split="account")) == ((0, 0), (1, 0), 0)


@pytest.mark.parametrize(
    ("days", "converters"), [(-0.001, 0), (0, 1), (6.999, 1), (7, 0)], ids=["before", "at once", "at last", "too late"]
)
def test_the_window(stream, counted, days, converters):
    """A conversion counts from the first exposure on, up to the window's end."""
    stream.shown(10, "a1", personalized=True)
    stream.shown(12, "a1", personalized=True)
    stream.converted(10 + days, "a1")
    assert only(counted()) == ((0, 0), (1, converters), 0)


def test_each_goal_has_its_window(stream, counted):
    """And its visitors: those whose window is over."""
    stream.shown(0, "a1", personalized=True)
    stream.shown(20, "a2", personalized=True)
    stream.converted(9, "a1")
    stream.converted(21, "a2")
    goals = "  long: {event: Signed Up, window: 10d}\n  short: {event: Signed Up, window: 1d}\n"
    by_goal = {line.goal: line for line in counted(conversions=goals).figures}
    assert by_goal["long"].closed.personalized == Group(1, 1)
    assert by_goal["long"].open.personalized == Group(1, 1)
    assert by_goal["short"].closed.personalized == Group(2, 0)
    assert by_goal["short"].open.personalized == Group(0, 0)


def test_a_segment_is_that_of_the_first_exposure(stream, counted):
    """Who changes the audience segment stays where they were."""
    stream.shown(0, "a1", personalized=True, segment="Large company")
    stream.shown(1, "a1", personalized=False)
    [line] = counted().figures
    assert (line.segment, line.closed.personalized, line.saw_both) == ("Large company", Group(1, 0), 1)


def test_repeats_change_nothing(stream, counted):
    """The same messages again, under the same ids."""
    stream.shown(0, "a1", personalized=True)
    stream.converted(1, "a1")
    stream.converted(2, "a1")
    before = counted()
    stream.messages *= 3
    assert counted() == before
    assert only(before) == ((0, 0), (1, 1), 0)


def test_steps_are_those_that_are_needed(rules):
    """Accounts are asked for only where somebody is split by them; an experience's name is quoted."""
    goals = tuple(rules().goals.values())
    assert "accounts" not in [step.name for step in steps({"a": "user"}, goals)]
    assert "accounts" in [step.name for step in steps({"it's": "account"}, goals)]
    assert needs_accounts({"a": "account"})
    assert any("'it''s'" in step.select for step in steps({"it's": "account"}, goals))
    assert quoted("it's") == "'it''s'"
