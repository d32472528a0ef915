"""What was seen, and the nearest name to one that was not."""

import pytest

from engine.rules.doubts.seen import Seen, SeenTrait

ONE = SeenTrait({"string": 3, "number": 1}, {"number": 2})
SEEN = Seen("the 4 stored records", {"traits": {"employees": ONE, "Company Name": ONE}, "account": {"seats": ONE}})


def test_what_was_seen() -> None:
    """By root and name."""
    assert SEEN.of("traits", "employees") is ONE
    assert SEEN.of("account", "employees") is None
    assert ONE.values == 4


@pytest.mark.parametrize(
    ("root", "name", "nearest"),
    [
        ("traits", "emploees", "did you mean `traits.employees`?"),
        ("traits", "company_name", 'did you mean `traits["Company Name"]`?'),
        ("traits", "seats", "did you mean `account.seats`?"),
        ("account", "EMPLOYEES", "did you mean `traits.employees`?"),
        ("traits", "zip", ""),
    ],
)
def test_the_nearest_name(root: str, name: str, nearest: str) -> None:
    """Other letters, the other root, a slip of the pen; or nothing."""
    assert SEEN.nearest(root, name) == nearest


@pytest.mark.parametrize(
    ("name", "nearest"),
    [
        ("signed_up", "did you mean `Signed Up`?"),
        ("Signed Out", "did you mean `Signed Up`?"),
        ("Demo", ""),
    ],
)
def test_the_nearest_event(name: str, nearest: str) -> None:
    """Other letters, a slip of the pen; or nothing."""
    seen = Seen("the 4 stored records", {}, frozenset({"Signed Up", "Order Completed"}))
    assert seen.nearest_event(name) == nearest
