"""What a client may not do on a connection, and what it is told: sizes, order, odd but lawful requests.

Asked of a real service; deadlines are in `test_deadlines.py`, crowds of bad clients in `test_slow_clients.py`.
"""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from engine import limits


@pytest.fixture
def ask(standing: Any, wire: Any) -> Any:
    """`ask(request, …)`: their answers, each on a connection of its own."""
    return lambda *requests: asyncio.run(wire.each(wire.at(standing.url), requests))


@pytest.fixture
def told(standing: Any, wire: Any) -> Any:
    """`told(piece, …, half_closed=False)`: all bytes that come back on one connection until the service closes it."""

    def told(*pieces: bytes, half_closed: bool = False) -> bytes:
        async def run() -> bytes:
            connection = await wire.Wire.open(wire.at(standing.url))
            for piece in pieces:
                connection.writer.write(piece)
                await asyncio.sleep(0.02)
            if half_closed:
                connection.writer.write_eof()
            try:
                return bytes(await connection.rest())
            finally:
                await connection.close()

        return asyncio.run(run())

    return told


def statuses(received: bytes) -> list[int]:
    """The statuses in a stream of answers."""
    return [int(piece[:3]) for piece in received.split(b"HTTP/1.1 ")[1:]]


def test_too_large_a_head_is_431(ask: Any, wire: Any) -> None:
    """By its bytes, by its number of headers; with the code, and the connection ends."""
    most = limits.HEAD_BYTES
    large = [wire.post(None, f"x-pad: {'x' * most}"), wire.get("/healthz", f"x-pad: {'x' * most}")]
    many = [wire.get("/healthz", *["a: b"] * (limits.HEADERS + 1)), wire.post(None, *["a: b"] * limits.HEADERS)]
    for answer in ask(*large, *many):
        assert (answer.status, answer.code, answer.closes) == (431, "headers-too-large", True)


def test_a_refusal_is_counted_once(serve: Any, rules: Path, tmp_path: Path, wire: Any) -> None:
    """Whoever finds it first: what guards the connection, or the address that it asked, which has it in its turn."""
    key = "K" * 40
    (tmp_path / "key").write_text(key)
    (tmp_path / "key").chmod(0o600)
    service = serve(rules, "--drain", "0", "--admin-key-file", str(tmp_path / "key")).up()
    large = b"x" * (2 * limits.DECIDE_BODY_BYTES)
    requests = [wire.post(large), wire.chunked(large), wire.get("/nothing"), wire.get("/v1/nothing", method="PUT")]

    async def ask() -> Any:
        address = wire.at(service.url)
        codes = [answer.code for answer in await wire.each(address, requests)]
        connection = await wire.Wire.open(address)
        connection.writer.write(wire.post(large)[: -len(large)])
        codes.append((await connection.answer()).code)
        connection.writer.write(large)
        await connection.rest()
        await connection.close()
        [said] = await wire.each(address, [wire.get("/metrics", f"authorization: Bearer {key}")])
        return codes, said.body.decode()

    codes, numbers = asyncio.run(ask())
    assert codes == ["body-too-large", "body-too-large", "not-found", "not-found", "body-too-large"]
    assert 'mutiny_edge_refusals_total{code="body-too-large"} 3' in numbers
    assert 'mutiny_edge_refusals_total{code="not-found"} 2' in numbers


def test_a_head_just_within_the_limits_is_answered(ask: Any, wire: Any) -> None:
    """Where the limit is, it is kept exactly."""
    fits = [wire.post(None, f"x-pad: {'x' * (limits.HEAD_BYTES - 500)}"), wire.get("/healthz", *["a: b"] * 99)]
    assert [answer.status for answer in ask(*fits)] == [200, 200]


def test_a_head_without_an_end_is_431(told: Any, wire: Any) -> None:
    """Before it is complete: nobody keeps it until then."""
    assert statuses(told(b"GET /healthz HTTP/1.1\r\nx-pad: ", b"x" * limits.HEAD_BYTES, b"x" * 100)) == [431]
    assert statuses(told(b"GET /", b"x" * limits.HEAD_BYTES, b"x" * 100)) == [414]


def test_a_long_address_is_414(ask: Any, wire: Any) -> None:
    """With a hint that a body may be longer."""
    [answer] = ask(wire.get("/v1/decide?url=" + "x" * limits.URL_BYTES))
    assert (answer.status, answer.code, answer.closes) == (414, "url-too-long", True)


