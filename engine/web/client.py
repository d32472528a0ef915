"""`/client.js` and `/preview.js`: the scripts that run on a website, as files with an address.

What lives here: what a browser is told about keeping them. What may not: visitors, packing (`kept.py`).

1. They are read and packed once, when the app is built. `client.min.js` is made of `client.js` by a tool, and lies
   beside it: what was tested is what is served, and the service needs no tool (tests/web/test_client.py makes it anew).
2. `/client.js` is asked for again after some minutes, so that a new version arrives by itself; most of these questions
   end with 304. `/client.js?v=VERSION` may be kept for ever: VERSION is what the ETag holds, and of another one than is
   served nothing is kept for longer.
"""

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Final

from engine.web.door import Answer, Reply
from engine.web.kept import KEPT_BRIEFLY, Kept, packed, reply
from engine.web.request import Request

SCRIPTS: Final[Mapping[str, str]] = {"client.js": "client.min.js", "preview.js": "preview.js"}

_KEPT_FOR_EVER: Final = b"public, max-age=31536000, immutable"
_FOR_ANY_SITE: Final = ((b"cross-origin-resource-policy", b"cross-origin"),)
_HERE: Final = Path(__file__).parent


@cache
def script(name: str) -> Kept:
    """One of `SCRIPTS`, read from beside this file."""
    return packed((_HERE / SCRIPTS[name]).read_bytes(), b"text/javascript; charset=utf-8")


def endpoint(name: str) -> Answer:
    """What answers where this script is asked for."""
    served = script(name)

    async def answer(request: Request) -> Reply:
        kept = _KEPT_FOR_EVER if request.query == b"v=" + served.version.encode() else KEPT_BRIEFLY
        return reply(served, request.headers, kept, _FOR_ANY_SITE)

    return answer
