"""How the socket that clients connect to is closed, without turning away anybody who was already let in.

What lives here: `shut`. What may not: opening the socket (`serve.py`), what happens on a connection (`guard.py`).

1. A client is connected as soon as the kernel says so; the service takes it from a queue a little later. Closing the
   socket resets whoever is in that queue: a request that was sent, and never heard.
2. So the door is shut first: `shut` makes the kernel drop the first packet of every new connection. Those who are in
   the queue are still taken; the others try again by themselves, and by then they are plainly refused.
3. Only Linux can do that (a filter of five instructions on the socket). Elsewhere `shut` does nothing.
4. Several processes share one socket, and what is done to it here is done for all of them.
"""

import ctypes
import socket
import struct
import sys
from contextlib import suppress
from typing import Final

_SO_ATTACH_FILTER: Final = 26  # linux/asm-generic/socket.h; Python has no name for it
# Classic BPF over a TCP segment, byte 13 are its flags: SYN (2) without ACK (16) begins a connection.
_NO_NEW_CONNECTIONS: Final = (
    (0x30, 0, 0, 13),  # load the flags
    (0x54, 0, 0, 0x12),  # keep SYN and ACK
    (0x15, 0, 1, 0x02),  # SYN alone?
    (0x06, 0, 0, 0),  # then drop it
    (0x06, 0, 0, 0xFFFFFFFF),  # else let it pass whole
)


def shut(listening: socket.socket) -> None:
    """Let nobody new in, for good; whoever is in the queue can still be taken."""
    if sys.platform != "linux":
        return
    code = b"".join(struct.pack("HBBI", *instruction) for instruction in _NO_NEW_CONNECTIONS)
    kept = ctypes.create_string_buffer(code, len(code))
    program = struct.pack("HL", len(_NO_NEW_CONNECTIONS), ctypes.addressof(kept))
    with suppress(OSError):  # a sandbox may forbid filters; then it is as elsewhere
        listening.setsockopt(socket.SOL_SOCKET, _SO_ATTACH_FILTER, program)
