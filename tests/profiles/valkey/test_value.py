"""The bytes of a value: what comes back, what is damaged, where it leads, what may expire."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.profiles.encoding import merged
from engine.profiles.ids import Key, key
from engine.profiles.record import Change
from engine.profiles.store import DAMAGED
from engine.profiles.valkey import value

ANN, BOB, USER = key("visitor", "ann"), key("visitor", "bob"), key("user", "7")
KEYS = st.binary(max_size=490)


def body(key_: Key, *changes: Change) -> bytes:
    """The record that these changes make."""
    made = merged(None, [Change(key_, 1), *changes])
    assert made is not None
    return made


@given(st.binary(min_size=1, max_size=490), st.binary(), st.lists(KEYS, max_size=value.ROUTE_KEYS))
def test_what_was_packed_comes_back(key_: bytes, content: bytes, route: list[bytes]) -> None:
    """Body and route."""
    raw = value.packed(Key(key_), content, route)
    assert value.unpacked(Key(key_), raw) == content
    assert value.route(raw) == tuple(route)


@given(st.data(), st.binary(max_size=50), st.lists(st.binary(max_size=9), max_size=3))
def test_any_flipped_bit_is_damage(data: st.DataObject, content: bytes, route: list[bytes]) -> None:
    """And so is what is cut short, longer, or another person's."""
    raw = value.packed(ANN, content, route)
    place = data.draw(st.integers(0, len(raw) * 8 - 1))
    flipped = bytearray(raw)
    flipped[place // 8] ^= 1 << place % 8
    assert value.unpacked(ANN, bytes(flipped)) is DAMAGED
    assert value.unpacked(ANN, raw[: data.draw(st.integers(0, len(raw) - 1))]) is DAMAGED
    assert value.unpacked(ANN, raw + b"\0") is DAMAGED
    assert value.unpacked(BOB, raw) is DAMAGED


@pytest.mark.parametrize(
    ("links", "traits", "route"),
    [
        ({}, {}, ()),
        ({"user": "7"}, {}, (b"u:7",)),
        ({"group": "g"}, {}, (b"g:g",)),
        ({"user": "7", "group": "g"}, {}, (b"u:7", b"g:g")),
        ({}, {"email": " A@b.c"}, (b"", b"l:a@b.c", b"c:a@b.c")),
        ({"user": "7"}, {"email": "a@b.c"}, (b"u:7", b"l:a@b.c", b"c:a@b.c")),
        ({}, {"email": 7}, ()),
    ],
)
def test_a_record_leads_to_what_a_reader_wants_next(links: dict, traits: dict, route: tuple[bytes, ...]) -> None:
    """First the record that it leads to, or nothing; then its account and the Salesforce records of its email."""
    assert value.own_route(ANN, body(ANN, Change(ANN, 1, {"x": 1} | traits, links))) == route
    assert value.own_route(key("group", "g"), body(ANN, Change(ANN, 1, {"x": 1} | traits, links))) == ()


def test_what_is_no_record_leads_nowhere() -> None:
    """It is not this room's to say that it is none; and it does not expire."""
    assert value.own_route(ANN, b"no record") == ()
    assert not value.may_expire(ANN, b"no record")


def test_the_route_of_a_chain_is_all_that_its_records_lead_to() -> None:
    """Each key once, what the first leads to first."""
    of_ann = body(ANN, Change(ANN, 1, {}, {"user": "7"}))
    of_user = body(USER, Change(USER, 1, {"email": "a@b.c"}, {"group": "g"}))
    assert value.along([(ANN, of_ann), (USER, of_user)]) == (b"u:7", b"g:g", b"l:a@b.c", b"c:a@b.c")
    assert value.along([(ANN, body(ANN, Change(ANN, 1, {"x": 1})))]) == ()
    assert value.leading((b"u:7", b"", b"l:x", b"g:g", b"c:x")) == [b"u:7", b"g:g"]


def test_hints_are_kept_while_the_record_leads_where_it_led() -> None:
    """And given up once it does not."""
    of_ann = body(ANN, Change(ANN, 1, {"n": 1}, {"user": "7"}))
    assert value.kept(ANN, of_ann, (b"u:7", b"g:g")) == (b"u:7", b"g:g")
    assert value.kept(ANN, of_ann, (b"u:8", b"g:g")) == (b"u:7",)
    assert value.kept(ANN, of_ann, ()) == (b"u:7",)


@pytest.mark.parametrize(
    ("key_", "change", "may"),
    [
        (ANN, Change(ANN, 1, {"plan": "pro"}), True),
        (ANN, Change(ANN, 1, {}, {"anonymous": "a"}), True),
        (key("anonymous", "a"), Change(ANN, 1, {"plan": "pro"}), True),
        (key("anonymous", "a"), Change(ANN, 1, {}, {"user": "7"}), False),
        (ANN, Change(ANN, 1, {"plan": "pro"}, {"user": "7"}), False),
        (ANN, Change(ANN, 1, deletes=True), False),
        (USER, Change(ANN, 1, {"plan": "pro"}), False),
        (key("group", "g"), Change(ANN, 1, {"plan": "pro"}), False),
        (key("name", "trait:plan"), Change(ANN, 1, {"plan": "pro"}), False),
    ],
)
def test_only_profiles_of_nobody_known_may_expire(key_: Key, change: Change, may: bool) -> None:
    """Neither users and accounts, nor who is linked to one, nor what keeps a deleted person's events away."""
    assert value.may_expire(key_, body(key_, change)) is may
