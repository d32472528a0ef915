"""Trouble with Salesforce, as few kinds as somebody can act on."""

from engine.salesforce.trouble import (
    Busy,
    LimitReached,
    MirrorBroken,
    NotLetIn,
    Refused,
    SalesforceTrouble,
    Unreachable,
)


def test_all_of_it_is_one_kind() -> None:
    """Who only tells it needs to know one name; a refusal also has Salesforce's own word."""
    for kind in (NotLetIn, Unreachable, LimitReached, MirrorBroken, Busy):
        assert str(kind("what; what to do")) == "what; what to do"
        assert issubclass(kind, SalesforceTrouble)
    assert Refused("MALFORMED_QUERY", "so").code == "MALFORMED_QUERY"
