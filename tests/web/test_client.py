"""`/client.js`: small, made of its readable source, and kept by browsers for as long as it should be.

`UPDATE=1 python -m pytest tests/web/test_client.py` makes client.min.js anew. What it does is tested in tests/browser.
"""

import gzip
import os
from pathlib import Path
from typing import Any

import brotli
import minify
import pytest

from engine.web.client import SCRIPTS, script

WEB = Path(__file__).resolve().parents[2] / "engine" / "web"
MOST_BYTES = 4_096
VERSION = script("client.js").version


def get(call: Any, path: str = "/client.js", query: str = "", **headers: str) -> Any:
    """A GET with these headers."""
    sent = [(name.replace("_", "-"), value) for name, value in headers.items()]
    return call("GET", path, [b""], sent, query.encode())


def test_what_is_served_is_made_of_the_source() -> None:
    """client.min.js is what the minifier makes of client.js."""
    made = minify.string("application/javascript", (WEB / "client.js").read_text(encoding="utf-8")) + "\n"
    if os.environ.get("UPDATE"):
        (WEB / "client.min.js").write_text(made, encoding="utf-8")
    assert (WEB / "client.min.js").read_text(encoding="utf-8") == made


def test_it_is_small(call: Any, capsys: pytest.CaptureFixture[str]) -> None:
    """At most 4,096 bytes on the wire, gzipped; the figures are printed."""
    sizes = {coding: len(get(call, accept_encoding=coding).body) for coding in ("identity", "gzip", "br")}
    with capsys.disabled():
        told = ", ".join(f"{coding} {size:,}" for coding, size in sizes.items())
        print(f"\nclient.js: {told} bytes (at most {MOST_BYTES:,} gzipped)")
    assert sizes["gzip"] <= MOST_BYTES
    assert sizes["br"] < sizes["gzip"]


@pytest.mark.parametrize("name", SCRIPTS)
def test_every_form_is_the_same_script(call: Any, name: str) -> None:
    """Packed or not, and what caches and other websites have to know."""
    plain, zipped, brotlied = (get(call, f"/{name}", accept_encoding=coding) for coding in ("", "gzip", "gzip, br"))
    assert plain.body == (WEB / SCRIPTS[name]).read_bytes()
    assert (gzip.decompress(zipped.body), brotli.decompress(brotlied.body)) == (plain.body, plain.body)
    assert [said.headers.get("content-encoding") for said in (plain, zipped, brotlied)] == [None, "gzip", "br"]
    for said in (plain, zipped, brotlied):
        assert said.status == 200
        assert said.headers["content-type"] == "text/javascript; charset=utf-8"
        assert said.headers["vary"] == "Accept-Encoding"
        assert said.headers["content-length"] == str(len(said.body))
        assert said.headers["cross-origin-resource-policy"] == "cross-origin"
        assert said.headers["access-control-allow-origin"] == "*"
        assert said.headers["x-content-type-options"] == "nosniff"
        assert said.headers["etag"] == plain.headers["etag"]


@pytest.mark.parametrize(
    ("accepted", "coding"),
    [
        ("gzip, deflate, br, zstd", "br"),
        ("GZIP;q=1.0, br;q=0", "gzip"),
        ("br; q=0.000, gzip ; q=0.1", "gzip"),
        ("identity", None),
        ("gzip;q=0", None),
        ("*", None),
        (";q=,,;;gzip;q", None),
    ],
)
def test_the_form_that_a_browser_asks_for(call: Any, accepted: str, coding: str | None) -> None:
    """The best one that it takes."""
    assert get(call, accept_encoding=accepted).headers.get("content-encoding") == coding


def test_how_long_it_is_kept(call: Any) -> None:
    """Some minutes; under the address of its version for ever; under that of another version not for ever."""
    kept = {query: get(call, query=query).headers["cache-control"] for query in ("", f"v={VERSION}", "v=old")}
    assert kept[""] == kept["v=old"] == "public, max-age=300, stale-while-revalidate=86400"
    assert kept[f"v={VERSION}"] == "public, max-age=31536000, immutable"


@pytest.mark.parametrize("shown", [f'W/"{VERSION}"', f'"{VERSION}"', f'"other", W/"{VERSION}"'])
def test_who_has_it_is_not_sent_it_again(call: Any, shown: str) -> None:
    """304 with the headers of a 200, and nothing else."""
    said = get(call, if_none_match=shown)
    assert (said.status, said.body) == (304, b"")
    assert said.headers["etag"] == f'W/"{VERSION}"'
    assert "content-length" not in said.headers
    assert get(call, if_none_match='"another"').status == 200


def test_head_says_the_same(call: Any) -> None:
    """Without the body."""
    said = call("HEAD", "/client.js", [b""], [("accept-encoding", "gzip")])
    assert (said.status, said.body, said.headers["content-encoding"]) == (200, b"", "gzip")
