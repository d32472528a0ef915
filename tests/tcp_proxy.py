"""A stretch of network between clients and a server that a test can spoil: slow, swallowing, gone.

1. `Proxy(port)` listens on a port of its own and hands on to that one. What it does to bytes it does to both
   directions, in their order, and to connections that are open already.
2. `swallow` is a black hole: connections are taken, and nothing comes through; what was on its way comes when the
   network is back (`restore`), as TCP has it. `refuse` ends all connections and takes no more.
3. `delay_s` is how long every piece is under way. `hold` keeps back what the server says, until `restore`. `replaced`
   are words that do not come through as they were said.
4. `connections` counts attempts, by the second in which they came (`monotonic`).
"""

import asyncio
import threading
import time
from contextlib import suppress
from typing import Any, Final

HOST: Final = "127.0.0.1"
_PIECE: Final = 65_536


class Proxy:
    """One, in a thread of its own; `close` it."""

    def __init__(self, server_port: int) -> None:
        self.connections: list[float] = []
        self.delay_s = 0.0
        self.replaced = b"", b""
        self._server_port = server_port
        self._to_server_open = self._to_client_open = True
        self._refusing = False
        self._tasks: set[asyncio.Task[Any]] = set()
        self._loop = asyncio.new_event_loop()
        self._listens = threading.Event()
        self._thread = threading.Thread(target=self._loop.run_until_complete, args=(self._run(),), daemon=True)
        self._thread.start()
        self._listens.wait()

    def swallow(self) -> None:
        """Nothing comes through any more, in either direction."""
        self._to_server_open = self._to_client_open = False

    def hold(self) -> None:
        """Nothing comes back any more."""
        self._to_client_open = False

    def refuse(self) -> None:
        """All connections end, and new ones end at once."""
        self._refusing = True
        self._loop.call_soon_threadsafe(self._cut)

    def restore(self) -> None:
        """All is as in the beginning."""
        self._to_server_open = self._to_client_open = True
        self._refusing = False

    def close(self) -> None:
        """It is gone."""
        self._loop.call_soon_threadsafe(self._ended.set)
        self._thread.join()
        self._loop.close()

    def most_in_a_second(self, since: float, until: float = float("inf")) -> int:
        """The most attempts within a second, of those that came between; less what a busy machine adds to one."""
        times = [at for at in self.connections if since <= at < until]
        return max((sum(begin <= at < begin + 0.95 for at in times) for begin in times), default=0)

    async def _run(self) -> None:
        self._ended = asyncio.Event()
        listening = await asyncio.start_server(self._take, HOST, 0)
        self.port = listening.sockets[0].getsockname()[1]
        self._listens.set()
        await self._ended.wait()
        listening.close()
        await asyncio.sleep(0.01)  # who was let in just now is no task yet, and nobody would end its connection
        self._cut()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _cut(self) -> None:
        for task in self._tasks:
            task.cancel()

    async def _take(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections.append(time.monotonic())
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        server, carrying = None, []
        with suppress(OSError, asyncio.CancelledError):
            if not self._refusing:
                from_server, server = await asyncio.open_connection(HOST, self._server_port)
                ways = self._carry(reader, server, to_server=True), self._carry(from_server, writer, to_server=False)
                carrying = [asyncio.ensure_future(way) for way in ways]
                await asyncio.wait(carrying, return_when=asyncio.FIRST_COMPLETED)
        for one in (writer, server):
            if one is not None:
                one.transport.abort()
        await _end(*carrying)
        self._tasks.discard(task)

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, to_server: bool) -> None:
        """Piece by piece; each is as long under way as the others, however close they follow."""
        due: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue()

        async def deliver() -> None:
            while True:
                at, piece = await due.get()
                await asyncio.sleep(max(0.0, at - time.monotonic()))
                while not (self._to_server_open if to_server else self._to_client_open):  # noqa: ASYNC110 - of a thread
                    await asyncio.sleep(0.002)
                if not piece:
                    return
                writer.write(piece)

        delivering = asyncio.ensure_future(deliver())
        try:
            with suppress(OSError):
                while piece := await reader.read(_PIECE):
                    said = piece.replace(*self.replaced) if self.replaced[0] else piece
                    due.put_nowait((time.monotonic() + self.delay_s, said))
            due.put_nowait((time.monotonic() + self.delay_s, b""))
            await delivering
        finally:
            await _end(delivering)


async def _end(*tasks: asyncio.Task[None]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
