"""The service as a process: it starts or says why not, answers, and ends politely."""

import json
import platform
import signal
import socket
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any
from urllib.request import Request

import pytest

from engine.web.serve import bind, url_of


def test_it_serves_a_decision(serve: Callable[..., Any], rules: Path) -> None:
    """Over a real connection; no server name in the answer."""
    service = serve(rules).up()
    answer = service.decide()
    assert (answer.status, answer.edition) == (200, "1")
    assert "server" not in {name.lower() for name in answer.headers}
    assert service.decide(5000).edition is None


def test_a_get_by_hand(serve: Callable[..., Any], rules: Path) -> None:
    """What a person types first."""
    answer = serve(rules).up().get("/v1/decide?visitorId=v1&url=https://www.example.com/")
    assert (answer.status, answer.json["visitorId"]) == (200, "v1")


def test_bad_input_over_the_wire(serve: Callable[..., Any], rules: Path) -> None:
    """The server's own layers in between change nothing: each has its code, and the service goes on."""
    service = serve(rules).up()
    url = service.url + "/v1/decide"
    json_type = {"content-type": "application/json"}
    codes = [
        service.ask(request).json["code"]
        for request in (
            Request(url, b"[" * 100_000, json_type),
            Request(url, b'{"a":' * 3_000, json_type),
            Request(url, b"\xff", json_type),
            Request(url, b"a=b"),
            Request(url, b"{}", json_type, method="PUT"),
            Request(service.url + "/nothing"),
        )
    ]
    assert codes[:3] == ["body-too-large", "not-json", "not-json"]
    assert codes[3:] == ["unsupported-media-type", "method-not-allowed", "not-found"]
    assert service.decide().edition == "1"
    assert not any("Traceback" in line for line in service.log)


def test_a_chunked_body_is_bounded(serve: Callable[..., Any], rules: Path) -> None:
    """Without a Content-Length the limit is met while reading, and the connection ends."""
    service = serve(rules).up()
    host, port = service.url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=60) as connection:
        head = b"POST /v1/decide HTTP/1.1\r\nhost: a\r\ncontent-type: text/plain\r\ntransfer-encoding: chunked\r\n\r\n"
        connection.sendall(head + b"4000\r\n" + b" " * 0x4000 + b"\r\n" + b"1\r\n \r\n")
        received = b""
        while piece := connection.recv(65536):
            received += piece
    assert received.startswith(b"HTTP/1.1 413 ")
    assert b"body-too-large" in received


def test_broken_rules_end_the_first_start(serve: Callable[..., Any], rules: Path) -> None:
    """Before anything is served: every problem with its file and line."""
    (rules / "site.yaml").write_text("segments:\n  a: {name: A, when: 'tru'}\n")
    service = serve(rules)
    assert service.ended() != 0
    assert service.url == ""
    assert any("site.yaml:2:" in line for line in service.log)
    assert not any("Traceback" in line for line in service.log)


def test_a_busy_port_is_one_line(serve: Callable[..., Any], rules: Path, tmp_path: Path) -> None:
    """Which address, and that it is in use."""
    port = serve(rules).up().url.rpartition(":")[2]
    second = serve(rules, "--port", port)
    assert second.ended() != 0
    assert any(f"127.0.0.1:{port}" in line and "in use" in line for line in second.log)
    assert not any("Traceback" in line for line in second.log)


def test_sigterm_drains(serve: Callable[..., Any], rules: Path, until: Callable[..., None]) -> None:
    """Readiness off, still answering, then a clean end."""
    service = serve(rules, "--drain", "2").up()
    service.process.send_signal(signal.SIGTERM)
    until(lambda: service.get("/readyz").status == 503)
    answer = service.decide()
    assert (answer.edition, answer.headers["connection"]) == ("1", "close")
    assert service.ended() == 0
    assert [json.loads(line)["event"] for line in service.log[-2:]] == [
        "SIGTERM: draining for 2 s, then it stops",
        "stopped",
    ]


def test_ctrl_c_ends_at_once(serve: Callable[..., Any], rules: Path) -> None:
    """Nobody at a keyboard waits for a drain."""
    service = serve(rules, "--drain", "3000").up()
    assert service.end(signal.SIGINT) in {0, 130}
    assert not any("Traceback" in line for line in service.log)


def test_a_second_signal_ends_a_drain(serve: Callable[..., Any], rules: Path, until: Callable[..., None]) -> None:
    """Whoever asks twice means now."""
    service = serve(rules, "--drain", "3000").up()
    service.process.send_signal(signal.SIGTERM)
    until(lambda: service.get("/readyz").status == 503)
    assert service.end(signal.SIGTERM) == 0


def test_failing_tests_and_broken_files_are_not_taken(
    serve: Callable[..., Any], rules: Path, rules_of: Callable[[object], str], until: Callable[..., None]
) -> None:
    """The last good ruleset stays, `/readyz` names file and line, the service stays ready; mended, it goes on."""
    service = serve(rules).up()
    file = rules / "site.yaml"
    for broken, line in ((rules_of(2).replace("< 50", "<< 50"), 2), (rules_of(2).replace("12}", "99}"), 12)):
        file.write_text(broken)
        until(lambda: service.get("/readyz").json["last_error"] is not None)
        ready = service.get("/readyz")
        assert (ready.status, ready.json["ready"]) == (200, True)
        assert (ready.json["last_error"]["file"], ready.json["last_error"]["line"]) == (file.as_posix(), line)
        assert service.decide().edition == "1"
        file.write_text(rules_of(1))
        until(lambda: service.get("/readyz").json["last_error"] is None)
    file.write_text(rules_of(3))
    until(lambda: service.decide().edition == "3")


def test_url_of_a_socket_is_one_that_can_be_opened() -> None:
    """All addresses are shown as the local one; a free port is shown as the one that was found."""
    with bind("0.0.0.0", 0) as everywhere, bind("127.0.0.1", 0) as here:
        assert url_of(everywhere) == f"http://127.0.0.1:{everywhere.getsockname()[1]}"
        assert url_of(here) == f"http://127.0.0.1:{here.getsockname()[1]}"


def test_an_address_that_is_none_is_told() -> None:
    """With the address, as whoever typed it wrote it."""
    with pytest.raises(OSError, match=r"cannot listen on 192\.0\.2\.1:80"):
        bind("192.0.2.1", 80)


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="only glibc gives every thread a heap of its own")
def test_threads_share_one_heap(serve: Callable[..., Any], rules: Path) -> None:
    """A thread's own would lie at a multiple of 64 MiB, with the rest of that reserved behind it."""
    service = serve(rules).up()
    assert service.decide().status == 200
    maps = Path(f"/proc/{service.process.pid}/maps").read_text().splitlines()
    spans = [(int(line.split("-")[0], 16), line.split()) for line in maps]
    assert len(list(Path(f"/proc/{service.process.pid}/task").iterdir())) > 1
    own = [one for (begin, one), (_, next_) in pairwise(spans) if not begin % 2**26 and next_[1] == "---p"]
    assert not [one for one in own if len(one) == 5]  # others are of a file
