"""URLs of pages: which texts are some, and which of them are the same page."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine import limits
from engine.rules.notation.urls import Url, parse_url


def parsed(text: str) -> Url:
    """The URL, which has to be one."""
    url = parse_url(text)
    assert url is not None
    return url


@pytest.mark.parametrize(
    "same",
    [
        [
            "https://www.example.com",
            "https://www.example.com/",
            "HTTPS://WWW.Example.COM:443/",
            "https://www.example.com./",
        ],
        [
            "http://a.b/pricing",
            "http://a.b:80/pricing/",
            "http://a.b/pricing?x=1",
            "http://a.b/pricing#top",
            "http://me:pw@a.b/pricing",
        ],
        ["http://a.b/~jo", "http://a.b/%7Ejo", "http://a.b/%7ejo", "http://a.b/x/../~jo", "http://a.b/./~jo"],
        ["http://a.b/ü", "http://a.b/%C3%BC", "http://a.b/%c3%bc/"],
        ["http://bücher.de/", "http://xn--bcher-kva.de", "http://BÜCHER.de"],
    ],
)
def test_spellings_of_one_page(same: list[str]) -> None:
    """Case of the host, default port, trailing slash, percent-encoding, dots, query and fragment make no other page."""
    assert len({parsed(text).address for text in same}) == 1


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("http://a.b/x", "https://a.b/x"),
        ("http://a.b/x", "http://a.b/X"),
        ("http://a.b/a/b", "http://a.b/a%2Fb"),
        ("http://a.b/", "http://a.b:8080/"),
        ("http://a.b/x", "http://a.b/x//"),
    ],
)
def test_other_pages(one: str, other: str) -> None:
    """Scheme, port, the case of a path and an encoded slash do."""
    assert parsed(one).address != parsed(other).address


def test_parts() -> None:
    """A URL is taken apart; of a name that stands twice in the query the first value counts, all are kept."""
    url = parsed("https://Shop.example.com:8443/a/?q=x+y&q=2&empty=&%C3%BC=%26")
    assert (url.scheme, url.host, url.port, url.path) == ("https", "shop.example.com", 8443, "/a/")
    assert url.query == {"q": "x y", "empty": "", "ü": "&"}
    assert url.pairs[:2] == (("q", "x y"), ("q", "2"))


@pytest.mark.parametrize(
    "text",
    [
        *[
            "",
            "x",
            "/pricing",
            "www.example.com",
            "//a.b/",
            "ftp://a.b/",
            "javascript:alert(1)",
            "https:/a.b",
            "https://",
            "https:///x",
        ],
        *[
            "http://a b/",
            "http://a.b/\n",
            "http://a.b/\u2028",
            "http://a.b/\u200b",
            "http://a.b/\ud800",
            "http://a.b\\c",
            " http://a.b/",
        ],
        *[
            "http://a..b/",
            "http://a.b:0/",
            "http://a.b:65536/",
            "http://a.b:x/",
            "http://a.b:８０/",
            "http://%61.b/",
            "http://[::1/",
            "http://[x]/",
        ],
        *["http://" + "a" * 64 + ".b/", "http://a.b/" + "x" * limits.URL_CHARS],
    ],
)
def test_what_is_no_url(text: str) -> None:
    """No scheme, no host, white space, control characters, over-long: no URL."""
    assert parse_url(text) is None


@given(st.text(max_size=60) | st.from_regex(r"https?://[^/]{0,10}/.{0,20}", fullmatch=True))
def test_any_text_is_a_url_or_none(text: str) -> None:
    """Nothing raises, and an address is plain ASCII, a URL of the same host and path."""
    url = parse_url(text)
    if url is not None:
        assert url.address.isascii()
        assert parsed(url.address).host == url.host
        assert parsed(url.address).path.rstrip("/") == url.path.rstrip("/")
