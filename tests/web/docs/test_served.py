"""`/docs` as it is answered: the origin of who asks, the policy, and what may be kept."""

from typing import Any

import brotli
import pytest

from engine.node import Node
from engine.web.app import build
from engine.web.docs.page import POLICY


def get(call: Any, *headers: tuple[str, str], peer: str = "192.0.2.1") -> Any:
    """The page."""
    return call("GET", "/docs", [b""], headers, peer=peer)


@pytest.mark.parametrize(
    ("host", "origin"),
    [
        ("edge.example.org:8443", "http://edge.example.org:8443"),
        ("[::1]:8080", "http://[::1]:8080"),
        ("", "http://edge.example.com"),
        ('x"><script>', "http://edge.example.com"),
        ("a b", "http://edge.example.com"),
    ],
)
def test_the_lines_can_be_copied_as_they_are(call: Any, host: str, origin: str) -> None:
    """They ask where the page was asked for; what is no host is not repeated."""
    text = get(call, ("host", host)).body.decode()
    assert f'curl <span class="origin">{origin}</span>/healthz' in text
    assert "\0" not in text


def test_a_proxy_of_ours_says_how_it_was_asked(node: Node, calling: Any) -> None:
    """Encrypted; anybody else may say what they like."""
    call = calling(build(node, trusted_proxies=["10.0.0.0/8"]))
    said = [get(call, ("host", "e.org"), ("x-forwarded-proto", "https"), peer=peer) for peer in ("10.1.1.1", "9.9.9.9")]
    assert ["https://e.org" in page.body.decode() for page in said] == [True, False]


def test_what_browsers_are_told(call: Any) -> None:
    """HTML, under its policy; to be asked about each time, and not sent again to who has it."""
    said = get(call, ("accept-encoding", "br"))
    assert said.headers["content-type"] == "text/html; charset=utf-8"
    assert said.headers["content-security-policy"] == POLICY
    assert said.headers["cache-control"] == "no-cache"
    assert brotli.decompress(said.body) == get(call).body
    again = get(call, ("if-none-match", said.headers["etag"]))
    assert (again.status, again.body, again.headers["content-security-policy"]) == (304, b"", POLICY)
