"""`/v1/decide`, called without a server: answers, and an answer to everything that is no question."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from engine import limits
from engine.node import Node
from engine.settings import Settings
from engine.web.app import build
from engine.web.decide import answer
from engine.web.surroundings import Proxies

SMALL = b'{"visitorId": "v1", "page": {"url": "https://www.example.com/pricing"}, "traits": {"employees": 12}}'
LARGE = SMALL.replace(b"12", b"5000")

RULES_ON_SURROUNDINGS = """\
segments:
  german-phones: {name: German phones, when: 'geo.country == "DE" && device.type == "mobile"'}
experiences:
  site:
    name: Site
    pages: ["/**"]
    audiences: [{segment: german-phones, variants: [{key: v, changes: [{selector: h1, remove: true}]}]}]
"""


def test_a_decision_on_the_wire(call: Any) -> None:
    """Exactly the form that clients rely on."""
    said = call(chunks=[SMALL])
    assert said.status == 200
    assert said.headers["content-type"] == "application/json"
    assert said.headers["cache-control"] == "no-store"
    assert said.headers["content-length"] == str(len(said.body))
    assert "set-cookie" not in said.headers
    shown = {"experience": "Site", "audienceSegment": "Small company", "personalized": True}
    assert said.json == {
        "visitorId": "v1",
        "ruleset": said.json["ruleset"],
        "decisions": [
            {
                **shown,
                "variant": "hero",
                "changes": [{"selector": "h1", "text": "Edition 1"}],
                "track": {"event": "Mutiny Experience Viewed", "properties": shown},
            }
        ],
    }


def test_no_match_is_no_entry(call: Any) -> None:
    """Somebody in no segment, and somebody of whom nothing is known."""
    for body in (LARGE, SMALL.replace(b', "traits": {"employees": 12}', b"")):
        assert call(chunks=[body]).json["decisions"] == []


def test_the_endpoint_adds_nothing_to_the_answer(call: Any, node: Node) -> None:
    """`answer` is the whole of it: whoever has the bytes gets the same bytes."""
    assert call(chunks=[SMALL]).body == answer(SMALL, node, {}, None, Proxies())


def test_a_body_in_pieces_is_one_body(call: Any) -> None:
    """The network cuts as it likes."""
    assert call(chunks=[bytes([byte]) for byte in SMALL]).body == call(chunks=[SMALL]).body


@pytest.mark.parametrize("kind", ["application/json; charset=utf-8", "text/plain;charset=UTF-8", "TEXT/PLAIN", ""])
def test_json_and_text_are_read(call: Any, kind: str) -> None:
    """`text/plain` spares browsers the preflight."""
    assert call(chunks=[SMALL], headers=[("content-type", kind)]).status == 200


def test_get_answers_the_same(call: Any) -> None:
    """The same visitor and page by query string; no traits there."""
    query = b"visitorId=v1&url=https%3A%2F%2Fwww.example.com%2Fpricing"
    body = b'{"visitorId": "v1", "page": {"url": "https://www.example.com/pricing"}}'
    assert call("GET", query=query).body == call(chunks=[body]).body


@pytest.mark.parametrize(
    ("query", "detail"),
    [
        (b"visitorId=v1", "Expected `url`: the address of the page that is viewed."),
        (b"visitorId=v1&url=nope", "Expected `url` as browsers show it: https://www.example.com/pricing"),
        (b"visitorId=v1&url=" + b"x" * 8_200, "Expected `url` of at most 8192 characters, got 8200."),
        (b"visitorId=v+1", "Expected `visitorId` of 1 to 128 characters of A-Z a-z 0-9 . _ : -"),
    ],
)
def test_a_query_is_told_of_its_own_fields(call: Any, query: bytes, detail: str) -> None:
    """`page.url` is in no query."""
    assert call("GET", query=query).json["detail"] == detail


def test_a_body_is_told_of_its_own_members(call: Any) -> None:
    """The same mistake, by the name that it has there."""
    said = call(chunks=[b'{"visitorId": "v1", "page": {"url": "nope"}}'])
    assert said.json["detail"] == "Expected `page.url` as browsers show it: https://www.example.com/pricing"


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        (b"", 400, "not-json"),
        (b"hello", 400, "not-json"),
        (b"[1]", 400, "wrong-type"),
        (b"[" * 16_000, 400, "wrong-type"),
        (b'{"a":' * 3_000, 400, "not-json"),
        (b"[" * 100_000, 413, "body-too-large"),
        (b'{"visitorId": "v1", "page": {"url": "no url"}}', 400, "bad-url"),
        (b'{"visitorId": "v1", "page": {"url": "/pricing"}}', 400, "bad-url"),
        (b'{"visitorId": "v1", "page": {"url": "javascript:alert(1)"}}', 400, "bad-url"),
        (b'{"visitorId": "v1", "page": {"url": "https://www.example.com:99999/"}}', 400, "bad-url"),
        (b'{"visitorId": "../etc", "page": {"url": "https://www.example.com/"}}', 400, "bad-visitor-id"),
        (b'{"page": {"url": "https://www.example.com/"}}', 400, "missing-visitor-id"),
        (SMALL[:-1], 400, "not-json"),
    ],
)
def test_bad_input_has_an_answer(call: Any, body: bytes, status: int, code: str) -> None:
    """Problem details with a code, readable across origins, never stored, without a word of Python."""
    said = call(chunks=[body])
    assert (said.status, said.json["code"]) == (status, code)
    assert said.headers["content-type"] == "application/problem+json"
    assert said.headers["cache-control"] == "no-store"
    assert said.headers["access-control-allow-origin"] == "*"
    assert b"Traceback" not in said.body


@given(body=st.binary(max_size=200) | st.text(max_size=100).map(str.encode), kind=st.sampled_from(["text/plain", "x"]))
def test_any_bytes_have_an_answer(call: Any, body: bytes, kind: str) -> None:
    """Nothing that can be sent is an error of ours."""
    said = call(chunks=[body], headers=[("content-type", kind)])
    assert 400 <= said.status < 500
    assert said.headers["content-type"] == "application/problem+json"
    assert said.json["status"] == said.status


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)
BODIES = st.fixed_dictionaries(
    {
        "visitorId": st.just("v1") | JSON,
        "page": st.fixed_dictionaries({"url": st.just("https://a.example/") | JSON}) | JSON,
    },
    optional={"visit": JSON, "device": JSON, "traits": st.dictionaries(st.text(max_size=9), JSON, max_size=3) | JSON},
)


@given(said=BODIES)
def test_any_json_has_an_answer(call: Any, said: dict[str, Any]) -> None:
    """A decision, or what is wrong with the question."""
    status = call(chunks=[json.dumps(said).encode()]).status
    assert status == 200 or 400 <= status < 500


@given(query=st.binary(max_size=100))
def test_any_query_has_an_answer(call: Any, query: bytes) -> None:
    """Whatever stands behind the question mark."""
    assert 400 <= call("GET", query=b"visitorId=v1&url=x" + query).status < 500


LENGTHS = [
    "right",
    "right",
    "right",
    "",
    "0",
    "99",
    str(limits.DECIDE_BODY_BYTES),
    str(limits.DECIDE_BODY_BYTES + 1),
    "9" * 5_000,
    "x",
    "-1",
]
KINDS = ["application/json", "text/plain;charset=UTF-8", "TEXT/PLAIN ; x", "image/png", ""]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
@given(
    body=st.sampled_from(
        [SMALL, LARGE, SMALL.replace(b', "traits": {"employees": 12}', b""), b"", b"[1]", b" " * 16_385]
    )
    | BODIES.map(json.dumps).map(str.encode),
    cut=st.integers(0, 20),
    headers=st.fixed_dictionaries(
        {},
        optional={
            "content-type": st.sampled_from(KINDS),
            "content-length": st.sampled_from(LENGTHS),
            "content-encoding": st.sampled_from(["", "gzip", "identity"]),
            "origin": st.sampled_from(["https://www.example.com", "https://evil.example"]),
        },
    ),
)
@pytest.mark.parametrize("origins", ["*", "https://www.example.com"])
def test_behind_the_door_the_same_is_said(
    node: Node, calling: Callable[..., Any], origins: str, body: bytes, cut: int, headers: dict[str, str]
) -> None:
    """As in front of it, where usual requests are answered: the same status, headers and body."""
    chunks = [body[:cut], body[cut:]] if cut > 10 else [body]
    if headers.get("content-length") == "right":
        headers = {**headers, "content-length": str(len(body))}
    app, other = build(node, origins=[origins]), build(node, origins=[origins])
    other.straight.asgi = left_to_the_door  # type: ignore[method-assign]
    short, behind = (calling(one)(chunks=chunks, headers=[*headers.items()]) for one in (app, other))
    assert (short.status, short.headers, short.body) == (behind.status, behind.headers, behind.body)
    assert list(short.headers) == list(behind.headers)


async def left_to_the_door(_scope: Any, receive: Any, _send: Any) -> Any:
    """Nothing is usual."""
    return receive


def test_a_usual_request_does_not_see_the_door(
    node: Node, calling: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Others do."""
    seen: list[str] = []

    async def door(_door: Any, scope: Any, _receive: Any, send: Any) -> None:
        seen.append(scope["method"])
        await send({"type": "http.response.start", "status": 418, "headers": []})
        await send({"type": "http.response.body", "body": b""})

    monkeypatch.setattr("engine.web.door.Door.__call__", door)
    call = calling(build(node))
    usual = [("content-type", "text/plain;charset=UTF-8"), ("content-length", str(len(SMALL)))]
    assert call(chunks=[SMALL], headers=usual).status == 200
    assert not seen
    assert call(chunks=[SMALL[:9], SMALL[9:]], headers=usual).status == 418
    assert call("GET").status == 418
    assert seen == ["POST", "GET"]


