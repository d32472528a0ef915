"""Who a browser says that it is, by the cookies that `client.js`, a server and analytics.js keep. Pure but for new ids.

1. `mutiny_edge` is `id~first seen~visits~last seen~choice`, times in milliseconds, as `client.js` writes it; a server
   writes the id alone. Anybody can write a cookie: what is no id becomes a new visitor, what is no number is unknown.
2. Who opted out (`~out`), or whose browser sends Global Privacy Control, is nobody: no id, so no decision, no tracking
   call and no cookie.
3. A visit is over after half an hour without a page view, as `client.js` counts.
4. What is sent of a visitor goes out under analytics.js' anonymous id where there is one, else under the visitor's own:
   so exposures of the server and conversions in the browser are one person's.
"""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Final
from urllib.parse import unquote
from uuid import uuid4

from msgspec import Struct

from engine.profiles.ids import is_visitor_id

COOKIE: Final = "mutiny_edge"
_ANONYMOUS: Final = "ajs_anonymous_id"
_VISIT: Final = timedelta(minutes=30)
_NUMBER_DIGITS: Final = 15  # milliseconds far beyond the year 9999


class Visitor(Struct, frozen=True):
    """Who is there. `id` None: they opted out, so neither decide nor track, and set no cookie.

    `is_new`: the id was made just now; set it as the cookie `mutiny_edge`, or they are somebody else on the next page.
    `anonymous_id` is what tracking calls go out under. `visit_count` and `first_seen` are for `Engine.decide`.
    """

    id: str | None
    anonymous_id: str = ""
    is_new: bool = False
    visit_count: int | None = None
    first_seen: datetime | None = None


def visitor(cookies: Mapping[str, str], sec_gpc: str | None, now: datetime) -> Visitor:
    """The visitor with these cookies; `sec_gpc` is the header `Sec-GPC`."""
    id_, *state = cookies.get(COOKIE, "").split("~")
    if state[:1] == ["out"] or sec_gpc == "1":
        return Visitor(None)
    anonymous_id = unquote(cookies.get(_ANONYMOUS, "")).replace('"', "")
    if not is_visitor_id(id_):
        id_ = str(uuid4())
        return Visitor(id_, anonymous_id or id_, is_new=True, visit_count=1, first_seen=now)
    first, visits, last = (_number(text) for text in [*state, "", "", ""][:3])
    seen, last_seen = _moment(first), _moment(last)
    if not visits or seen is None or last_seen is None:
        return Visitor(id_, anonymous_id or id_)
    return Visitor(id_, anonymous_id or id_, visit_count=visits + (now - last_seen > _VISIT), first_seen=min(seen, now))


def _number(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() and len(text) <= _NUMBER_DIGITS else None


def _moment(milliseconds: int | None) -> datetime | None:
    try:
        return None if milliseconds is None else datetime.fromtimestamp(milliseconds / 1_000, UTC)
    except (OverflowError, OSError, ValueError):
        return None
