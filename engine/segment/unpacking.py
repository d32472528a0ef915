"""gzip undone, never into more than may be. Pure.

1. A body may be packed by `gzip` (`x-gzip` is its old name); no library of Segment's uses anything else.
2. What comes out is bounded while it comes out, so that a small body cannot fill the memory.
3. One member, whole, with a good checksum, and nothing behind it; else it is no body that a library has sent.
"""

import zlib
from typing import Final

from engine.limits import BATCH_BYTES
from engine.segment.reasons import Unacceptable

_GZIP: Final = 16 + zlib.MAX_WBITS  # zlib's way to say: with gzip's head and checksum, and nothing else
_PACKED: Final = frozenset({b"gzip", b"x-gzip"})
_PLAIN: Final = frozenset({b"", b"identity"})


def unpacked(raw: bytes, encoding: bytes = b"", most: int = BATCH_BYTES) -> bytes:
    """The body behind this Content-Encoding, at most so many bytes. Raises Unacceptable."""
    named = encoding.strip().lower()
    if named in _PLAIN:
        return raw
    if named not in _PACKED:
        raise Unacceptable("bad-encoding", "Content-Encoding: expected gzip or none")
    unpacking = zlib.decompressobj(_GZIP)
    try:
        plain = unpacking.decompress(raw, most + 1)
    except zlib.error:
        raise Unacceptable("bad-encoding", "the body is no gzip, though its Content-Encoding says so") from None
    if len(plain) > most:
        raise Unacceptable("body-too-large", f"expected at most {most:,} bytes, got more when it was unpacked")
    if not unpacking.eof:
        raise Unacceptable("bad-encoding", "the body's gzip ends too early")
    if unpacking.unused_data:
        raise Unacceptable("bad-encoding", "there is something behind the end of the body's gzip")
    return plain
