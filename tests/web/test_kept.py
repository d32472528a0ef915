"""What is packed once and kept: the form that a browser takes, its tag, 304."""

import gzip

import brotli
import pytest

from engine.web.kept import packed, reply

CONTENT = b"a script " * 100
KEPT = packed(CONTENT, b"text/javascript")


@pytest.mark.parametrize(
    ("accepted", "coding"),
    [
        (b"", None),
        (b"br", b"br"),
        (b"gzip, deflate, br", b"br"),
        (b"gzip;q=1.0, br;q=0", b"gzip"),
        (b"GZIP", b"gzip"),
        (b"br;q=0.0, gzip;q=0", None),
        (b"zstd", None),
    ],
)
def test_the_best_form_that_is_taken(accepted: bytes, coding: bytes | None) -> None:
    """Brotli before gzip, and neither where it is refused."""
    said = reply(KEPT, {b"accept-encoding": accepted}, b"no-cache")
    unpack = {None: bytes, b"br": brotli.decompress, b"gzip": gzip.decompress}[coding]
    assert dict(said.headers).get(b"content-encoding") == coding
    assert unpack(said.body) == CONTENT
    assert (said.status, said.media_type, said.cache) == (200, b"text/javascript", b"no-cache")


def test_whoever_has_it_gets_no_body() -> None:
    """304 with the same tag, also where a proxy has made another list of tags of it."""
    tag = dict(reply(KEPT, {}, b"no-cache").headers)[b"etag"]
    said = reply(KEPT, {b"if-none-match": b'"x", %b' % tag}, b"no-cache", [(b"a", b"b")])
    assert (said.status, said.body) == (304, b"")
    assert dict(said.headers) == {b"etag": tag, b"vary": b"Accept-Encoding", b"a": b"b"}


def test_every_process_packs_the_same_bytes() -> None:
    """Also at another time; another content has another tag."""
    assert packed(CONTENT, b"a/b").forms == KEPT.forms
    assert packed(CONTENT + b"!", b"a/b").version != KEPT.version
    assert brotli.decompress(packed(CONTENT, b"a/b", quality=5).forms[b"br"]) == CONTENT
