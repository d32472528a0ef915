"""Segment's names, as go-snakecase makes them."""

import pytest

from engine.lift.snakecase import snakecase


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
