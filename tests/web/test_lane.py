"""The lane and the ordinary road say the same bytes, whatever comes and however it is cut.

1. Two servers in this process around one app (`roads.py`): one with the lane, one without. Each example goes to both.
2. Whether the lane was taken is seen by what the other road leaves behind.
3. What has to wait for a store is in `test_lane_waiting.py`.
"""

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine import limits
from engine.node import Node
from engine.settings import Settings
from engine.web.app import build
from engine.web.clients import Clients
from engine.web.lane import Lane

URL = "https://www.example.com/"
BODY = json.dumps({"visitorId": "v1", "page": {"url": URL}, "traits": {"employees": 12}}).encode()
ON_SURROUNDINGS = """\
segments:
  phone: {name: Phone, when: 'device.type == "mobile" && geo.country == "DE"'}
experiences:
  site:
    name: Site
    pages: ["/**"]
    audiences: [{segment: phone, control: 0%, variants: [{key: v, changes: [{selector: h1, text: Hi}]}]}]
"""
BROWSER = (
    'Host: a\r\nConnection: keep-alive\r\nsec-ch-ua-platform: "macOS"\r\nUser-Agent: Mozilla/5.0 (iPhone; Mobile)\r\n'
    "Content-Type: text/plain;charset=UTF-8\r\nAccept: */*\r\nOrigin: https://www.example.com\r\nDNT: 1\r\n"
    "CF-IPCountry: DE\r\nAccept-Language: de\r\nCookie: a=b"
)


def post(headers: str = "Host: a\r\nContent-Type: application/json", body: bytes = BODY, first: str = "") -> bytes:
    """A request for a decision with these headers."""
    head = f"{first or 'POST /v1/decide HTTP/1.1'}\r\n{headers}\r\nContent-Length: {len(body)}\r\n\r\n"
    return head.encode("latin-1") + body


def saying(**said: Any) -> bytes:
    """A request whose body says something else too."""
    return post(body=json.dumps({**json.loads(BODY), **said}).encode())


USUAL = {
    "plain": post(),
    "a browser's": post(BROWSER),
    "lower case": post("host: a\r\ncontent-type: text/plain"),
    "without a type": post("Host: a"),
    "an odd header": post("Host: a\r\nX-Whatever: 1\r\nx-empty:"),
    "kept alive": post("Host: a\r\nConnection: Keep-Alive\r\nContent-Type: TEXT/PLAIN ; charset=x"),
    "no match": saying(traits={}),
    "half a character": post(body=BODY.replace(b'"v1"', b'"v1", "title": "\\ud83d"')),
}
UNUSUAL = {
    "expects": post("Host: a\r\nExpect: 100-continue"),
    "expects something": post("Host: a\r\nEXPECT: x"),
    "packed": post("Host: a\r\nContent-Encoding: gzip"),
    "not packed": post("Host: a\r\ncontent-encoding: identity"),
    "a picture": post("Host: a\r\nContent-Type: image/png"),
    "two types": post("Host: a\r\nContent-Type: image/png\r\ncontent-type: text/plain"),
    "wishes": post("Host: a\r\nConnection: upgrade\r\nUpgrade: h2c"),
    "odd connection": post("Host: a\r\nConnection: x-hop"),
    "not JSON": post(body=b"hello"),
    "nothing": post(body=b""),
    "no URL": saying(page={"url": "no url"}),
    "wrong id": saying(visitorId="../etc"),
    "a link": saying(preview="none.at-all"),
    "not UTF-8": post(body=b"\xff"),
    "a query": post(first="POST /v1/decide?a=1 HTTP/1.1"),
    "elsewhere": post(first="POST /v1/decides HTTP/1.1"),
    "put": post(first="PUT /v1/decide HTTP/1.1"),
    "asked by GET": b"GET /v1/decide?visitorId=v1&url=https%3A%2F%2Fa.example%2F HTTP/1.1\r\nHost: a\r\n\r\n",
    "HEAD": b"HEAD /v1/decide?visitorId=v1&url=https%3A%2F%2Fa.example%2F HTTP/1.1\r\nHost: a\r\n\r\n",
    "preflight": b"OPTIONS /v1/decide HTTP/1.1\r\nHost: a\r\nOrigin: https://a.example\r\n\r\n",
    "no length": b"POST /v1/decide HTTP/1.1\r\nHost: a\r\n\r\n",
    "length with a blank": post().replace(b"Content-Length: 93", b"Content-Length: 93 "),
    "healthz": b"GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n",
}
LAST = {
    "old and kept": post("Host: a\r\nConnection: keep-alive", first="POST /v1/decide HTTP/1.0"),
    "closing": post("Host: a\r\nConnection: close"),
    "closing and kept": post("Host: a\r\nConnection: close\r\nConnection: keep-alive"),
    "closing for a proxy": post("Host: a\r\nProxy-Connection: close"),
    "old": post(first="POST /v1/decide HTTP/1.0"),
    "too large": post(body=b" " * (limits.DECIDE_BODY_BYTES + 1)),
    "too large to wait for": post().replace(b"Content-Length: 93", b"Content-Length: 16385"),
    "far too large": post().replace(b"Content-Length: 93", b"Content-Length: 99999999999999999999"),
    "two lengths": post("Host: a\r\ncontent-length: 3"),
    "length and chunks": post("Host: a\r\nTransfer-Encoding: chunked"),
    "no length at all": post().replace(b"Content-Length: 93", b"Content-Length: x"),
    "a head too large": post("Host: a\r\nX: " + "x" * limits.HEAD_BYTES),
    "many headers": post("Host: a" + "\r\nX: y" * limits.HEADERS),
    "many others": post("Host: a" + "".join(f"\r\nX{number}: y" for number in range(limits.HEADERS))),
    "folded": post("Host: a\r\n  b"),
    "bare line feed": post("Host: a\nTransfer-Encoding: chunked"),
    "a blank in a name": post("Host: a\r\nTransfer-Encoding : chunked"),
    "a zero": post("Host: a\x00b"),
    "not HTTP": b"POST /v1/decide HTTP/1.1\r\n\xff\xff\r\n\r\n",
    "another version": post(first="POST /v1/decide HTTP/2.0"),
    "half": post()[:-20],
    "half a head": post()[:40],
    "behind it": post() + b"HELLO\r\n\r\n",
}


