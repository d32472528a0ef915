"""Law: each escape gives text that its place reads as nothing but the value, or refuses it."""

from html import unescape
from urllib.parse import unquote, urlsplit

import pytest
import re2
from hypothesis import given
from hypothesis import strategies as st

from engine.decide import escape

ALLOWED = {"http", "https", "mailto", "tel"}
_SCHEME = re2.compile(r"([A-Za-z][A-Za-z0-9+.-]*):")

texts = st.text(st.characters(exclude_categories=["Cs"]))
schemes = st.sampled_from(["javascript", "JavaScript", "vbscript", "data", "https", "http", "mailto", "tel", "", "x"])
noise = st.text(st.sampled_from("\t\n\r\0\x01\x0b\x1f \x7f\x85\xa0\u200b\u2028\ufeff\\/:&;#?%@.a"), max_size=4)
disguised = st.tuples(
    noise, schemes, noise, st.sampled_from(["", ":", "://", "&colon;", "%3A"]), noise, st.just("alert(1)")
)
urls = texts | disguised.map("".join)


def browsers_read(url: str) -> tuple[str, str]:
    """Scheme ("" for a relative URL) and what follows, as browsers find them (WHATWG URL, basic parser)."""
    text = url.strip("".join(map(chr, range(0x21)))).replace("\t", "").replace("\n", "").replace("\r", "")
    found = _SCHEME.match(text)
    return (found.group(1).lower(), text[found.end() :]) if found else ("", text)


def leads_away(url: str) -> bool:
    """Does a relative URL name a host? Browsers take backslashes for slashes."""
    scheme, rest = browsers_read(url)
    return not scheme and rest.replace("\\", "/").startswith("//")


@pytest.mark.parametrize(
    "url",
    [
        *("https://example.com", "http://example.com/a?b=c&d=e#f", "HTTPS://Example.com/", "https://bücher.example/é"),
        *("https://example.com:8080/a;b,c", "https://[::1]/", "mailto:a@example.com?subject=x", "tel:+49-30-1234"),
        *(
            "/",
            "/pricing",
            "/a:b",
            "/a//b",
            "./a:b",
            "../a",
            "?a=b",
            "?javascript:x",
            "#top",
            "pricing",
            "pricing.html",
        ),
        *("a/b:c", "café/menu", "..", "", "%6aavascript%3A1", "www.example.com", "it's", "/it's"),
    ],
)
def test_plain_urls_pass(url: str) -> None:
    """A URL with an allowed scheme, or a relative one, passes unchanged."""
    if url != "it's":
        assert escape.url_start(url) == url
    else:
        assert escape.url_start(url) is None, "an apostrophe before the first slash is not plain"


@pytest.mark.parametrize(
    "url",
    [
        *(
            "//example.com",
            "///example.com",
            "/\\example.com",
            "\\\\example.com",
            "https:example.com",
            "https:/example.com",
        ),
        *(
            "https://",
            "https:///example.com",
            "https://?x",
            "ftp://example.com",
            "a:b",
            "localhost:8080",
            "javascript:x",
        ),
        *(
            " https://example.com",
            "https://example.com ",
            "https://exa mple.com",
            "java\tscript:x",
            "/a\nb",
            "a&b",
            "x&colon;y",
        ),
        *("\ufeffhttps://example.com", "/a\u202eb", "https://example.com\\@evil.example"),
    ],
)
def test_anything_else_is_refused(url: str) -> None:
    """Other schemes, hidden characters, disguised hosts: refused, not repaired."""
    assert escape.url_start(url) is None


def test_known_attacks_bring_no_scheme(xss: list[str]) -> None:
    """Of the known attack strings only http(s), mailto, tel or relative URLs pass; no relative one names a host."""
    passed = [url for url in xss if escape.url_start(url) is not None]
    assert {browsers_read(url)[0] for url in passed} <= ALLOWED | {""}
    assert not any(map(leads_away, passed))
    assert len(passed) < len(xss) / 4


@given(urls)
def test_no_other_scheme_ever_passes(url: str) -> None:
    """Whatever passes is read by browsers as it stands: an allowed scheme, or relative without a host."""
    passed = escape.url_start(url)
    if passed is not None:
        assert passed == url
        assert browsers_read(url)[0] in ALLOWED | {""}
        assert not leads_away(url)
        assert all(c.isprintable() and c != "\\" for c in url if c.isascii())


@given(urls, texts)
def test_a_settled_start_stays_settled(url: str, after: str) -> None:
    """Whatever follows a settled start, the scheme is allowed, or there is none."""
    if escape.url_start_settled(url) is not None:
        assert browsers_read(url + after)[0] in ALLOWED | {""}


@given(texts)
def test_a_component_stays_one(text: str) -> None:
    """A component is percent-encoded ASCII that decodes to the value; between two slashes it is one path segment."""
    part = escape.url_part(text)
    if part is None:
        assert text in {".", ".."}
        return
    assert unquote(part) == text
    assert all(c.isascii() and (c.isalnum() or c in "-._~%") for c in part)
    split = urlsplit(f"https://example.com/a/{part}/b")
    assert (split.netloc, split.path.count("/"), split.query, split.fragment) == ("example.com", 3, "", "")


@given(texts)
def test_html_holds_no_markup(text: str) -> None:
    """HTML text holds none of `< > " ' backquote NUL`, every `&` begins a reference, and it reads as the value."""
    safe = escape.html(text)
    assert not set("<>\"'`\0") & set(safe)
    assert unescape(safe) == text.replace("\0", "")


def test_every_spot_has_its_escape() -> None:
    """The escapes are those of `words.Slot`, and a URL inside HTML has both."""
    assert escape.ESCAPES["text"]("<") == escape.ESCAPES["attribute"]("<") == "<"
    assert escape.ESCAPES["html"]("<'") == escape.ESCAPES["html-attribute"]("<'") == "&lt;&#x27;"
    assert escape.ESCAPES["url-start"]("/?a&b") == "/?a&b"
    assert escape.ESCAPES["html-url-start"]("/?a&b") == "/?a&amp;b"
    assert escape.ESCAPES["html-url-start"]("javascript:x") is None
    assert escape.ESCAPES["url-part"]("a/b") == escape.ESCAPES["html-url-part"]("a/b") == "a%2Fb"
