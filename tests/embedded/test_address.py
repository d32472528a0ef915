"""An address as a browser would send it: one that can be decided on, of the same page."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.embedded.address import as_browsers_send
from engine.limits import URL_CHARS
from engine.rules.notation.urls import parse_url

SITE = "https://www.example.com"
LONG = "x" * 9_000


@pytest.mark.parametrize(
    ("address", "sent"),
    [
        ("/a b", "/a%20b"),
        ("/a\tb\n", "/ab"),
        ("/a\\b?c\\d", "/a/b?c\\d"),
        ("/a\udc80\u3000", "/a%EF%BF%BD%E3%80%80"),
        ("/\ud83d\ude00", "/%F0%9F%98%80"),
        ("/ü/%C3%BC", "/%C3%BC/%C3%BC"),
        ("/%2F%zz", "/%2F%zz"),
        ('/"<>^`{}|', "/%22%3C%3E%5E%60%7B%7D|"),
        ("/?q='a b'&r=\"[]{}^`#h i", "/?q=%27a%20b%27&r=%22[]{}^`#h%20i"),
        ("/?  ", "/?"),
        (f"/{LONG}?q=1", f"/{LONG}"[: URL_CHARS - len(SITE)]),
        (f"/?a=1&b={LONG}", "/?a=1"),
        (f"/?b={LONG}&a=1", "/"),
        (f"/?a=1#{LONG}", "/?a=1"),
    ],
)
def test_what_browsers_send(address: str, sent: str) -> None:
    """As theirs, byte for byte, but for what has no end."""
    assert as_browsers_send(SITE + address) == SITE + sent


def test_no_escape_is_cut_in_two() -> None:
    """Wherever the end comes."""
    for lead in ("", "x", "xx"):
        sent = as_browsers_send(f"{SITE}/{lead}{' ' * 9_000}x")
        assert sent.endswith("%20")
        assert URL_CHARS - 3 < len(sent) <= URL_CHARS


def test_what_fits_is_kept() -> None:
    """To the last character."""
    page = f"{SITE}/?a=" + "x" * (URL_CHARS - len(SITE) - 4)
    assert as_browsers_send(page) == page
    assert as_browsers_send(f"{page}&b=1") == page


@given(st.text(st.characters(), max_size=50), st.integers(0, 300))
def test_whatever_follows_the_host_is_a_page(text: str, times: int) -> None:
    """Which can be decided on, and is one that any browser would send."""
    sent = as_browsers_send(f"{SITE}/{text * times}")
    assert sent.isascii()
    assert parse_url(sent) is not None
    assert as_browsers_send(sent) == sent


@pytest.mark.parametrize("address", ["", "pricing", "/pricing", "//www.example.com/", "https://", "https:///a b"])
def test_what_is_no_page_does_not_become_one(address: str) -> None:
    """Nobody can guess a host."""
    assert parse_url(as_browsers_send(address)) is None
