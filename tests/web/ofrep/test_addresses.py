"""A field of a query string."""

import pytest

from engine.web.ofrep.addresses import field
from engine.web.refusal import Refused


@pytest.mark.parametrize(
    ("query", "said"),
    [
        (b"", ""),
        (b"a=1", "1"),
        (b"b=2&a=1&a=3", "3"),
        (b"a", ""),
        (b"a=%22x%22", '"x"'),
        (b"b=1", ""),
        (b"\xff=1&a=2", "2"),
    ],
)
def test_the_last_one_counts(query: bytes, said: str) -> None:
    """As everywhere here; what is not there is empty."""
    assert field(query, "a") == said


def test_many_fields_are_refused() -> None:
    """No client sends them."""
    with pytest.raises(Refused):
        field(b"a=1&" * 200, "a")
