"""What an id may be, and the keys made of it."""

from typing import get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.profiles.ids import BadId, Kind, id_of, is_visitor_id, key, kind_of, prefix

KINDS: tuple[Kind, ...] = get_args(Kind)
IDS = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=100)


@pytest.mark.parametrize("text", ["a", "b5c9-AZ_09.:", "x" * 128])
def test_a_cookie_of_the_small_alphabet_is_a_visitor_id(text: str) -> None:
    """1 to 128 of letters, digits and `._:-`."""
    assert is_visitor_id(text)


@pytest.mark.parametrize("text", ["", "x" * 129, "a b", "a\n", "a/b", "é", "a\x00", "\ud800", "a%20", "１"])
def test_anything_else_is_no_visitor_id(text: str) -> None:
    """Empty, too long, a space, a line end, other alphabets, half a character: none of them is one."""
    assert not is_visitor_id(text)


@settings(deadline=None)
@given(kind=st.sampled_from(KINDS), id_=IDS)
def test_a_key_gives_back_what_it_was_made_of(kind: Kind, id_: str) -> None:
    """Kind and id can be read off a key, and the key starts with its kind's prefix."""
    made = key(kind, id_)
    assert (kind_of(made), id_of(made)) == (kind, id_)
    assert made.startswith(prefix(kind))


@settings(deadline=None)
@given(st.tuples(st.sampled_from(KINDS), IDS), st.tuples(st.sampled_from(KINDS), IDS))
def test_two_identities_never_share_a_key(one: tuple[Kind, str], other: tuple[Kind, str]) -> None:
    """User `7` and group `7` are two records."""
    assert (key(*one) == key(*other)) == (one == other)


@pytest.mark.parametrize(
    ("id_", "why"),
    [("", "the user id is empty"), ("é" * 241, "longer than 480 bytes"), ("\ud800", "no valid Unicode")],
)
def test_an_id_that_cannot_be_one_is_refused_with_the_reason(id_: str, why: str) -> None:
    """Empty, longer than a store's keys, not encodable."""
    with pytest.raises(BadId, match=why):
        key("user", id_)


def test_the_longest_id_is_one() -> None:
    """480 bytes are taken."""
    assert id_of(key("user", "é" * 240)) == "é" * 240
