"""An evaluation context, read: who is meant, which page, what else is known. Pure functions over what was sent.

1. `targetingKey` is the visitor id. It is the join to what Segment said of them, and every draw hangs on it: what
   cannot be one is refused, not made into another.
2. The page, the visit and the device are said as at `/v1/decide`, as objects (`page: {url, referrer, title}`,
   `visit: {count, first_seen, new}`, `device: {type, language}`) or member by member (`page.url`, `visit.count`), which
   is what contexts without objects can hold; `url` and `referrer` alone are the page's too. Of what is said twice the
   fullest name counts, and only that is looked at: `page.url`, else `url`, else the object. Under the names of the
   objects anything that is none is a trait like any other: contexts are shared, and `device: "ios"` was not meant for
   us.
3. `anonymousId` is for the program's own hook, which sends under it what was seen; nothing is made of it here.
4. Everything else is a trait, and lies under the stored ones. `title` alone is one: Segment's, a job. Members of
   `traits` are traits too, whatever their names.
5. Null is absent. A page need not be said.
"""

from collections.abc import Mapping
from typing import Any, Final

import msgspec
from msgspec import Struct

from engine import limits
from engine.profiles.decoding import NotJson, WrongType, decoded
from engine.profiles.ids import is_visitor_id
from engine.web.ask import Asked, PageSaid, Said, settle_count, understood
from engine.web.refusal import Refused

HOOKS: Final = "anonymousId"
_OURS: Final = ("page", "visit", "device")
# What is said member by member: whose member it is, and under which name. Of two for one the later counts.
MEMBERS: Final[Mapping[str, tuple[str, str]]] = {
    "url": ("page", "url"),
    "referrer": ("page", "referrer"),
    "page.url": ("page", "url"),
    "page.referrer": ("page", "referrer"),
    "page.title": ("page", "title"),
    "visit.count": ("visit", "count"),
    "visit.first_seen": ("visit", "first_seen"),
    "visit.new": ("visit", "new"),
    "device.type": ("device", "type"),
    "device.language": ("device", "language"),
}


class _Body(Struct, gc=False):
    context: dict[str, Any] | None = None


_body = msgspec.json.Decoder(_Body).decode
_said = msgspec.json.Decoder(Said).decode


def read(body: bytes) -> Asked:
    """The question of a body `{"context": {…}}`; its page has no URL where none was said. Raises `Refused`."""
    try:
        context = decoded(_body, body).context or {}
        visitor_id = _visitor_id(context.pop("targetingKey", None))
        context.pop(HOOKS, None)
        ours, traits = _parted(context)
        settle_count(ours["visit"])
        said = decoded(_said, msgspec.json.encode(ours))
    except NotJson as error:
        raise Refused("not-json", f"{error}.") from None
    except WrongType as error:
        raise Refused("wrong-type", f"{error}.") from None
    said.traits = traits
    return understood(said, visitor_id, _page(said))


def not_a_url() -> Refused:
    """How a page is refused whose URL turns out to be none."""
    return Refused("bad-url", "Expected `url` as browsers show it: https://www.example.com/pricing")


def _visitor_id(said: object) -> str:
    if said is None or said == "":
        raise Refused("missing-visitor-id", "Expected `targetingKey` in the context: the visitor's id.")
    if type(said) is not str or not is_visitor_id(said):
        expected = f"1 to {limits.VISITOR_ID_CHARS} characters of A-Z a-z 0-9 . _ : -"
        raise Refused("bad-visitor-id", f"Expected `targetingKey` to be the visitor's id: {expected}")
    return said


def _page(said: Said) -> PageSaid:
    page = said.page or PageSaid()
    if page.url is not None and not 0 < len(page.url) <= limits.URL_CHARS:
        raise Refused("bad-url", f"Expected a `url` of 1 to {limits.URL_CHARS} characters, got {len(page.url)}.")
    return page


def _parted(context: dict[str, Any]) -> tuple[dict[str, dict[str, Any]], dict[str, Any]]:
    """What is said of page, visit and device, and the traits."""
    ours: dict[str, dict[str, Any]] = {name: {} for name in _OURS}
    for name in _OURS:
        if type(context.get(name)) is dict:
            ours[name] = context.pop(name)
    more = context.pop("traits") if type(context.get("traits")) is dict else {}
    for name, (of, member) in MEMBERS.items():
        value = context.pop(name, None)
        if value is not None:
            ours[of][member] = value
    traits = {name: value for name, value in context.items() if value is not None}
    return ours, {**traits, **more}
