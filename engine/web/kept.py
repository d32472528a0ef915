"""What is the same for everybody for a while: packed once, sent in the form that a browser takes, and kept by it.

What lives here: content codings, the ETag, 304. What may not: what is sent, and for how long it may be kept.

1. Brotli or gzip for whoever says so, else as it is. One weak ETag for all forms: the hash of the content.
2. No time goes into it: every worker packs the same bytes.
"""

import gzip
from collections.abc import Mapping, Sequence
from hashlib import sha256
from typing import Final

import brotli
from msgspec import Struct

from engine.web.door import Reply
from engine.web.request import Headers

KEPT_BRIEFLY: Final = b"public, max-age=300, stale-while-revalidate=86400"
_BEST: Final = 11


class Kept(Struct, frozen=True):
    """Something, ready to be sent; `forms` by content coding, the best first."""

    version: str
    media_type: bytes
    forms: Mapping[bytes, bytes]


def packed(content: bytes, media_type: bytes, *, quality: int = _BEST) -> Kept:
    """Packed in every form; a lower `quality` of Brotli takes less time, where it is done while somebody waits."""
    forms = {b"br": brotli.compress(content, quality=quality), b"gzip": gzip.compress(content, mtime=0), b"": content}
    return Kept(sha256(content).hexdigest()[:16], media_type, forms)


def reply(kept: Kept, asked: Headers, cache: bytes, more: Sequence[tuple[bytes, bytes]] = ()) -> Reply:
    """The answer to a request with these headers; 304 where it has this version already."""
    version = kept.version.encode()
    headers = ((b"etag", b'W/"%b"' % version), (b"vary", b"Accept-Encoding"), *more)
    if version in asked.get(b"if-none-match", b""):
        return Reply(b"", 304, kept.media_type, headers, cache)
    coding = _coding(asked.get(b"accept-encoding", b""), kept.forms)
    if coding:
        headers = ((b"content-encoding", coding), *headers)
    return Reply(kept.forms[coding], 200, kept.media_type, headers, cache)


def _coding(accepted: bytes, forms: Mapping[bytes, bytes]) -> bytes:
    """The best form that the browser takes: `gzip, deflate;q=0.5, br;q=0`."""
    offers = (offer.replace(b" ", b"").lower().partition(b";q=") for offer in accepted.split(b","))
    taken = {name for name, _, weight in offers if weight.strip(b"0.") or not weight}
    return next(coding for coding in forms if coding in taken or not coding)