@pytest.fixture(scope="module")
def roads(runner: asyncio.Runner, node: Node, roads_to: Any) -> Iterator[Any]:
    """Both roads to the app with its defaults."""
    made = roads_to(runner, build(node))
    yield made
    made.close()


@pytest.mark.parametrize("name", USUAL)
def test_a_usual_request_takes_the_lane(roads: Any, name: str) -> None:
    """And is answered as on the ordinary road; again and again on one connection, in whatever pieces it comes."""
    request = USUAL[name]
    by_lane, plainly = roads.say(request)
    assert by_lane.startswith(b"HTTP/1.1 200 OK\r\ndate: Wed")
    assert by_lane == plainly
    assert roads.taken(request)
    assert roads.taken(request, request, USUAL["plain"])
    assert roads.taken(request[:-1], request[-1:])
    assert roads.taken(request[:30], request[30:60], request[60:])
    assert roads.say(request, request) == (by_lane * 2, plainly * 2)


@pytest.mark.parametrize("name", UNUSUAL)
def test_an_unusual_request_takes_the_ordinary_road(roads: Any, name: str) -> None:
    """Alone, between usual ones, and in two pieces; the connection goes on."""
    request = UNUSUAL[name]
    assert not roads.taken(request)
    for pieces in ([request], [post(), request, post()], [post() + request + post()], [request[:70], request[70:]]):
        by_lane, plainly = roads.say(*pieces)
        assert by_lane == plainly
        assert b"HTTP/1.1 " in by_lane


@pytest.mark.parametrize("name", LAST)
def test_the_last_request_of_a_connection(roads: Any, name: str) -> None:
    """What ends it: wishes, refusals, half a request."""
    request = LAST[name]
    for pieces in ([request], [post(), request], [post() + request], [request[:30], request[30:]]):
        by_lane, plainly = roads.say(*pieces)
        assert by_lane == plainly


@pytest.mark.parametrize("request_", [post(), post(BROWSER), UNUSUAL["not JSON"]], ids=["usual", "browser", "unusual"])
def test_a_request_is_cut_anywhere(roads: Any, request_: bytes) -> None:
    """Every cut in two; the connection goes on with another one."""
    _, whole = roads.say(request_, post())
    for at in range(1, len(request_), 1 if len(request_) < 200 else 3):
        assert roads.say(request_[:at], request_[at:], post()) == (whole, whole)


