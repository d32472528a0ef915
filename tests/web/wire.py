"""HTTP as bytes: requests, answers with nothing read into them, and clients that behave or do not.

1. `Wire` is one connection. What comes back is an `Answer`, or `Cut` where the connection ended before or within it.
2. `crowd` is honest clients at full speed: each keeps its connection until an answer says `Connection: close`, then
   makes a new one. What a service may not do to them is a fault; that nobody listens any more ends a client.
"""

import asyncio
import contextlib
import json
import os
import signal
import socket
import time
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Any

from msgspec import Struct, field

PATIENCE_S = 60.0
PROBLEM = "application/problem+json"


def post(body: bytes | None = None, *headers: str, path: str = "/v1/decide") -> bytes:
    """A request for a decision, with these headers too."""
    body = decision() if body is None else body
    lines = [f"POST {path} HTTP/1.1", "host: a", "content-type: application/json", f"content-length: {len(body)}"]
    return "\r\n".join([*lines, *headers, "", ""]).encode("latin-1") + body


def get(path: str = "/healthz", *headers: str, method: str = "GET") -> bytes:
    """A request without a body."""
    return "\r\n".join([f"{method} {path} HTTP/1.1", "host: a", *headers, "", ""]).encode("latin-1")


def decision(employees: int = 12, pad: int = 0) -> bytes:
    """A body that asks for a decision."""
    asked = {"visitorId": "v1", "page": {"url": "https://www.example.com/"}, "traits": {"employees": employees}}
    return json.dumps(asked).encode() + b" " * pad


def chunked(body: bytes, size: int = 100, *, path: str = "/v1/decide", trailers: str = "") -> bytes:
    """The same with a body in chunks."""
    head = f"POST {path} HTTP/1.1\r\nhost: a\r\ncontent-type: text/plain\r\ntransfer-encoding: chunked\r\n\r\n"
    pieces = [body[start : start + size] for start in range(0, len(body), size)]
    return head.encode() + b"".join(b"%x\r\n%b\r\n" % (len(p), p) for p in pieces) + f"0\r\n{trailers}\r\n".encode()


class Cut(Exception):  # noqa: N818 - what happened, not an error of the test
    """The connection ended where an answer should be; `at` holds what was there of it."""

    def __init__(self, at: bytes, why: str) -> None:
        super().__init__(f"{why} after {at!r}")
        self.at = at


class Answer(Struct, frozen=True):
    """A response; header names in lower case."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def code(self) -> str:
        """The code of a problem, which must be one by all its signs."""
        assert self.headers["content-type"] == PROBLEM, self
        problem = json.loads(self.body)
        assert problem["status"] == self.status, self
        return str(problem["code"])

    @property
    def closes(self) -> bool:
        """Is this the last answer on its connection?"""
        return self.headers.get("connection") == "close"


class Wire:
    """A connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer
        self.port = int(writer.get_extra_info("sockname")[1])

    @classmethod
    async def open(cls, address: tuple[str, int], receive_bytes: int | None = None) -> "Wire":
        """Connect; `receive_bytes` is how much the kernel may keep for a client that does not read."""
        made = socket.socket()
        if receive_bytes is not None:
            made.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_bytes)
        made.setblocking(False)
        try:
            await asyncio.wait_for(asyncio.get_running_loop().sock_connect(made, address), PATIENCE_S)
            return cls(*await asyncio.open_connection(sock=made))
        except BaseException:
            made.close()
            raise

    async def ask(self, request: bytes) -> Answer:
        """Send, and the answer."""
        self.writer.write(request)
        return await self.answer()

    async def answer(self, *, without_body: bool = False) -> Answer:
        """The next answer. Raises `Cut`."""
        seen = b""
        try:
            seen = await asyncio.wait_for(self.reader.readuntil(b"\r\n\r\n"), PATIENCE_S)
            first, *lines = seen.decode("latin-1").split("\r\n")[:-2]
            headers = {name.lower(): value for name, value in (line.split(": ", 1) for line in lines)}
            status = int(first.split()[1])
            if status == 100:
                return Answer(status, headers, b"")
            length = 0 if without_body else int(headers["content-length"])
            body = await asyncio.wait_for(self.reader.readexactly(length), PATIENCE_S)
        except asyncio.IncompleteReadError as error:
            raise Cut(seen + error.partial, "end") from None
        except OSError as error:
            raise Cut(seen, repr(error)) from None
        return Answer(status, headers, body)

    async def rest(self) -> bytes:
        """All that still comes until the other side closes. Raises `OSError` for a reset."""
        return await asyncio.wait_for(self.reader.read(), PATIENCE_S)

    async def close(self) -> None:
        """Let go."""
        self.writer.close()
        with contextlib.suppress(OSError):
            await self.writer.wait_closed()