def test_the_body_limit_holds_before_and_while_reading(call: Any) -> None:
    """By Content-Length before a byte is read; else as soon as it is passed, and the connection ends."""
    told = call(chunks=[], headers=[("content-length", str(limits.DECIDE_BODY_BYTES + 1))])
    untold = call(chunks=[b" " * 1024] * 1000, headers=[])
    for said in (told, untold):
        assert (said.status, said.json["code"], said.headers["connection"]) == (413, "body-too-large", "close")


def test_a_body_of_exactly_the_limit_is_read(call: Any) -> None:
    """16 KiB are allowed."""
    body = SMALL.ljust(limits.DECIDE_BODY_BYTES)
    assert call(chunks=[body], headers=[("content-length", str(len(body)))]).status == 200


@pytest.mark.parametrize(("length", "status"), [("9" * 5_000, 413), ("-1", 400), ("x", 400), ("²", 400)])
def test_odd_lengths_have_an_answer(call: Any, length: str, status: int) -> None:
    """A length that no server would pass on, should one pass it on."""
    assert call(chunks=[SMALL], headers=[("content-length", length)]).status == status


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "TRACE", "X" * 1000])
def test_other_methods_are_told_what_is_allowed(call: Any, method: str) -> None:
    """405 with `Allow`."""
    said = call(method)
    assert (said.status, said.json["code"]) == (405, "method-not-allowed")
    assert said.headers["allow"] == "GET, HEAD, POST, OPTIONS"