AGAIN = {
    "the same": post(),
    "another body": saying(visitorId="another", traits={}),
    "a refusal": saying(visitorId="../etc"),
    "a link": saying(preview="none.at-all"),
    "a zero before": post().replace(b"Length: 93", b"Length: 0093"),
    "a plus before": post().replace(b"Length: 93", b"Length: +93"),
    "a blank behind": post().replace(b"Length: 93", b"Length: 93 "),
    "no length": post().replace(b"Length: 93", b"Length: "),
    "longer": post().replace(b"Length: 93", b"Length: 94"),
    "shorter": post().replace(b"Length: 93", b"Length: 92"),
    "far too long": post().replace(b"Length: 93", b"Length: " + b"9" * 5_000),
    "two at once": post() * 2,
    "another head behind it": post().replace(b"Length: 93", b"Length: 93\r\nTransfer-Encoding: chunked"),
    "too large": post(body=b" " * (limits.DECIDE_BODY_BYTES + 1)),
    "just not too large": post(body=BODY.ljust(limits.DECIDE_BODY_BYTES)),
    "half": post()[:-20],
    "half a length": post()[: post().index(b"93") + 1],
}


@pytest.mark.parametrize("name", AGAIN)
def test_a_head_that_was_seen_before(roads: Any, name: str) -> None:
    """Is no reason to say anything else, of whatever comes behind it; nor where it is written in lower case."""
    again = AGAIN[name]
    for first, second in ((post(), again), (lower(post()), lower(again))):
        for pieces in ([first, second], [first, second, first], [first, second[:75], second[75:]]):
            by_lane, plainly = roads.say(*pieces)
            assert by_lane == plainly
            assert by_lane.startswith(b"HTTP/1.1 200 OK")


def lower(request: bytes) -> bytes:
    """The same, with the length where it is in most clients' heads: not at the end, in lower case."""
    head, end, body = request.partition(b"\r\n\r\n")
    first, *lines = head.lower().replace(b"post /v1/decide http", b"POST /v1/decide HTTP").split(b"\r\n")
    return b"\r\n".join([first, *lines[::-1]]) + end + body


