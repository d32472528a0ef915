"""Segment's names, as go-snakecase makes them."""

import pytest

from engine.lift.snakecase import snakecase, stored_name


@pytest.mark.parametrize(
    ("name", "column"),
    [
        ("audienceSegment", "audience_segment"),
        ("Mutiny Experience Viewed", "mutiny_experience_viewed"),
        ("HTTPServer", "httpserver"),
        ("isVIPUser", "is_vipuser"),
        ("A/B Test", "a_b_test"),
        ("already_snake2", "already_snake2"),
        ("Billing  Address--countryCode", "billing_address_country_code"),
        ("plan2", "plan2"),
        ("Größe", "gre"),
        ("___", ""),
    ],
)
def test_names(name, column):
    """As the destination spells them."""
    assert snakecase(name) == column


def test_names_that_would_begin_with_a_digit():
    """Have `_` before them; one within another does not begin."""
    assert stored_name("2nd Purchase") == "_2nd_purchase"
    assert stored_name("plan", "2nd") == "plan_2nd"
    assert stored_name("___") == ""
