"""A request for a decision, read. What lives here: the shapes of body and query, and every reason to refuse one.

What may not: deciding, what headers mean (`surroundings.py`), anything that could make a good request fail later.

1. `read` asks the body or the query; both end in the same `Asked`: what it lets through can be decided, but for a URL
   that is none. `visit` adds what the headers tell, as far as the ruleset in use reads it.
2. One decode function (`profiles.decoding`) knows all that a JSON decoder raises; unknown members are passed over; null
   is absent.
3. The structs are out of the garbage collector's sight (`gc=False`): they live for one request and hold no cycle.
4. Traits that the page sends are bounded as stored ones are (`limits.VALUE_DEPTH`, `limits.VALUE_MEMBERS`).
"""

from collections.abc import Set as AbstractSet
from datetime import UTC, datetime
from typing import Annotated, Any
from urllib.parse import parse_qsl

import msgspec
from msgspec import Meta, Struct

from engine import limits
from engine.profiles.decoding import NotJson, WrongType, decoded
from engine.profiles.ids import is_visitor_id
from engine.profiles.values import BadValue, normalise_traits
from engine.web.refusal import Refused
from engine.web.request import Headers, Request
from engine.web.surroundings import Proxies, device, place
from engine.words import Page, Traits, Visit

_QUERY_FIELDS = 100  # a client sends two to four


class Asked(Struct, frozen=True, gc=False):
    """Who views what. `device` is only what the body itself said; `preview` is the token of a preview link."""

    visitor_id: str
    page: Page
    traits: Traits
    count: int | None = None
    first_seen: datetime | None = None
    new: bool | None = None
    device: dict[str, str] = {}
    preview: str | None = None


class _Page(Struct, gc=False):
    url: str | None = None
    referrer: str | None = None
    title: str | None = None


class _Visit(Struct, gc=False):
    count: Annotated[int, Meta(ge=0, le=2**63 - 1)] | None = None
    first_seen: Annotated[datetime, Meta(tz=True)] | None = None
    new: bool | None = None


class _Device(Struct, gc=False):
    type: str | None = None
    language: str | None = None


class _Body(Struct, gc=False, rename={"visitor_id": "visitorId"}):
    visitor_id: str | None = None
    page: _Page | None = None
    visit: _Visit | None = None
    device: _Device | None = None
    traits: dict[str, Any] | None = None
    preview: str | None = None


_decoder = msgspec.json.Decoder(_Body)


async def read(request: Request) -> Asked:
    """The question of a POST, a GET or a HEAD. Raises `Refused`, `Gone`."""
    if request.method == "POST":
        return from_body(await request.json(limits.DECIDE_BODY_BYTES))
    return from_query(request.query)


def visit(asked: Asked, reads: AbstractSet[str], headers: Headers, peer: str | None, proxies: Proxies) -> Visit:
    """The visit, with device and place from the headers: what a browser says of itself, and what our proxies say.

    `reads` are the roots that any condition asks for; what nobody asks for is not worked out.
    """
    seen = {**device(headers), **asked.device} if "device" in reads else asked.device
    where = place(headers) if "geo" in reads and proxies.trust(peer) else {}
    return Visit(asked.count, asked.first_seen, asked.new, seen, where)


def not_a_url() -> Refused:
    """How a page is refused whose URL turns out to be none."""
    return Refused("bad-url", "Expected `page.url` as browsers show it: https://www.example.com/pricing")


def from_body(body: bytes) -> Asked:
    """The JSON body `{visitorId, page, visit, device, traits, preview}`. Raises `Refused`."""
    try:
        said = decoded(_decoder.decode, body)
    except NotJson as error:
        raise Refused("not-json", f"{error}.") from None
    except WrongType as error:
        raise Refused("wrong-type", f"{error}.") from None
    page, view = said.page, said.visit
    visitor_id = _visitor(said.visitor_id)
    viewed = _page(page.url, page.referrer, page.title) if page else _page(None, None, None)
    traits = _traits(said.traits) if said.traits else {}
    used = _device(said.device) if said.device else {}
    if view is None:
        return Asked(visitor_id, viewed, traits, device=used, preview=said.preview)
    return Asked(visitor_id, viewed, traits, view.count, _utc(view.first_seen), view.new, used, said.preview)


def from_query(query: bytes) -> Asked:
    """The query string `visitorId=…&url=…&referrer=…&title=…&preview=…`. Raises `Refused`."""
    if len(query) > limits.DECIDE_BODY_BYTES:
        raise Refused(
            "url-too-long", f"Expected a query of at most {limits.DECIDE_BODY_BYTES} bytes, got {len(query)}."
        )
    try:
        pairs = parse_qsl(query.decode("utf-8"), keep_blank_values=True, errors="strict", max_num_fields=_QUERY_FIELDS)
    except ValueError:  # UnicodeDecodeError is one
        raise Refused("bad-query", f"Expected at most {_QUERY_FIELDS} percent-encoded UTF-8 fields.") from None
    said = dict(pairs)
    visitor_id = _visitor(said.get("visitorId"))
    viewed = _page(said.get("url"), said.get("referrer"), said.get("title"))
    return Asked(visitor_id, viewed, {}, preview=said.get("preview"))


def _visitor(visitor_id: str | None) -> str:
    if visitor_id is None:
        raise Refused("missing-visitor-id", "Expected `visitorId`: the visitor's first-party cookie.")
    if not is_visitor_id(visitor_id):
        raise Refused("bad-visitor-id", f"Expected 1 to {limits.VISITOR_ID_CHARS} characters of A-Z a-z 0-9 . _ : -")
    return visitor_id


def _page(url: str | None, referrer: str | None, title: str | None) -> Page:
    if not url:
        raise Refused("missing-url", "Expected `page.url`: the address of the page that is viewed.")
    if len(url) > limits.URL_CHARS:
        raise Refused("bad-url", f"Expected a URL of at most {limits.URL_CHARS} characters, got {len(url)}.")
    return Page(url, referrer or "", title or "")


def _traits(said: dict[str, Any]) -> Traits:
    try:
        usable = normalise_traits(said)
    except BadValue as bad:
        raise Refused("bad-traits", f"{bad.within('traits')}.") from None
    return {name: value for name, value in usable.items() if value is not None}


def _device(said: _Device) -> dict[str, str]:
    given = {"type": said.type, "language": said.language}
    return {name: value for name, value in given.items() if value is not None}


def _utc(moment: datetime | None) -> datetime | None:
    try:
        return moment.astimezone(UTC) if moment else None
    except OverflowError:
        raise Refused("wrong-type", "Expected a `visit.first_seen` within the years 1 to 9999, in UTC.") from None
