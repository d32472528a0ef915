"""`/docs`: the page, answered with the origin of who asks.

What lives here: the origin, and what browsers are told. What may not: what stands on the page.

1. The curl lines hold the origin under which the page was asked for, so that they can be copied as they are: `Host`,
   and `X-Forwarded-Proto` where a trusted proxy says it. A `Host` that is none is not repeated to anybody.
2. The page of an origin is packed once; a service has few. A page that is kept is asked about each time (304).
"""

from functools import lru_cache
from typing import Final

import re2

from engine.web.docs.curl import ORIGIN
from engine.web.docs.html import element, text
from engine.web.docs.page import POLICY, page
from engine.web.door import Answer, Reply
from engine.web.kept import Kept, packed, reply
from engine.web.openapi.operation import Json
from engine.web.request import Request
from engine.web.surroundings import Proxies

_HOST: Final = re2.compile(r"[A-Za-z0-9.-]{1,253}(:[0-9]{1,5})?|\[[0-9A-Fa-f:.]{2,45}\](:[0-9]{1,5})?")
_ELSEWHERE: Final = "edge.example.com"
_ORIGINS: Final = 16  # whose pages are kept: a service has one or two names
_QUALITY: Final = 5  # while somebody waits: two milliseconds
_CACHE: Final = b"no-cache"  # may be kept, and is asked about before it is shown
_HEADERS: Final = (
    (b"content-security-policy", POLICY.encode()),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-resource-policy", b"same-origin"),
)


def endpoint(said: Json, proxies: Proxies) -> Answer:
    """What answers at `/docs`."""
    whole = page(said)

    @lru_cache(maxsize=_ORIGINS)
    def kept(origin: str) -> Kept:
        shown = element("span", text(origin), class_="origin")
        return packed(whole.replace(ORIGIN, shown).encode(), b"text/html; charset=utf-8", quality=_QUALITY)

    async def answer(request: Request) -> Reply:
        return reply(kept(origin_of(request, proxies)), request.headers, _CACHE, _HEADERS)

    return answer


def origin_of(request: Request, proxies: Proxies) -> str:
    """The origin under which this service was asked."""
    host = request.headers.get(b"host", b"").decode("latin-1")
    if not _HOST.fullmatch(host):
        host = _ELSEWHERE
    forwarded = request.headers.get(b"x-forwarded-proto", b"") if proxies.trust(request.peer) else b""
    return f"{'https' if forwarded.lower() == b'https' else 'http'}://{host}"