class Tally(Struct):
    """What a crowd of honest clients saw. `cut`: ports of connections that ended where an answer should be, and how."""

    answers: int = 0
    last_answers: int = 0  # those that said `Connection: close`
    connections: int = 0
    cut: dict[int, str] = field(default_factory=dict)
    faults: list[str] = field(default_factory=list)


async def crowd(address: tuple[str, int], clients: int, ended: asyncio.Event) -> Tally:
    """So many honest clients at full speed, until then or until nobody listens any more."""
    tally = Tally()
    async with asyncio.TaskGroup() as group:
        for _ in range(clients):
            group.create_task(_honest(address, ended, tally))
    return tally


async def _honest(address: tuple[str, int], ended: asyncio.Event, tally: Tally) -> None:
    while not ended.is_set():
        try:
            wire = await Wire.open(address)
        except ConnectionRefusedError:
            return
        except OSError as error:
            tally.faults.append(f"connecting: {error!r}")
            return
        tally.connections += 1
        await _ask_on(wire, ended, tally)
        await wire.close()


async def _ask_on(wire: Wire, ended: asyncio.Event, tally: Tally) -> None:
    asked, right = post(), b'"Edition '
    while not ended.is_set():
        try:
            answer = await wire.ask(asked)
        except Cut as cut:
            tally.cut[wire.port] = str(cut)
            return
        tally.answers += 1
        if answer.status != 200 or right not in answer.body:
            tally.faults.append(str(answer))
        if answer.closes:
            tally.last_answers += 1
            return


def beside(
    address: tuple[str, int], clients: int, meanwhile: Callable[[], Awaitable[Any]], seconds: float = 0.0
) -> Tally:
    """A crowd while something happens to the service, and `seconds` before and after."""

    async def run() -> Tally:
        ended = asyncio.Event()
        async with asyncio.TaskGroup() as group:
            task = group.create_task(crowd(address, clients, ended))
            try:
                await asyncio.sleep(seconds)
                await meanwhile()
                await asyncio.sleep(seconds)
            finally:
                ended.set()  # to be cancelled alone may pass a busy client by (`wait_for` before Python 3.12)
        return task.result()

    return asyncio.run(run())


def at(url: str) -> tuple[str, int]:
    """Host and port of a URL."""
    host, _, port = url.removeprefix("http://").partition(":")
    return host, int(port)


async def each(address: tuple[str, int], requests: Sequence[bytes]) -> list[Answer]:
    """Each request on a connection of its own, one after the other."""
    answers = []
    for request in requests:
        wire = await Wire.open(address)
        answers.append(await wire.ask(request))
        await wire.close()
    return answers


def peers_of(pid: int) -> set[int]:
    """The ports of the clients that a process holds connections to."""
    held = set()
    for entry in Path(f"/proc/{pid}/fd").iterdir():
        target = os.readlink(entry)  # noqa: PTH115 - it names no path
        if target.startswith("socket:["):
            held.add(target[8:-1])
    rows = [line.split() for line in Path(f"/proc/{pid}/net/tcp").read_text().splitlines()[1:]]
    return {int(row[2].partition(":")[2], 16) for row in rows if row[9] in held}


def children(service: Any) -> list[int]:
    """The worker processes."""
    listed = Path(f"/proc/{service.process.pid}/task/{service.process.pid}/children").read_text().split()
    workers: list[int] = []
    for pid in listed:
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):  # it has just ended
            if b"spawn_main" in Path(f"/proc/{pid}/cmdline").read_bytes():
                workers.append(int(pid))
    return workers


def stop(pid: int) -> None:
    """Stop a process, and see that it is."""
    os.kill(pid, signal.SIGSTOP)
    while Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "T":
        time.sleep(0.001)


def all_up(service: Any, workers: int) -> bool:
    """Are there so many workers, and does each of them answer while the others are stopped?"""
    pids = children(service)
    for pid in pids if len(pids) == workers else ():
        others = [other for other in pids if other != pid]
        try:
            for other in others:
                stop(other)
            assert service.get("/healthz").status == 200
        finally:
            for other in others:
                os.kill(other, signal.SIGCONT)
    return len(pids) == workers
