"""How the socket that clients connect to is closed, without turning away anybody who was already let in.

What lives here: `shut`, and who is still in the queue. What may not: opening the socket (`serve.py`), what happens on a
connection (`guard.py`).

1. A client is connected as soon as the kernel says so; the service takes it from a queue a little later. Closing the
   socket resets whoever is in that queue: a request that was sent, and never heard.
2. So the door is shut first: `shut` makes the kernel drop the first packet of every new connection. Those who are in
   the queue are still taken; the others try again by themselves, and by then they are plainly refused.
3. Only Linux can do that (a filter of five instructions on the socket). Elsewhere `shut` does nothing.
4. Several processes share one socket, and what is done to it here is done for all of them.
5. No time is long enough for those in the queue to be taken, on a machine that gives a process no core. So `emptied`
   looks whether somebody is in it, and it is over when nobody was, twice in a row, with a turn of the loop in between.
6. Whoever is in it though nobody takes them any more (workers that were killed, or had to end before they were up) is
   told to come again: a reset would say nothing.
"""

import asyncio
import ctypes
import select
import socket
import struct
import sys
from collections.abc import Sequence
from contextlib import suppress
from typing import Final

from engine import limits

_SO_ATTACH_FILTER: Final = 26  # linux/asm-generic/socket.h; Python has no name for it
# Classic BPF over a TCP segment, byte 13 are its flags: SYN (2) without ACK (16) begins a connection.
_NO_NEW_CONNECTIONS: Final = (
    (0x30, 0, 0, 13),  # load the flags
    (0x54, 0, 0, 0x12),  # keep SYN and ACK
    (0x15, 0, 1, 0x02),  # SYN alone?
    (0x06, 0, 0, 0),  # then drop it
    (0x06, 0, 0, 0xFFFFFFFF),  # else let it pass whole
)
_QUIET_LOOKS: Final = 2
_COME_AGAIN: Final = (
    b"HTTP/1.1 503 Service Unavailable\r\nretry-after: 1\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"
)
_MOST: Final = 4_096  # as many as a queue holds; elsewhere than on Linux others may follow
_SENT_BYTES: Final = 65_536  # what is left unread would reset the connection, and take the answer with it


def shut(listening: socket.socket) -> None:
    """Let nobody new in, for good; whoever is in the queue can still be taken."""
    if sys.platform != "linux":
        return
    code = b"".join(struct.pack("HBBI", *instruction) for instruction in _NO_NEW_CONNECTIONS)
    kept = ctypes.create_string_buffer(code, len(code))
    program = struct.pack("HL", len(_NO_NEW_CONNECTIONS), ctypes.addressof(kept))
    with suppress(OSError):  # a sandbox may forbid filters; then it is as elsewhere
        listening.setsockopt(socket.SOL_SOCKET, _SO_ATTACH_FILTER, program)


async def emptied(doors: Sequence[socket.socket]) -> None:
    """Wait until nobody is in the queues of these sockets, which are shut; whoever serves them takes who is."""
    await asyncio.sleep(limits.DOOR_S)
    quiet = 0
    for _ in range(limits.DOOR_LOOKS):
        quiet = 0 if any(map(somebody, doors)) else quiet + 1
        if quiet == _QUIET_LOOKS:
            return
        await asyncio.sleep(limits.DOOR_LOOK_S)


def somebody(listening: socket.socket) -> bool:
    """Is a connection in its queue?"""
    return bool(select.select([listening], [], [], 0)[0])


def turn_away(listening: socket.socket) -> int:
    """Tell whoever is in the queue to come again: how many they were. For a socket that nobody serves any more."""
    turned_away = 0
    while turned_away < _MOST and somebody(listening):
        with suppress(OSError), listening.accept()[0] as client:
            turned_away += 1
            client.settimeout(0)
            with suppress(BlockingIOError):
                client.recv(_SENT_BYTES)
            client.sendall(_COME_AGAIN)
    return turned_away