def test_a_body_is_refused_before_it_is_read(told: Any, wire: Any) -> None:
    """Content-Length alone is enough, whether or not the client waits to be asked for the body."""
    head = wire.post(b"").replace(b"content-length: 0", b"content-length: 16385")
    waiting = head.replace(b"host: a", b"host: a\r\nexpect: 100-continue")
    elsewhere = head.replace(b"/v1/decide", b"/healthz")
    for request in (head, waiting, elsewhere):
        received = told(request)
        assert statuses(received) == [413]
        assert b'"code":"body-too-large"' in received
        assert (b"access-control-allow-origin: *" in received) == (request is not elsewhere)


def test_a_body_in_chunks_is_counted(ask: Any, told: Any, wire: Any) -> None:
    """Each address, in one piece or in many; what surrounds the chunks is bounded too."""
    body = wire.decision(pad=limits.DECIDE_BODY_BYTES)
    for request in (wire.chunked(body), wire.chunked(body, path="/healthz"), wire.chunked(body, 20_000)):
        [answer] = ask(request)
        assert (answer.status, answer.code, answer.closes) == (413, "body-too-large", True)
    endless = wire.chunked(wire.decision())[:-2] + b"x: " + b"x" * (limits.CHUNK_OVERHEAD * limits.DECIDE_BODY_BYTES)
    assert statuses(told(endless, b"x" * limits.HEAD_BYTES, b"x")) == [413]


@pytest.mark.parametrize("path", ["/v1/batch", "/v1/t", "/v1/webhook/www"])
def test_what_segment_sends_may_be_larger_and_is_refused_in_its_form(told: Any, wire: Any, path: str) -> None:
    """Within half a megabyte it is read (and has no key here); beyond, 400 as Segment's libraries understand it."""
    most = limits.BATCH_BYTES
    within = wire.post(b"{" + b" " * (most - 1), path=path).replace(b"host: a", b"host: a\r\nconnection: close")
    assert statuses(told(within)) == [401 if "webhook" in path else 400]
    head = wire.post(b"", path=path).replace(b"content-length: 0", b"content-length: %d" % (most + 1))
    for received in (told(head), told(wire.chunked(b" " * (most + 1), 60_000, path=path))):
        assert statuses(received) == [400]
        assert b"content-type: application/json" in received
        assert b'"success":false,"code":"body-too-large","message":"' in received
        assert b"access-control-allow-origin: *" in received


def test_what_no_flag_has_seen_is_refused_with_its_key(told: Any, wire: Any) -> None:
    """In OFREP's form: a body, an address or a head that is too large."""
    path = "/ofrep/v1/evaluate/flags/site"
    large = wire.post(b"", path=path).replace(b"content-length: 0", b"content-length: 16385")
    long = wire.post(b"", path=path + "?x=" + "x" * limits.URL_BYTES)
    many = wire.post(b"", *["a: b"] * limits.HEADERS, path=path)
    for request, status in ((large, 413), (long, 414), (many, 431)):
        received = told(request)
        assert statuses(received) == [status]
        assert b'{"key":"site","errorCode":"GENERAL","errorDetails":"' in received


def test_what_follows_a_body_is_no_header(ask: Any, wire: Any) -> None:
    """Else whoever asks through a proxy could set what only the proxy may say."""
    plain, trailed = ask(
        wire.chunked(wire.decision()), wire.chunked(wire.decision(), trailers="content-type: image/png\r\n")
    )
    assert (plain.status, trailed.status) == (200, 200)


def test_expect_is_honoured(standing: Any, wire: Any) -> None:
    """The client is asked for the body, sends it, and the connection goes on."""

    async def run() -> list[int]:
        connection = await wire.Wire.open(wire.at(standing.url))
        head, _, body = wire.post(None, "expect: 100-continue").partition(b"\r\n\r\n")
        seen = [await connection.ask(head + b"\r\n\r\n"), await connection.ask(body), await connection.ask(wire.get())]
        await connection.close()
        return [answer.status for answer in seen]

    assert asyncio.run(run()) == [100, 200, 200]


def test_an_answer_before_the_body_was_asked_for_is_the_last(told: Any, wire: Any) -> None:
    """The client need not send that body, so what follows cannot be told from it."""
    head = wire.post(None, "expect: 100-continue", path="/nothing").partition(b"\r\n\r\n")[0] + b"\r\n\r\n"
    assert statuses(told(head)) == [404]


def test_an_answer_before_the_body_was_there_keeps_the_connection(standing: Any, wire: Any) -> None:
    """Many clients send head and body in two pieces; that an address needs no body is not their fault."""

    async def run() -> list[int]:
        connection = await wire.Wire.open(wire.at(standing.url))
        head, _, body = wire.post(None, path="/nothing").partition(b"\r\n\r\n")
        seen = [await connection.ask(head + b"\r\n\r\n"), await connection.ask(body + wire.get())]
        await connection.close()
        return [answer.status for answer in seen]

    assert asyncio.run(run()) == [404, 200]