def test_a_head_is_examined_once(roads: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """As long as it comes again; where every head is another, none is kept any more."""
    examined: list[bytes] = []
    answered = Lane._answered

    def counted(lane: Lane, data: bytes, held: bytes) -> bool:
        examined.append(data)
        return answered(lane, data, held)

    monkeypatch.setattr(Lane, "_answered", counted)
    usual, large = post(), post(f"Host: a\r\nX: {'x' * 5_000}")
    numbered = [post(f"Host: a\r\nX-Request-Id: {number}") for number in range(10)]
    for pieces, times in (
        ([usual, usual, saying(traits={}), usual], 1),
        ([usual, numbered[0], numbered[0], usual, usual], 3),
        ([large, large], 2),
        ([*numbered, usual, usual], 12),
    ):
        examined.clear()
        assert roads.taken(*pieces)
        assert len(examined) == times


STREAMS = st.tuples(
    st.lists(st.sampled_from([*USUAL.values(), *UNUSUAL.values()]), min_size=1, max_size=4),
    st.just(b"") | st.sampled_from([*LAST.values()]).filter(lambda request: len(request) < 2_000),
).map(lambda parts: b"".join(parts[0]) + parts[1])


@settings(max_examples=100, deadline=None)
@given(stream=STREAMS, data=st.data())
def test_streams_of_requests_cut_anywhere(roads: Any, stream: bytes, data: st.DataObject) -> None:
    """Several requests on one connection, in pieces that have nothing to do with them."""
    cuts = sorted(data.draw(st.lists(st.integers(1, len(stream) - 1), max_size=6, unique=True)))
    pieces = [stream[start:end] for start, end in zip([0, *cuts], [*cuts, len(stream)], strict=True)]
    by_lane, plainly = roads.say(*pieces)
    assert by_lane == plainly


def test_requests_in_one_piece_are_bounded_as_ever(roads: Any) -> None:
    """So many, and then a refusal."""
    by_lane, plainly = roads.say(post() * 60)
    assert by_lane == plainly
    assert by_lane.count(b"HTTP/1.1 200") == limits.PIPELINE + 1
    assert by_lane.count(b"HTTP/1.1 429") == 1


def test_what_is_held_goes_to_the_ordinary_road_in_time(roads: Any) -> None:
    """At the next sweep, or when the server ends; and a client that goes away is told nothing."""
    held = post()[:-5]

    def deadline_passes(clients: Clients) -> None:
        for _ in range(int(limits.DECIDE_S / limits.SWEEP_S) + 3):
            clients.sweep()

    by_lane, plainly = roads.say(held, meanwhile=deadline_passes)
    assert by_lane == plainly
    assert b"HTTP/1.1 408" in by_lane
    assert roads.say(held) == (b"", b"")


def test_while_draining_the_ordinary_road_says_close(runner: asyncio.Runner, node: Node, roads_to: Any) -> None:
    """Also of a request that had begun before; an idle connection hears the last call."""
    roads = roads_to(runner, build(node))

    def drain(clients: Clients) -> None:
        clients.draining = True
        for connection in list(clients.connections):
            connection.shutdown()
        for _ in range(10):
            clients.sweep()

    assert roads.say(post(), meanwhile=drain)[0].count(b"HTTP/1.1 200") == 1
    assert not roads.lane.clients.connections
    by_lane, plainly = roads.say(post())
    assert by_lane == plainly
    assert b"connection: close\r\n" in by_lane
    roads.close()


def test_who_waits_for_answers_is_not_overtaken(roads: Any) -> None:
    """A request behind one in flight has its turn after it."""
    for first in (UNUSUAL["healthz"], UNUSUAL["not JSON"]):
        by_lane, plainly = roads.say(first + post(), post())
        assert by_lane == plainly
        assert by_lane.count(b"HTTP/1.1 ") == 3


def test_listed_origins_are_told_apart(runner: asyncio.Runner, node: Node, roads_to: Any) -> None:
    """The same head for each, also where the header is written in an odd way or twice."""
    roads = roads_to(runner, build(node, origins=["https://www.example.com"]))
    ours = post(BROWSER)
    assert roads.taken(ours)
    assert b"access-control-allow-origin: https://www.example.com\r\nvary: Origin" in roads.say(ours)[0]
    theirs = "Host: a\r\nOrigin: https://evil.example"
    twice = "\r\norigin: https://www.example.com\r\nOrigin: x"
    for request in (
        ours,
        post(),
        post(theirs),
        post(theirs + twice),
        post("Host: a\r\nORIGIN: HTTPS://www.example.com"),
    ):
        by_lane, plainly = roads.say(request, request)
        assert by_lane == plainly
    roads.close()


def test_headers_that_rules_read_are_read(runner: asyncio.Runner, tmp_path: Path, roads_to: Any) -> None:
    """Device and place decide in the lane too."""
    (tmp_path / "rules").mkdir()
    (tmp_path / "rules" / "a.yaml").write_text(ON_SURROUNDINGS)
    node = Node(Settings(tmp_path / "rules", tmp_path / "data"))
    roads = roads_to(runner, build(node, trusted_proxies=["127.0.0.1"]))
    for request, matches in ((post(BROWSER), True), (post(BROWSER.replace("iPhone; Mobile", "X11")), False)):
        by_lane, plainly = roads.say(request)
        assert by_lane == plainly
        assert (b'"personalized":true' in by_lane) == matches
        assert roads.taken(request)
    roads.close()
    node.store.close()


def test_there_is_no_lane_where_requests_are_logged_or_the_app_is_another(
    runner: asyncio.Runner, node: Node, roads_to: Any
) -> None:
    """Both are said or done on the ordinary road."""
    app = build(node)

    async def other(scope: Any, receive: Any, send: Any) -> None:
        await app(scope, receive, send)

    for made in (roads_to(runner, app, access_log=True), roads_to(runner, other)):
        assert not made.taken(post())
        made.close()


def test_answers_are_counted(roads: Any) -> None:
    """By the server, as on the other road."""
    before = roads.lane.clients.total_requests, roads.plain.clients.total_requests
    roads.say(post(), UNUSUAL["healthz"], post())
    assert roads.lane.clients.total_requests == before[0] + 3
    assert roads.plain.clients.total_requests == before[1] + 3
