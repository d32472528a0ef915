"""Each link of the chain from Segment, by chains made by hand."""

from datetime import UTC, datetime, timedelta

import pytest
from msgspec.structs import replace

from engine.cli.checkup_links import EXPOSURE, LINKS, Chain, Refused, ago
from engine.profiles.catalogue import Entry
from engine.profiles.record import time_ms

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
AT = time_ms(NOW)


def seen(name: str, *sources: str) -> Entry:
    """A name that was just seen."""
    return Entry(name, sources=sources, first_ms=AT, last_ms=AT)


WHOLE = Chain(
    NOW,
    sources=("website",),
    heard={"website": AT - 120_000},
    traits={name: seen(name, "website") for name in ("mutinyVisitorId", "email", "plan")},
    events={name: seen(name, "website") for name in ("Signed Up", EXPOSURE)},
    goals={"signed-up": "Signed Up"},
    skews_s={"website": 0.2},
)


def said(chain: Chain) -> dict[str, tuple[str, ...]]:
    """What each link says."""
    return {name: found for name, link in LINKS.items() if (found := link(chain)) is not None}


def test_a_whole_chain() -> None:
    """Every link is in order, and says what was heard."""
    found = said(WHOLE)
    assert {name: state for name, (state, *_) in found.items()} == dict.fromkeys(LINKS, "ok")
    assert found["sources"] == ("ok", "last heard: website 2 min ago")
    assert found["identify"] == ("ok", "`mutinyVisitorId` last seen today (website)")


def test_before_there_is_a_source() -> None:
    """Nobody has to use Segment: one line, in order, that says how to begin."""
    [found] = said(Chain(NOW)).values()
    assert found[0] == "ok"
    assert "mutiny-edge sources add" in found[1]


def test_a_source_that_never_sent() -> None:
    """What to do with its key; the other links wait for it."""
    found = said(Chain(NOW, sources=("website", "backend")))
    assert found.keys() == {"sources"}
    state, text, do = found["sources"]
    assert (state, text) == ("warning", "last heard: website never; backend never")
    assert do.startswith("point website, backend here with the key")


def test_a_source_that_fell_silent() -> None:
    """Older than a day: which, and since when."""
    state, text, do = said(replace(WHOLE, heard={"website": AT - 3 * 86_400_000}))["sources"]
    assert (state, text) == ("warning", "last heard: website 3 days ago")
    assert "website" in do


def test_a_source_that_is_gone() -> None:
    """It sent once, and has no key any more."""
    assert said(replace(WHOLE, sources=()))["sources"] == ("ok", "no source has a key any more, and some have sent")


def test_no_identify_with_the_visitor() -> None:
    """Without it nobody is personalized by what Segment knows: trouble."""
    state, text, do = said(replace(WHOLE, traits={"email": seen("email")}))["identify"]
    assert state == "trouble"
    assert "`mutinyVisitorId`" in text
    assert "analytics.identify(null, {mutinyVisitorId: …})" in do


def test_a_visitor_id_that_is_none() -> None:
    """Whoever sends it is told what one is: their traits reach nobody."""
    unusable = {"mutinyVisitorId": seen("mutinyVisitorId", "website")}
    state, text, do = said(replace(WHOLE, unusable=unusable))["identify"]
    assert (state, text) == ("warning", "`mutinyVisitorId` came that is no visitor id: last seen today (website)")
    assert "A-Z a-z 0-9" in do


@pytest.mark.parametrize(
    ("names", "state", "text"),
    [
        (["email"], "ok", "`email` last seen today (website)"),
        (["Email"], "warning", "the email is sent as `Email` (website)"),
        (["e-mail", "emailAddress"], "warning", "the email is sent as `e-mail` (website), `emailAddress` (website)"),
        (["e_mail", "email"], "warning", "`email` is sent, and `e_mail` (website) too"),
        (["plan", "email_opt_in"], "warning", "no trait `email` was seen"),
    ],
)
def test_how_the_email_is_spelled(names: list[str], state: str, text: str) -> None:
    """Exactly `email`; every other spelling is named, with who sends it."""
    found = said(replace(WHOLE, traits={name: seen(name, "website") for name in names}))["email"]
    assert found[:2] == (state, text)
    assert (len(found) == 3) is (state != "ok")


def test_goals_that_were_never_seen() -> None:
    """Which events, and a near name where there is one; none where there are no goals."""
    goals = {"signed-up": "signed_up", "demo": "Demo Booked"}
    state, text, do = said(replace(WHOLE, goals=goals))["goals"]
    assert (state, text) == ("warning", "never seen: `signed_up`, `Demo Booked`")
    assert do == "`signed-up`: did you mean `Signed Up`?"
    assert "goals" not in said(replace(WHOLE, goals={}))


def test_no_exposures() -> None:
    """Nothing can be said of lift; what the page has to send."""
    state, _, do = said(replace(WHOLE, events={"Signed Up": seen("Signed Up")}))["exposures"]
    assert state == "warning"
    assert EXPOSURE in do


@pytest.mark.parametrize(
    ("skew", "state", "text"),
    [
        (59.0, "ok", "all within 60 s"),
        (600.0, "warning", "website is 10 min behind"),
        (-7_200.0, "warning", "website is 2 h ahead"),
    ],
)
def test_clocks(skew: float, state: str, text: str) -> None:
    """A minute is a clock that nobody sets."""
    assert said(replace(WHOLE, skews_s={"website": skew}))["clocks"][:2] == (state, text)


def test_rejected_and_torn() -> None:
    """Counted by code, with the last reason; what was set aside, by file; and what to do about both."""
    rejected = (Refused("bad-id", 3, "userId: too long"), Refused("too-deep", 1, "x"))
    found = said(replace(WHOLE, rejected=rejected, torn=("a.12", "b.3")))
    assert found["rejected"][:2] == ("warning", "bad-id 3, too-deep 1; the last bad-id: userId: too long")
    assert "mutiny-edge rejected list" in found["rejected"][2]
    assert found["torn"][:2] == ("warning", "2 half written lines were set aside: a.12, b.3")


def test_what_cannot_be_read() -> None:
    """Is trouble, with what stands behind the semicolon to do."""
    state, text, do = said(Chain(NOW, trouble="sources.json cannot be used: cut short; restore it"))["sources"]
    assert (state, text, do) == ("trouble", "sources.json cannot be used: cut short", "restore it")
    assert len(said(Chain(NOW, trouble="x: Permission denied"))["sources"]) == 3


@pytest.mark.parametrize(
    ("since", "words"),
    [
        (timedelta(seconds=119), "just now"),
        (timedelta(minutes=12), "12 min ago"),
        (timedelta(hours=5), "5 h ago"),
        (timedelta(days=3), "3 days ago"),
    ],
)
def test_how_long_ago(since: timedelta, words: str) -> None:
    """As people say it."""
    assert ago(since.total_seconds()) == words


def test_every_link_is_a_sentence() -> None:
    """A link says in its first line what should be so."""
    assert all((link.__doc__ or "").strip().endswith(".") for link in LINKS.values())