def test_no_http_is_400_as_a_problem(ask: Any) -> None:
    """Whatever it is; the head says JSON, and the connection ends."""
    wrong = [
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",  # a client that speaks TLS
        b"HELLO\r\n\r\n",
        b"GET / HTTP/9.9\r\n\r\n",
        b"GET \xff HTTP/1.1\r\nhost: a\r\n\r\n",
        b"CONNECT example.com:443 HTTP/1.1\r\nhost: a\r\n\r\n",
        b"POST /v1/decide HTTP/1.1\r\ncontent-length: 5\r\ncontent-length: 6\r\n\r\n",
        b"POST /v1/decide HTTP/1.1\r\ncontent-length: 5\r\ntransfer-encoding: chunked\r\n\r\n",
        b"POST /v1/decide HTTP/1.1\r\ncontent-length: -5\r\n\r\n",
        b"POST /v1/decide HTTP/1.1\r\ncontent-length: 99999999999999999999999\r\n\r\n",
        b"POST /v1/decide HTTP/1.1\r\ntransfer-encoding: chunked\r\n\r\nxyz\r\n",
        b"GET / HTTP/1.1\r\nbad header: x\r\n\r\n",
        b"GET / HTTP/1.1\r\nx: a\x00b\r\n\r\n",
    ]
    for answer in ask(*wrong):
        assert (answer.status, answer.code, answer.closes) == (400, "not-http", True)


def test_the_answer_to_head_has_no_body(told: Any, wire: Any) -> None:
    """Also where it is refused."""
    received = told(wire.get("/healthz", *["a: b"] * 200, method="HEAD"))
    assert statuses(received) == [431]
    assert received.endswith(b"\r\n\r\n")


def test_a_refusal_waits_for_its_turn(told: Any, wire: Any) -> None:
    """Requests before it on the connection get their own answers first, in order."""
    good = wire.post() + wire.get("/nothing") + wire.get()
    chunks = wire.chunked(b"")
    assert statuses(told(good + b"HELLO\r\n\r\n" + good)) == [200, 404, 200, 400]
    assert statuses(told(good + chunks.replace(b"0\r\n\r\n", b"zz\r\n"))) == [200, 404, 200, 400]
    assert statuses(told(good + wire.get("/" + "x" * limits.URL_BYTES))) == [200, 404, 200, 414]


def test_requests_ahead_of_their_answers_are_bounded(told: Any, wire: Any) -> None:
    """So many are answered, the next one is refused, and nobody keeps the others."""
    seen = statuses(told(wire.get() * 1_000))
    assert seen[-1] == 429
    assert seen[:-1] == [200] * (limits.PIPELINE + 1)


def test_requests_one_behind_the_other_are_answered(told: Any, wire: Any) -> None:
    """As load generators send them, also where a piece ends within one."""
    asked = wire.post() * 20 + wire.get("/healthz", "connection: close")
    pieces = [asked[start : start + 777] for start in range(0, len(asked), 777)]
    assert statuses(told(asked)) == [200] * 21
    assert statuses(told(*pieces)) == [200] * 21


def test_a_client_that_has_said_all_still_gets_its_answer(told: Any, wire: Any) -> None:
    """Half-closing is lawful, and what `nc -N` does."""
    received = told(wire.post(), half_closed=True)
    assert statuses(received) == [200]
    assert statuses(told(wire.get() + wire.get("/nothing"), half_closed=True)) == [200, 404]
    assert told(b"GET /healthz HT", half_closed=True) == b""


def test_nobody_is_upgraded(told: Any, wire: Any) -> None:
    """Java's client asks for HTTP/2 with its first request, a body behind it: it is answered as if it had not."""
    wish = ("connection: upgrade, http2-settings", "upgrade: h2c", "http2-settings: AAMAAABkAAQCAAAAAAIAAAAA")
    last = wire.get("/healthz", "connection: close")
    assert statuses(told(wire.post(None, *wish) + last)) == [200, 200]
    assert statuses(told(wire.get("/healthz", *wish) * 3 + last)) == [200, 200, 200, 200]
    for half in (wire.post(None, *wish)[:60], wire.post(None, *wish)[:-20]):
        assert statuses(told(half, wire.post(None, *wish)[len(half) :], last)) == [200, 200]
    in_chunks = wire.chunked(wire.decision()).replace(b"host: a", "\r\n".join(wish).encode())
    assert statuses(told(in_chunks + last)) == [200, 200]
    assert statuses(told(wire.get("/healthz", *wish) * 500)) == [200] * (limits.PIPELINE + 1) + [429]
