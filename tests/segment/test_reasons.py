"""Codes are stable words, and every reason has one."""

import pytest

from engine.segment.reasons import REASONS, Unacceptable


def test_codes_are_stable_words() -> None:
    """Kebab-case, since scripts compare them."""
    assert all(code.replace("-", "").isalpha() and code.islower() for code in REASONS)


@pytest.mark.parametrize("code", REASONS)
def test_what_a_code_means_is_one_line(code: str) -> None:
    """A title: no full stop, no line break."""
    assert REASONS[code].isprintable()
    assert not REASONS[code].endswith(".")


def test_what_is_not_acceptable_says_so() -> None:
    """For programs, for people, and in one line for a log."""
    refused = Unacceptable("too-deep", "nested deeper than 32")
    assert (refused.code, refused.message, str(refused)) == (
        "too-deep",
        "nested deeper than 32",
        "too-deep: nested deeper than 32",
    )
