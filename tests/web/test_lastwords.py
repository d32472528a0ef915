"""What a connection hears before it ends. When it hears it is `test_guard.py`'s."""

import httptools
import pytest

from engine.web import lastwords
from engine.web.bounds import of_url
from engine.web.refusal import Refused

LINES = b"date: now\r\n"


def test_a_refusal_is_a_whole_response() -> None:
    """Head, body, the end; readable by pages where the address is theirs, and without a body for HEAD."""
    refused = Refused("body-too-large", "Because.")
    said = lastwords.response(refused, of_url(b"/v1/decide"), LINES)
    head, _, body = said.partition(b"\r\n\r\n")
    assert head.startswith(
        b"HTTP/1.1 413 Request Entity Too Large\r\ndate: now\r\ncontent-type: application/problem+json"
    )
    assert b"\r\nconnection: close\r\naccess-control-allow-origin: *" in head
    assert b"\r\ncontent-length: %d\r\n" % len(body) in head
    assert body == refused.body()
    assert lastwords.response(refused, of_url(b"/v1/decide"), LINES, without_body=True) == head + b"\r\n\r\n"
    assert b"access-control" not in lastwords.response(refused, of_url(b"/healthz"), LINES)


def test_segments_libraries_hear_it_in_their_form() -> None:
    """With the status that they understand."""
    said = lastwords.response(Refused("body-too-large", "Because."), of_url(b"/v1/batch"), LINES)
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
