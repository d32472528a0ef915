"""What a survey counts, and how it names what is damaged."""

from hashlib import sha256

from engine.profiles.encoding import merged
from engine.profiles.ids import Key, key
from engine.profiles.record import Change
from engine.profiles.store import DAMAGED
from engine.profiles.survey import Bad, Held, survey

ANN = key("visitor", "ann")
BODY = merged(None, [Change(ANN, 1, {"plan": "pro"})]) or b""


def test_records_are_counted_by_kind() -> None:
    """Records and bytes, keys with them."""
    group = key("group", "g")
    seen = survey([(ANN, BODY), (key("visitor", "bob"), BODY), (group, BODY)])
    assert seen.kinds == {"visitor": Held(2, 2 * (5 + len(BODY))), "group": Held(1, 3 + len(BODY))}
    assert (seen.records, seen.damaged) == (3, [])


def test_damaged_records_are_told_by_a_hash() -> None:
    """A checksum that does not fit, or a body that is no record; never the id itself."""
    seen = survey([(ANN, DAMAGED), (ANN, b"\xc0")])
    hashed = sha256(b"ann").hexdigest()[:12]
    assert [(bad.kind, bad.id_hash) for bad in seen.damaged] == [("visitor", hashed)] * 2
    assert seen.damaged[0] == Bad("visitor", hashed, "its checksum or its type does not fit")
    assert seen.damaged[1].why.startswith("not a record")


def test_a_key_of_no_kind_is_unknown() -> None:
    """A flipped bit in the key's letter."""
    assert survey([(Key(b"6:ann"), DAMAGED)]).damaged[0].kind == "unknown"
