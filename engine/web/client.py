"""`/client.js` and `/preview.js`: the scripts that run on a website, as files with an address.

What lives here: what a browser is told about keeping them, and in which form it gets them. What may not: visitors.

1. They are read and packed once, when the app is built. `client.min.js` is made of `client.js` by a tool, and lies
   beside it: what was tested is what is served, and the service needs no tool (tests/web/test_client.py makes it anew).
2. `/client.js` is asked for again after some minutes, so that a new version arrives by itself; most of these questions
   end with 304. `/client.js?v=VERSION` may be kept for ever: VERSION is what the ETag holds, and of another one than is
   served nothing is kept for longer.
3. Brotli or gzip for browsers that say so, else as it is. One weak ETag for all forms.
"""

import gzip
from collections.abc import Mapping
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Final

import brotli
from msgspec import Struct

from engine.web.door import Answer, Reply
from engine.web.request import Request

SCRIPTS: Final[Mapping[str, str]] = {"client.js": "client.min.js", "preview.js": "preview.js"}

_KEPT_BRIEFLY: Final = b"public, max-age=300, stale-while-revalidate=86400"
_KEPT_FOR_EVER: Final = b"public, max-age=31536000, immutable"
_HERE: Final = Path(__file__).parent


class Script(Struct, frozen=True):
    """A script, ready to be sent; `forms` by content coding, the best first."""

    version: str
    forms: Mapping[bytes, bytes]


@cache
def script(name: str) -> Script:
    """One of `SCRIPTS`, read from beside this file."""
    content = (_HERE / SCRIPTS[name]).read_bytes()
    # No time in it: every worker packs the same bytes.
    packed = {b"br": brotli.compress(content), b"gzip": gzip.compress(content, mtime=0)}
    return Script(sha256(content).hexdigest()[:16], {**packed, b"": content})


def endpoint(name: str) -> Answer:
    """What answers where this script is asked for."""
    served = script(name)
    tag = f'W/"{served.version}"'.encode()
    always = ((b"etag", tag), (b"vary", b"Accept-Encoding"), (b"cross-origin-resource-policy", b"cross-origin"))

    async def answer(request: Request) -> Reply:
        kept = _KEPT_FOR_EVER if request.query == b"v=" + served.version.encode() else _KEPT_BRIEFLY
        if served.version.encode() in request.headers.get(b"if-none-match", b""):
            return Reply(b"", 304, b"text/javascript; charset=utf-8", always, kept)
        coding = _coding(request.headers.get(b"accept-encoding", b""), served.forms)
        headers = ((b"content-encoding", coding), *always) if coding else always
        return Reply(served.forms[coding], 200, b"text/javascript; charset=utf-8", headers, kept)

    return answer


def _coding(accepted: bytes, forms: Mapping[bytes, bytes]) -> bytes:
    """The best form that the browser takes: `gzip, deflate;q=0.5, br;q=0`."""
    offers = (offer.replace(b" ", b"").lower().partition(b";q=") for offer in accepted.split(b","))
    taken = {name for name, _, weight in offers if weight.strip(b"0.") or not weight}
    return next(coding for coding in forms if coding in taken or not coding)