def test_forms_are_not_read(call: Any) -> None:
    """What `curl -d` sends by itself is told what to send instead."""
    said = call(chunks=[SMALL], headers=[("content-type", "application/x-www-form-urlencoded")])
    assert (said.status, said.json["code"]) == (415, "unsupported-media-type")
    assert "application/json" in said.json["detail"]


def test_preflight(call: Any) -> None:
    """Remembered for long, no credentials, no body."""
    said = call("OPTIONS", headers=[("origin", "https://www.example.com"), ("access-control-request-method", "POST")])
    assert (said.status, said.body) == (204, b"")
    assert said.headers["access-control-allow-origin"] == "*"
    assert said.headers["access-control-allow-methods"] == "GET, POST"
    assert "content-type" in said.headers["access-control-allow-headers"]
    assert int(said.headers["access-control-max-age"]) > 3600
    assert "access-control-allow-credentials" not in said.headers


def test_listed_origins_alone_may_read(node: Node, calling: Callable[..., Any]) -> None:
    """The origin that asks is named where it is listed, and caches are told that it matters."""
    call = calling(build(node, origins=["https://www.example.com/", "https://other.example"]))
    ours = call(chunks=[SMALL], headers=[("origin", "https://www.example.com")])
    theirs = call(chunks=[SMALL], headers=[("origin", "https://evil.example")])
    assert ours.headers["access-control-allow-origin"] == "https://www.example.com"
    assert "access-control-allow-origin" not in theirs.headers
    assert ours.headers["vary"] == theirs.headers["vary"] == "Origin"
    assert theirs.status == 200


def test_surroundings_count_as_far_as_they_may_be_believed(tmp_path: Path, calling: Callable[..., Any]) -> None:
    """Device from the user agent, or from the body if it says so; the place from a trusted proxy's headers alone."""
    (tmp_path / "rules").mkdir()
    (tmp_path / "rules" / "a.yaml").write_text(RULES_ON_SURROUNDINGS)
    node = Node(Settings(tmp_path / "rules", tmp_path / "data"))
    call = calling(build(node, trusted_proxies=["10.0.0.0/8"]))
    body = b'{"visitorId": "v1", "page": {"url": "https://www.example.com/"}}'
    says_desktop = body[:-1] + b', "device": {"type": "desktop"}}'
    phone = [("user-agent", "Mozilla/5.0 (iPhone; Mobile)"), ("cf-ipcountry", "DE")]

    def matches(body: bytes, headers: list[tuple[str, str]], peer: str) -> bool:
        return bool(call(chunks=[body], headers=headers, peer=peer).json["decisions"])

    assert matches(body, phone, "10.1.2.3")
    assert not matches(body, phone, "192.0.2.1")
    assert not matches(body, phone[1:], "10.1.2.3")
    assert not matches(says_desktop, phone, "10.1.2.3")
    node.store.close()
