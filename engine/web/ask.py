"""A request for a decision, read. What lives here: the shapes of body and query, and every reason to refuse one.

What may not: deciding, what headers mean (`surroundings.py`), anything that could make a good request fail later.

1. `read` asks the body or the query; both end in the same `Asked`: what it lets through can be decided, but for a URL
   that is none. `visit` adds what the headers tell, as far as the ruleset in use reads it.
2. One decode function (`profiles.decoding`) knows all that a JSON decoder raises; unknown members are passed over; null
   is absent. A whole number may be written with a point (`4.0`), as whoever has all numbers as doubles writes it.
3. The structs are out of the garbage collector's sight (`gc=False`): they live for one request and hold no cycle.
4. Traits that the page sends are bounded as stored ones are (`limits.VALUE_DEPTH`, `limits.VALUE_MEMBERS`).
5. What is wrong is told under the name that it has where it was said (`Names`): a member, a field of the query, an
   option of the command line.
"""

from collections.abc import Set as AbstractSet
from datetime import UTC, datetime
from typing import Annotated, Any, Final
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


class Names(Struct, frozen=True, gc=False):
    """What the visitor's id and the page's address are called where they are said, in its notation."""

    visitor_id: str
    url: str


IN_BODY: Final = Names("`visitorId`", "`page.url`")
IN_QUERY: Final = Names("`visitorId`", "`url`")


class Asked(Struct, frozen=True, gc=False):
    """Who views what. `device` is only what the body itself said; `preview` is the token of a preview link; `names`
    are for what turns out wrong later.
    """

    visitor_id: str
    page: Page
    traits: Traits
    count: int | None = None
    first_seen: datetime | None = None
    new: bool | None = None
    device: dict[str, str] = {}
    preview: str | None = None
    names: Names = IN_BODY


class PageSaid(Struct, gc=False):
    """A page as a body says it."""

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


class Said(Struct, gc=False, rename={"visitor_id": "visitorId"}):
    """A body `{visitorId, page, visit, device, traits, preview}`: as it came, of the right types."""

    visitor_id: str | None = None
    page: PageSaid | None = None
    visit: _Visit | None = None
    device: _Device | None = None
    traits: dict[str, Any] | None = None
    preview: str | None = None


_decode = msgspec.json.Decoder(Said).decode
_any = msgspec.json.Decoder().decode
_NOTHING: dict[str, str] = {}  # shared, and never written to


async def read(request: Request) -> Asked:
    """The question of a POST, a GET or a HEAD. Raises `Refused`, `Gone`."""
    if request.method == "POST":
        return from_body(await request.json(limits.DECIDE_BODY_BYTES))
    return from_query(request.query)


def visit(asked: Asked, reads: AbstractSet[str], headers: Headers, peer: str | None, proxies: Proxies) -> Visit:
    """The visit, with device and place from the headers: what a browser says of itself, and what our proxies say.

    `reads` are the roots that any condition asks for; what nobody asks for is not worked out.
    """
    if not reads:
        return Visit(asked.count, asked.first_seen, asked.new, asked.device, _NOTHING)
    seen = {**device(headers), **asked.device} if "device" in reads else asked.device
    where = place(headers) if "geo" in reads and proxies.trust(peer) else {}
    return Visit(asked.count, asked.first_seen, asked.new, seen, where)


def not_a_url(names: Names) -> Refused:
    """How a page is refused whose URL turns out to be none."""
    return Refused("bad-url", f"Expected {names.url} as browsers show it: https://www.example.com/pricing")


def said_in(body: bytes) -> Said:
    """What a body says. Raises `Refused` where it has another shape, or is no JSON."""
    try:
        return _decode(body)
    except Exception:  # noqa: BLE001 - whatever it is, it is told below
        return _decoded_anyhow(body)


def from_body(body: bytes, names: Names = IN_BODY) -> Asked:
    """The question of a JSON body. Raises `Refused`."""
    return question(said_in(body), names)


