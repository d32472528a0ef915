"""Two servers around one app: one with the lane, one without, in this process.

Each example goes to both; their clocks stand still, so that not even the date differs. Whether the lane was taken is
seen by what the other road leaves behind: uvicorn's cycle.
"""

import asyncio
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any

from uvicorn import Config

from engine.web.clients import Clients
from engine.web.guard import Guard
from engine.web.lane import Lane


class Road:
    """A server, and what it said; `taken`: how many answers needed no cycle of uvicorn's."""

    def __init__(self, protocol: type[Guard], config: Config) -> None:
        self.clients = Clients()
        self.clients.default_headers = [(b"date", b"Wed, 25 Nov 2026 16:00:00 GMT")]
        self._make = lambda: protocol(config, self.clients, {}, asyncio.get_running_loop())

    async def open(self) -> "Road":
        """Listen."""
        self.listening = await asyncio.get_running_loop().create_server(self._make, "127.0.0.1", 0)
        self.address = self.listening.sockets[0].getsockname()
        return self

    def close(self) -> None:
        """Let go of everybody."""
        self.listening.close()
        for connection in list(self.clients.connections):
            connection.transport.abort()

    async def says(self, pieces: Sequence[bytes], meanwhile: Callable[[Clients], None] | None = None) -> bytes:
        """All that comes back for these pieces; then the client has said all it wants to."""
        reader, writer = await asyncio.open_connection(*self.address)
        for piece in pieces:
            if not writer.transport.is_closing():
                writer.write(piece)
            await settle()
        if meanwhile is not None:
            meanwhile(self.clients)
        await settle()
        received = b""
        with suppress(OSError):  # it was closed while something was still on its way
            if not writer.transport.is_closing():
                writer.write_eof()
            received = await asyncio.wait_for(reader.read(), 60)
        writer.close()
        return bytes(received)


async def settle() -> None:
    """Both sides have heard all that was said so far: they share one loop."""
    for _ in range(4):
        await asyncio.sleep(0.001)


class Roads:
    """Both roads to one app."""

    def __init__(self, runner: asyncio.Runner, app: Any, **how: Any) -> None:
        config = Config(app, lifespan="off", ws="none", proxy_headers=False, **{"access_log": False, **how})
        config.load()
        self._runner = runner
        self.lane = runner.run(Road(Lane, config).open())
        self.plain = runner.run(Road(Guard, config).open())

    def close(self) -> None:
        """Let go of everybody."""
        self._runner.run(self._close())

    async def _close(self) -> None:
        self.lane.close()
        self.plain.close()
        await settle()

    def say(self, *pieces: bytes, meanwhile: Callable[[Clients], None] | None = None) -> tuple[bytes, bytes]:
        """What comes back by the lane and by the ordinary road."""

        async def run() -> tuple[bytes, bytes]:
            said = await asyncio.gather(self.lane.says(pieces, meanwhile), self.plain.says(pieces, meanwhile))
            return said[0], said[1]

        return self._runner.run(run())

    def taken(self, *pieces: bytes) -> bool:
        """Was the lane taken all the way?"""
        cycles: list[Any] = []

        def look(clients: Clients) -> None:
            cycles.extend(connection.cycle for connection in clients.connections)  # type: ignore[union-attr]

        self._runner.run(self.lane.says(pieces, look))
        return cycles == [None]
