"""What the tests of this room share: a visitor with a value of each kind, and a shorthand for evaluation."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from engine.cel.oracle import truth
from engine.cel.parse import parse

NOW = datetime(2026, 11, 23, 15, 0, 0, 123456, tzinfo=UTC)

VISITOR: dict[str, dict[str, Any] | datetime] = {
    "traits": {"plan": "free", "employees": 12, "score": 1.5, "customer": False, "tags": ["a", "b"], "since": NOW},
    "account": {"industry": "SaaS"},
    "salesforce": {"lead": {}, "contact": {"Industry": "Fintech", "LastActivity": NOW}},
    "page": {"url": "https://www.example.com/", "host": "www.example.com", "path": "/", "query": {"utm": "x"}},
    "visit": {"count": 3, "new": False},
    "device": {"type": "desktop"},
    "geo": {},
    "now": NOW,
}


@pytest.fixture
def visitor() -> dict[str, dict[str, Any] | datetime]:
    """A visitor of whom something of every kind is known."""
    return VISITOR


@pytest.fixture
def now() -> datetime:
    """The time of the visit."""
    return NOW


@pytest.fixture
def ask() -> Callable[[str], bool | None]:
    """The truth of a condition about that visitor."""
    return lambda text: truth(parse(text), VISITOR)
