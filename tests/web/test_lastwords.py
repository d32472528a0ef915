"""What a connection hears before it ends. When it hears it is `test_guard.py`'s."""

from http import HTTPStatus

import httptools
import pytest

from engine.web import lastwords
from engine.web.door import Cors
from engine.web.refusal import Refused

LINES = b"date: now\r\n"
ANY = Cors(("*",))


def said_to(origin: bytes, url: bytes, cors: Cors) -> bytes:
    """What a page of this origin hears."""
    refused = Refused("body-too-large", "Because.")
    return lastwords.response(refused, url, [(b"host", b"a"), (b"origin", origin)], LINES, cors)


def test_a_refusal_is_a_whole_response() -> None:
    """Head, body, the end; readable by pages where the address is theirs, and without a body for HEAD."""
    refused = Refused("body-too-large", "Because.")
    said = lastwords.response(refused, b"/v1/decide", [], LINES, ANY)
    head, _, body = said.partition(b"\r\n\r\n")
    assert head.startswith(
        b"HTTP/1.1 413 %b\r\ndate: now\r\ncontent-type: application/problem+json" % HTTPStatus(413).phrase.encode()
    )
    assert b"\r\nconnection: close\r\naccess-control-allow-origin: *" in head
    assert b"\r\ncontent-length: %d\r\n" % len(body) in head
    assert body == refused.body()
    assert lastwords.response(refused, b"/v1/decide", [], LINES, ANY, without_body=True) == head + b"\r\n\r\n"
    assert b"access-control" not in lastwords.response(refused, b"/healthz", [], LINES, ANY)


def test_it_is_readable_where_other_answers_are() -> None:
    """For pages of the origins that were listed, with the headers that those of the address may read."""
    listed, flags = Cors(("https://good.test",)), b"/ofrep/v1/evaluate/flags"
    assert b"access-control-allow-origin" not in said_to(b"https://evil.test", flags, listed)
    said = said_to(b"https://good.test", flags, listed)
    assert b"access-control-allow-origin: https://good.test\r\nvary: Origin\r\n" in said
    assert b"access-control-expose-headers: etag, retry-after\r\n" in said


@pytest.mark.parametrize(
    ("url", "key"), [(b"/ofrep/v1/evaluate/flags/a%20b/c?d=/e", b'"key":"a b/c",'), (b"/ofrep/v1/evaluate/flags", b"")]
)
def test_a_flag_is_named(url: bytes, key: bytes) -> None:
    """OFREP's providers read no error of a flag without its key."""
    assert said_to(b"", url, ANY).endswith(b'{%b"errorCode":"GENERAL","errorDetails":"Because."}' % key)


def test_segments_libraries_hear_it_in_their_form() -> None:
    """With the status that they understand."""
    said = lastwords.response(Refused("body-too-large", "Because."), b"/v1/batch", [], LINES, ANY)
    assert said.startswith(b"HTTP/1.1 400 ")
    assert b'"success":false' in said


class Raising:
    """Callbacks, one of which raises."""

    def __init__(self, error: Exception) -> None:
        self.error = error

    def on_url(self, _: bytes) -> None:
        """Raise it."""
        raise self.error


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (Refused("url-too-long", "Because."), "url-too-long"),
        (UnicodeDecodeError("ascii", b"", 0, 1, "x"), "not-http"),
        (httptools.HttpParserInvalidURLError("x"), "not-http"),
        (RuntimeError("a fault"), "internal-error"),
    ],
)
def test_what_a_callback_raised_is_what_is_meant(error: Exception, code: str) -> None:
    """A refusal is itself again; a fault of ours says nothing about itself."""
    with pytest.raises(httptools.HttpParserError) as raised:
        httptools.HttpRequestParser(Raising(error)).feed_data(b"GET / HTTP/1.1\r\n\r\n")
    meant = lastwords.meant(raised.value)
    assert meant.code == code
    assert "a fault" not in meant.detail


def test_what_the_parser_raised_is_in_its_words() -> None:
    """It says best what is no HTTP."""
    with pytest.raises(httptools.HttpParserError) as raised:
        httptools.HttpRequestParser(None).feed_data(b"HELLO\r\n")
    meant = lastwords.meant(raised.value)
    assert (meant.code, meant.detail) == ("not-http", f"{raised.value}.")
