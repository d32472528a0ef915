"""What a caller says of a page view, checked: whoever sees a `Question` can decide on it. Pure.

1. What is missing is unknown, not empty: rules that ask for it do not match.
2. What is of another type or form is a `QuestionError`. It names the argument and says what would be right; it never
   holds a value of a trait.
3. Traits are bounded as stored ones are, and their None is absent.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final, TypeAlias, TypedDict

from engine import limits
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
    referrer: str
    title: str
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
    referrer: str = "",
    title: str = "",
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
    if type(url) is not str or len(url) > limits.URL_CHARS:
        raise not_a_url()
    if type(referrer) is not str or type(title) is not str:
        raise QuestionError("Expected referrer and title as text.")
    known = _NOTHING if not traits else _traits(traits)
    page = Page(url, referrer, title)
    if not (device_type or language or country or region or city) and (visit_count, first_seen, new) == _NONE:
        return visitor_id, page, _NO_VISIT, known
    visit = Visit(
        None if visit_count is None else _count(visit_count),
        None if first_seen is None else _moment(first_seen),
        None if new is None else bool(new),
        _texts(type=device_type, language=language) if device_type or language else _UNKNOWN,
        _texts(country=country, region=region, city=city) if country or region or city else _UNKNOWN,
    )
    return visitor_id, page, visit, known


def not_a_url() -> QuestionError:
    """How a URL is refused that is none."""
    return QuestionError("Expected url as browsers show it, with its scheme and host: https://www.example.com/pricing")


def _traits(traits: Mapping[str, Any]) -> Traits:
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
        if not isinstance(text, str):
            raise QuestionError(f"Expected {'device_type' if name == 'type' else name} as text.")
        found[name] = text.upper() if name in _CAPITALS else text
    return found
