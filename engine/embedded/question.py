"""What a caller says of a page view, checked: whoever sees a `Question` can decide on it. Pure.

1. What is missing is unknown, not empty: rules that ask for it do not match. None is missing, of all but id and URL.
2. What is of another type or form is a `QuestionError`. It names the argument and says what would be right; it never
   holds a value of a trait.
3. Traits are bounded as stored ones are, and their None is absent.
4. A URL that is too long to decide on is cut (`address`); any other is looked at when it is decided.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final, TypeAlias, TypedDict

from engine import limits
from engine.embedded.address import as_browsers_send
from engine.profiles.ids import is_visitor_id
from engine.profiles.values import BadValue, normalise_traits
from engine.words import Page, Traits, Visit

_COUNT_MOST: Final = 2**63 - 1  # what CEL's int can hold
_NONE: Final = (None, None, None)
_NO_VISIT: Final = Visit()
_UNKNOWN: Final[dict[str, str]] = {}  # shared, and never written to
_CAPITALS: Final = frozenset({"country", "region"})
_NOTHING: Final[Traits] = {}  # shared, and never written to


Question: TypeAlias = tuple[str, Page, Visit, Traits]  # who views what, as far as it is known


class QuestionError(ValueError):
    """What was asked cannot be decided; the text says which argument is wrong, and what would be right."""


class View(TypedDict, total=False):
    """The keyword arguments of `Engine.decide`; `url` is needed."""

    url: str
    referrer: str | None
    title: str | None
    visit_count: int | None
    first_seen: datetime | None
    new: bool | None
    device_type: str | None
    language: str | None
    country: str | None
    region: str | None
    city: str | None
    traits: Mapping[str, Any] | None


def question(
    visitor_id: str,
    *,
    url: str,
    referrer: str | None = "",
    title: str | None = "",
    visit_count: int | None = None,
    first_seen: datetime | None = None,
    new: bool | None = None,
    device_type: str | None = None,
    language: str | None = None,
    country: str | None = None,
    region: str | None = None,
    city: str | None = None,
    traits: Mapping[str, Any] | None = None,
) -> Question:
    """The question. Raises QuestionError; whether `url` is one turns out when it is decided."""
    if type(visitor_id) is not str or not is_visitor_id(visitor_id):
        raise QuestionError(
            f"Expected visitor_id of 1 to {limits.VISITOR_ID_CHARS} characters of A-Z a-z 0-9 . _ : -; "
            "`Engine.visitor(cookies)` finds or makes one, None where the visitor opted out."
        )
    if not isinstance(url, str):
        raise not_a_url()
    url = _text("url", url)
    if len(url) > limits.URL_CHARS:
        url = as_browsers_send(url)
    known = _NOTHING if traits is None else _traits(traits)
    page = Page(
        url,
        "" if referrer is None else _text("referrer", referrer),
        "" if title is None else _text("title", title),
    )
    if not (device_type or language or country or region or city) and (visit_count, first_seen, new) == _NONE:
        return visitor_id, page, _NO_VISIT, known
    visit = Visit(
        None if visit_count is None else _count(visit_count),
        None if first_seen is None else _moment(first_seen),
        None if new is None else _new(new),
        _texts(type=device_type, language=language) if device_type or language else _UNKNOWN,
        _texts(country=country, region=region, city=city) if country or region or city else _UNKNOWN,
    )
    return visitor_id, page, visit, known


def not_a_url() -> QuestionError:
    """How a URL is refused that is none."""
    return QuestionError("Expected url as browsers show it, with its scheme and host: https://www.example.com/pricing")


def _text(name: str, text: object) -> str:
    if not isinstance(text, str):
        raise QuestionError(f"Expected {name} as text.")
    return text if type(text) is str else str.__str__(text)


def _new(new: object) -> bool:
    if type(new) is not bool:
        raise QuestionError("Expected new as True or False: whether this is the first visit.")
    return new


def _traits(traits: Mapping[str, Any]) -> Traits:
    if not isinstance(traits, Mapping):
        raise QuestionError('Expected traits as a mapping of names to values: {"employees": 12}.')
    try:
        usable = normalise_traits(dict(traits))
    except BadValue as bad:
        raise QuestionError(f"{bad.within('traits')}.") from None
    return {name: value for name, value in usable.items() if value is not None}


def _count(count: int) -> int:
    if type(count) is int and 0 <= count <= _COUNT_MOST:
        return count
    raise QuestionError("Expected visit_count as a whole number from 0: the how many-th visit this is.")


def _moment(moment: datetime) -> datetime:
    wanted = "Expected first_seen as a datetime with a time zone: datetime.now(UTC)"
    if not isinstance(moment, datetime) or moment.tzinfo is None:
        raise QuestionError(wanted)
    try:
        return moment.astimezone(UTC)
    except OverflowError:
        raise QuestionError(wanted) from None


def _texts(**said: str | None) -> dict[str, str]:
    """The texts that are there, by their name in rules; codes of countries and regions in capitals, as CDNs do."""
    found = {}
    for name, text in said.items():
        if not text:
            continue
        as_text = _text("device_type" if name == "type" else name, text)
        found[name] = as_text.upper() if name in _CAPITALS else as_text
    return found
