"""The bytes of a record: one way to write each, what an older version wrote, and what is no record."""

from contextlib import suppress

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.profiles.encoding import (
    MOST_NAMES,
    NO_FACTS,
    BadRecord,
    decode,
    deleted_ms,
    encode,
    facts,
    facts_decoder,
    merged,
)
from engine.profiles.ids import key
from engine.profiles.record import Change, Link, Record, Register

ANN = key("anonymous", "ann")
TIMES = st.integers(-(2**40), 2**42)
ORIGINS = st.sampled_from(["", "import", "website identify"])
RECORDS = st.builds(
    Record,
    traits=st.dictionaries(
        st.text(max_size=3),
        st.builds(
            Register,
            TIMES,
            st.none() | st.integers(-(2**63), 2**63 - 1) | st.text(max_size=3) | st.lists(st.none()),
            ORIGINS,
        ),
        max_size=5,
    ),
    links=st.dictionaries(
        st.sampled_from(["anonymous", "user", "group"]),
        st.builds(Link, TIMES, st.text(min_size=1, max_size=3), ORIGINS, st.none() | TIMES),
    ),
    deleted_ms=st.none() | TIMES,
)


def test_an_empty_record_is_not_stored() -> None:
    """Nothing was ever said."""
    assert encode(Record()) is None


@given(RECORDS)
def test_a_record_survives_its_encoding(record: Record) -> None:
    """Decoding gives it back, encoding it again the same bytes, and merging nothing changes nothing."""
    body = encode(record)
    if body is None:
        assert record == Record()
        return
    assert decode(body) == record
    assert encode(decode(body)) == body
    assert merged(body, []) == body


@given(RECORDS)
def test_facts_are_the_record_without_times_and_removed_traits(record: Record) -> None:
    """What a decision decodes agrees with the whole record."""
    body = encode(record)
    if body is None:
        return
    quick = facts(body)
    assert quick.traits == {name: held.value for name, held in record.traits.items() if held.value is not None}
    assert quick.removed.keys() == {name for name, held in record.traits.items() if held.value is None}
    assert quick.links == {name: link.value for name, link in record.links.items()}
    assert {name: quick.link_time(name) for name in record.links} == {  # type: ignore[arg-type]
        name: link.time_ms for name, link in record.links.items()
    }


@given(RECORDS, st.frozensets(st.text(max_size=3), max_size=MOST_NAMES + 4))
def test_some_facts_are_the_facts_without_other_traits(record: Record, names: frozenset[str]) -> None:
    """Everything else is as in all of them; many names, or odd ones, are not picked out."""
    body = encode(record)
    if body is None:
        return
    some, whole = facts_decoder(names)(body), facts(body)
    kept = {name: value for name, value in whole.traits.items() if name in names}
    picked = len(names) <= MOST_NAMES and all(name.isascii() for name in names)
    assert some.traits == (kept if picked else whole.traits)
    assert (some.links, some.removed, some.others) == (whole.links, whole.removed, whole.others)
    assert facts_decoder(names) is facts_decoder(frozenset(names))


def test_the_order_of_members_does_not_show() -> None:
    """Maps that are equal are equal bytes, at every depth, however their members were put."""
    one = {"a": {"x": 1, "y": [{"p": 1, "q": 2}]}, "b": 1}
    other = {"b": 1, "a": {"y": [{"q": 2, "p": 1}], "x": 1}}
    bodies = {merged(None, [Change(ANN, 1, {"trait": value, **value}, origin="import")]) for value in (one, other)}
    assert len(bodies) == 1


def test_what_an_older_version_wrote_is_read_and_left_as_it_is() -> None:
    """Bodies end where what they knew ended; a change that says nothing new does not rewrite them."""
    old = msgspec.msgpack.encode([{"plan": "pro"}, {"group": "g"}, [5], [6], {"age": 7}])
    record = decode(old)
    assert record == Record({"plan": Register(5, "pro"), "age": Register(7, None)}, {"group": Link(6, "g")})
    assert encode(record) == old
    assert merged(old, [Change(ANN, 5, {"plan": "pro"}, {"group": "g"})]) == old
    assert (facts(old).traits, facts(old).links) == ({"plan": "pro"}, {"group": "g"})


def test_a_tombstone_is_small() -> None:
    """Of who was deleted hardly anything stays, and no value."""
    body = merged(None, [Change(ANN, 5, {"plan": "pro"}, {"user": "u"}, "import"), Change(ANN, 9, deletes=True)])
    assert body is not None
    assert len(body) <= 12
    assert facts(body).traits == {}


@given(RECORDS)
def test_a_deletion_is_found_without_the_rest(record: Record) -> None:
    """The same as in the whole record."""
    body = encode(record)
    assert body is None or deleted_ms(body) == record.deleted_ms


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"\xc1",
        b"text",
        msgspec.msgpack.encode([{}, {}, [1], [], {}]),
        msgspec.msgpack.encode([{"a": 1}, {"group": 1}, [1], [1], {}]),
        msgspec.msgpack.encode([{"a": 1}, {}, [1], [], {}, [""], [1], [], [], {}, None]),
        msgspec.msgpack.encode([{"a": 1}, {}, [1], [], {}, [""], [-1], [], [], {}, None]),
        msgspec.msgpack.encode([{"a": 1}, {}, [1], [], {}, [""], [0, 0], [], [], {}, None]),
        b"\x92\x81\xa1\xff\x01\x80",
    ],
)
def test_other_bytes_are_no_record(body: bytes) -> None:
    """Foreign bytes are refused as such, not taken for a person without traits, and nothing else is raised."""
    with pytest.raises(BadRecord):
        decode(body)


@settings(max_examples=300)
@given(st.binary(max_size=60))
def test_no_bytes_raise_anything_else(body: bytes) -> None:
    """Whatever stands in a store, reading it ends in a record or in BadRecord."""
    for read in (decode, facts, deleted_ms):
        with suppress(BadRecord):
            read(body)
    with suppress(*NO_FACTS):
        facts_decoder(frozenset({"a"}))(body)


def test_a_link_without_a_time_is_no_record() -> None:
    """Times are looked at late; what is wrong with them is said then."""
    said = facts(msgspec.msgpack.encode([{}, {"user": "u"}, [], [], {}]))
    with pytest.raises(BadRecord):
        said.link_time("user")
    with pytest.raises(BadRecord):
        facts(msgspec.msgpack.encode([{}, {"user": "u"}])).link_time("user")


def test_deeply_nested_bytes_are_no_record() -> None:
    """A thousand levels end in BadRecord too."""
    for read in (decode, facts, deleted_ms):
        with pytest.raises(BadRecord):
            read(b"\x95" + b"\x81\xa1a" * 5_000 + b"\x01")
