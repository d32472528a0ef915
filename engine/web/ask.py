"""A request for a decision, read. What lives here: the shapes of body and query, and every reason to refuse one.

What may not: deciding, headers, anything that a well-formed request could make fail later.

1. `from_body` and `from_query` end in the same `Asked`: what they let through can be decided, but for a URL
   that is none.
2. One decode function knows all that a JSON decoder raises; unknown members are passed over; null is absent.
3. The structs are out of the garbage collector's sight (`gc=False`): they live for one request and hold no cycle.
4. Traits that the page sends are bounded as stored ones are (`limits.VALUE_DEPTH`, `limits.VALUE_MEMBERS`).
"""

from datetime import UTC, datetime
from typing import Annotated, Any
from urllib.parse import parse_qsl

import msgspec
from msgspec import Meta, Struct

from engine import limits
from engine.profiles.ids import is_visitor_id
from engine.profiles.values import BadValue, normalise_traits
from engine.web.refusal import Refused
from engine.words import Page, Traits

_QUERY_FIELDS = 100  # a client sends two to four


class Asked(Struct, frozen=True, gc=False):
    """Who views what. `device` is only what the body itself said."""

    visitor_id: str
    page: Page
    traits: Traits
    count: int | None = None
    first_seen: datetime | None = None
    new: bool | None = None
    device: dict[str, str] = {}


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


_decoder = msgspec.json.Decoder(_Body)


def from_body(body: bytes) -> Asked:
    """The JSON body `{visitorId, page, visit, device, traits}`. Raises `Refused`."""
    said = _decoded(body)
    page, visit = said.page, said.visit
    visitor_id = _visitor(said.visitor_id)
    viewed = _page(page.url, page.referrer, page.title) if page else _page(None, None, None)
    traits = _traits(said.traits) if said.traits else {}
    device = _device(said.device) if said.device else {}
    if visit is None:
        return Asked(visitor_id, viewed, traits, device=device)
    return Asked(visitor_id, viewed, traits, visit.count, _utc(visit.first_seen), visit.new, device)


def from_query(query: bytes) -> Asked:
    """The query string `visitorId=…&url=…&referrer=…&title=…`. Raises `Refused`."""
    if len(query) > limits.DECIDE_BODY_BYTES:
        raise Refused(
            "url-too-long", f"Expected a query of at most {limits.DECIDE_BODY_BYTES} bytes, got {len(query)}."
        )
    try:
        pairs = parse_qsl(query.decode("utf-8"), keep_blank_values=True, errors="strict", max_num_fields=_QUERY_FIELDS)
    except ValueError:  # UnicodeDecodeError is one
        raise Refused("bad-query", f"Expected at most {_QUERY_FIELDS} percent-encoded UTF-8 fields.") from None
    said = dict(pairs)
    return Asked(_visitor(said.get("visitorId")), _page(said.get("url"), said.get("referrer"), said.get("title")), {})


def _decoded(body: bytes) -> _Body:
    """The body as the shape above. A JSON decoder raises three kinds of error, and all are the client's."""
    try:
        return _decoder.decode(body)
    except msgspec.ValidationError as error:
        raise Refused("wrong-type", f"{error}.") from None
    except msgspec.DecodeError as error:
        raise Refused("not-json", f"{error}.") from None
    except UnicodeDecodeError as error:
        raise Refused("not-json", f"The body is not UTF-8: {error.reason}.") from None
    except RecursionError:
        raise Refused("not-json", "The body is nested too deeply.") from None


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
        raise Refused("bad-traits", f"{bad.args[0]}.") from None
    return {name: value for name, value in usable.items() if value is not None}


def _device(said: _Device) -> dict[str, str]:
    given = {"type": said.type, "language": said.language}
    return {name: value for name, value in given.items() if value is not None}


def _utc(moment: datetime | None) -> datetime | None:
    try:
        return moment.astimezone(UTC) if moment else None
    except OverflowError:
        raise Refused("wrong-type", "Expected a `visit.first_seen` within the years 1 to 9999, in UTC.") from None