def question(said: Said, names: Names = IN_BODY) -> Asked:
    """The question, if it is one that can be decided. Raises `Refused`."""
    page, visitor_id = said.page, said.visitor_id
    if visitor_id is None or not is_visitor_id(visitor_id):
        raise _no_visitor(visitor_id, names)
    if page is None or not page.url or len(page.url) > limits.URL_CHARS:
        raise _no_page(page.url if page else None, names)
    return understood(said, visitor_id, page, names)


def understood(said: Said, visitor_id: str, page: PageSaid, names: Names = IN_BODY) -> Asked:
    """As `question`, once id and page were looked at. Raises `Refused`."""
    view = said.visit
    viewed = Page(page.url or "", page.referrer or "", page.title or "")
    traits = _traits(said.traits) if said.traits else {}
    used = _device(said.device) if said.device else _NOTHING
    if view is None:
        return Asked(visitor_id, viewed, traits, None, None, None, used, said.preview, names)
    first_seen = _utc(view.first_seen) if view.first_seen else None
    return Asked(visitor_id, viewed, traits, view.count, first_seen, view.new, used, said.preview, names)


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
    visitor_id = said.get("visitorId")
    if visitor_id is None or not is_visitor_id(visitor_id):
        raise _no_visitor(visitor_id, IN_QUERY)
    url = said.get("url")
    if not url or len(url) > limits.URL_CHARS:
        raise _no_page(url, IN_QUERY)
    viewed = Page(url, said.get("referrer", ""), said.get("title", ""))
    return Asked(visitor_id, viewed, {}, preview=said.get("preview"), names=IN_QUERY)


def _decoded_anyhow(body: bytes) -> Said:
    """What the body says once it is mended, or what is wrong with it. Raises `Refused`."""
    try:
        return decoded(_decode_leniently, body)
    except NotJson as error:
        raise Refused("not-json", f"{error}.") from None
    except WrongType as error:
        raise Refused("wrong-type", f"{error}.") from None


def _decode_leniently(body: bytes) -> Said:
    try:
        return _decode(body)
    except msgspec.ValidationError:
        try:
            said = _any(body)
        except (ValueError, RecursionError):
            said = None
        if type(said) is dict and settle_count(said.get("visit")):
            return msgspec.convert(said, Said)
        raise


def settle_count(view: object) -> bool:
    """Make the count of a visit that was written `4.0` the whole number that it is; was it?"""
    if type(view) is not dict or type(count := view.get("count")) is not float or not count.is_integer():
        return False
    view["count"] = int(count)
    return True


def _no_visitor(visitor_id: str | None, names: Names) -> Refused:
    if visitor_id is None:
        return Refused("missing-visitor-id", f"Expected {names.visitor_id}: the visitor's first-party cookie.")
    expected = f"1 to {limits.VISITOR_ID_CHARS} characters of A-Z a-z 0-9 . _ : -"
    return Refused("bad-visitor-id", f"Expected {names.visitor_id} of {expected}")


def _no_page(url: str | None, names: Names) -> Refused:
    if not url:
        return Refused("missing-url", f"Expected {names.url}: the address of the page that is viewed.")
    return Refused("bad-url", f"Expected {names.url} of at most {limits.URL_CHARS} characters, got {len(url)}.")


def _traits(said: dict[str, Any]) -> Traits:
    try:
        usable = normalise_traits(said)
    except BadValue as bad:
        raise Refused("bad-traits", f"{bad.within('traits')}.") from None
    return {name: value for name, value in usable.items() if value is not None}


def _device(said: _Device) -> dict[str, str]:
    given = {"type": said.type, "language": said.language}
    return {name: value for name, value in given.items() if value is not None}


def _utc(moment: datetime) -> datetime:
    try:
        return moment.astimezone(UTC)
    except OverflowError:
        raise Refused("wrong-type", "Expected a `visit.first_seen` within the years 1 to 9999, in UTC.") from None
