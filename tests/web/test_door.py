"""What every address has in common: methods, CORS, faults, clients that go away. Who may call is test_routes.py's."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from engine.web.door import Address, Cors, Door, Reply
from engine.web.request import Gone, Request

SITE = "https://www.example.com"


async def hello(request: Request) -> Reply:
    """An address that says what it was asked."""
    return Reply(request.query or b"nothing", 203, b"text/plain")


async def broken(_: Request) -> Reply:
    """An address with a fault."""
    raise RuntimeError("secret of ours")


async def gone(_: Request) -> Reply:
    """An address whose client does not wait."""
    raise Gone


@pytest.fixture
def door(calling: Callable[..., Any]) -> Callable[..., Any]:
    """`door(answer, who, *origins)`: an address at `/x` that is read and deleted, to be called."""

    def door(answer: Any, who: Any = "page", *origins: str) -> Any:
        return calling(Door(Address("/x", who, ("GET", "DELETE"), answer), Cors(origins or ("*",)), None))

    return door


def test_an_answer_goes_out_as_it_is(door: Callable[..., Any]) -> None:
    """Status, type and length; never sniffed, never stored."""
    said = door(hello, "anybody")("GET", query=b"a=1")
    assert (said.status, said.body) == (203, b"a=1")
    assert said.headers == {
        "content-type": "text/plain",
        "content-length": "3",
        "x-content-type-options": "nosniff",
        "cache-control": "no-store",
    }


def test_methods_are_those_of_the_address(door: Callable[..., Any]) -> None:
    """GET brings HEAD; OPTIONS tells; all others are 405, also what is no method."""
    call = door(hello)
    assert [call(method).status for method in ("GET", "HEAD", "DELETE", "OPTIONS", "POST", "get", "\n")] == [
        *(203, 203, 203),
        204,
        *(405, 405, 405),
    ]
    assert call("POST").headers["allow"] == call("OPTIONS").headers["allow"] == "GET, HEAD, DELETE, OPTIONS"
    assert call("OPTIONS").headers["access-control-allow-methods"] == "GET, DELETE"
    assert call("HEAD").body == b""


def test_for_anybody_is_not_for_scripts_of_websites(door: Callable[..., Any]) -> None:
    """No CORS headers, not even to a preflight."""
    for method in ("GET", "OPTIONS", "POST"):
        said = door(hello, "anybody")(method, headers=[("origin", SITE)])
        assert not [name for name in said.headers if name.startswith("access-control")]


@pytest.mark.parametrize("method", ["GET", "OPTIONS", "POST"])
def test_listed_origins_alone_read_the_answer(door: Callable[..., Any], method: str) -> None:
    """Whatever the answer is; caches are told that it matters who asks."""
    call = door(hello, "page", SITE + "/")
    for origin, allowed in ((SITE, SITE), (SITE.upper(), SITE.upper()), ("https://evil.example", None), ("null", None)):
        said = call(method, headers=[("origin", origin)])
        assert said.headers.get("access-control-allow-origin") == allowed
        assert said.headers["vary"] == "Origin"
    assert "access-control-allow-origin" not in call(method, headers=[]).headers


def test_a_fault_is_logged_and_says_nothing(door: Callable[..., Any], caplog: pytest.LogCaptureFixture) -> None:
    """500 in the form of every error, readable for the page that asked; the traceback is for the log."""
    said = door(broken)("GET", query=b"visitorId=someone")
    assert (said.status, said.json["code"]) == (500, "internal-error")
    assert said.headers["access-control-allow-origin"] == "*"
    assert b"secret" not in said.body
    assert caplog.records[0].exc_info
    assert caplog.messages == ["'GET' /x failed"]


def test_a_client_that_went_away_gets_nothing() -> None:
    """Nobody is there to hear it."""
    sent: list[Any] = []

    async def send(message: Any) -> None:
        sent.append(message)

    async def receive() -> Any:
        return {"type": "http.disconnect"}

    scope: dict[str, Any] = {"type": "http", "method": "GET", "headers": [], "client": None, "query_string": b""}
    asyncio.run(Door(Address("/x", "page", ("GET",), gone), Cors(("*",)), None)(scope, receive, send))
    assert sent == []


def test_an_answer_may_go_on(door: Callable[..., Any]) -> None:
    """It has no length, and ends when its address is through; HEAD hears nothing of it."""

    async def goes_on(_: Request) -> Reply:
        async def rest(say: Any) -> None:
            for word in (b"two ", b"three"):
                await say(word)

        return Reply(b"one ", media_type=b"text/plain", rest=rest)

    get, head = door(goes_on)("GET"), door(goes_on)("HEAD")
    assert (get.body, head.body) == (b"one two three", b"")
    assert "content-length" not in get.headers
    assert get.headers == head.headers


def test_openfeatures_providers_read_tags_and_refusals_of_their_own(door: Callable[..., Any]) -> None:
    """As scripts of any website; what they send is allowed by name."""
    call = door(broken, "flags")
    said = call("GET", headers=[("origin", SITE)])
    assert (said.status, said.json) == (500, {"errorCode": "GENERAL", "errorDetails": "The fault is logged."})
    assert (said.headers["content-type"], said.headers["retry-after"]) == ("application/json", "5")
    assert said.headers["access-control-expose-headers"] == "etag, retry-after"
    asked = call("OPTIONS", headers=[("origin", SITE)]).headers["access-control-allow-headers"]
    assert {"authorization", "content-type", "if-none-match", "x-api-key"} <= set(asked.split(", "))


def test_no_admin_address_without_a_gate() -> None:
    """A mistake in the wiring is no open door."""
    with pytest.raises(ValueError, match="/x"):
        Door(Address("/x", "admin", ("GET",), hello), Cors(("*",)), None)


def test_the_head_of_a_good_answer_can_be_had_around_its_length() -> None:
    """The same lines in the same order, for whoever writes them itself; remembered for each origin that counts."""
    plain = Door(Address("/x", "page", ("GET",), hello), Cors(["*"]), None)
    before, behind, first, others = plain.good_head(b"https://any.example")
    assert before == b"content-type: application/json\r\ncontent-length: "
    assert behind.startswith(b"\r\nx-content-type-options: nosniff\r\ncache-control: no-store\r\n")
    assert behind.endswith(b"access-control-allow-origin: *\r\n\r\n")
    assert plain.good_head(None) is plain.good_head(b"https://any.example")
    lines = [b"%b: %b\r\n" % header for header in (first, (b"content-length", b"7"), *others)]
    assert b"".join(lines) + b"\r\n" == before + b"7" + behind
    assert not plain.heeds_origin
    listed = Door(Address("/x", "page", ("GET",), hello), Cors([SITE]), None)
    assert listed.heeds_origin
    assert f"origin: {SITE}\r\nvary: Origin\r\n".encode() in listed.good_head(SITE.encode()).behind
    for number in range(2_000):
        assert b"allow-origin" not in listed.good_head(b"https://%d.example" % number).behind
