"""From facts to a page view, as a decider is asked and as a page's address says it. Pure.

What lives here: facts put together into roots. What may not: which facts (`wishes`), messages (`visitor`).

1. Facts are values under paths; a duration among them is a time, so long after the view or before it.
2. `page.query` becomes part of the address; `visit`, `device` and `geo` are what the client and the network tell.
"""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from engine.simulation.values import Facts
from engine.words import Given, Page, Profile, Visit


def view(facts: Facts, url: str, now: datetime, profile: Profile, visits_before: int = 0) -> Given:
    """Who with these facts views this page at `now`; `profile` says who it is, and may know more traits."""
    roots = nested(facts, now)
    page, visit = roots.get("page", {}), roots.get("visit", {})
    count = visit.get("count", 1) + visits_before
    return Given(
        Profile(
            profile.visitor_id,
            {**profile.traits, **roots.get("traits", {})},
            {**profile.account, **roots.get("account", {})},
            user_id=profile.user_id,
            account_id=profile.account_id,
        ),
        Page(_with_query(url, page.get("query", {})), page.get("referrer", ""), page.get("title", "")),
        Visit(
            count,
            new=visit.get("new", count == 1) and not visits_before,
            device=roots.get("device", {}),
            geo=roots.get("geo", {}),
        ),
        now,
    )


def nested(facts: Facts, now: datetime) -> dict[str, Any]:
    """The facts as objects in objects, by root."""
    roots: dict[str, Any] = {}
    for path in sorted(facts, key=len):
        within = roots
        for name in path[:-1]:
            below = within.get(name)
            if not isinstance(below, dict):
                below = within[name] = {}
            within = below
        within[path[-1]] = _at(now, facts[path])
    return roots


def _at(now: datetime, value: Any) -> Any:
    if isinstance(value, timedelta):
        return (now + value).astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return value


def _with_query(url: str, query: Mapping[str, Any]) -> str:
    if not query:
        return url
    return f"{url}{'&' if '?' in url else '?'}{urlencode(query)}"
