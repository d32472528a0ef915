"""Deletions told to other nodes: what is heard, noted and told again, in whatever order."""

from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.profiles.encoding import deleted_ms
from engine.profiles.ids import Key, key
from engine.profiles.store import DAMAGED, Store
from engine.segment import elsewhere
from engine.segment.elsewhere import Gone, Notes, asked, gone, heard, lacking, tell, told
from engine.segment.erasure import Asked

U1, A1 = key("user", "u1"), key("anonymous", "é 1")
WHO = st.dictionaries(st.sampled_from([U1, A1, key("visitor", "v1")]), st.builds(Gone, st.integers(1, 3)), max_size=3)


def test_nobody_was_deleted(memory: Callable[[], Store]) -> None:
    """Nothing is heard of anybody, nothing is noted."""
    assert heard(told(memory())) == {}
    assert asked({}) == []


def test_what_is_told_is_heard(memory: Callable[[], Store]) -> None:
    """Until when, and whether all that had come is meant; with the tombstones."""
    store = memory()
    said = {U1: Gone(5, 7), A1: Gone(6)}
    tell(store, said)
    assert heard(told(store)) == said
    body = store.one(U1)
    assert isinstance(body, bytes)
    assert deleted_ms(body) == 5
    by_admin, by_time = sorted(asked(said), key=lambda one: one.time_ms, reverse=True)
    assert by_admin == Asked(U1, 7, by_time=False, gone=(U1,), until_ms=5)
    assert (by_time.key, by_time.by_time, by_time.until_ms) == (A1, True, 6)


def test_what_was_carried_out_is_what_is_told() -> None:
    """Of all who were meant by it."""
    by_admin = Asked(U1, 7, gone=(U1, A1), until_ms=9)
    assert gone(by_admin) == {U1: Gone(9, 7), A1: Gone(9, 7)}
    assert gone(Asked(U1, 7, by_time=True, gone=(U1,), until_ms=7)) == {U1: Gone(7)}


@given(WHO, WHO)
def test_of_two_the_later_one_counts(one: dict[Key, Gone], other: dict[Key, Gone]) -> None:
    """What both know is what either knew, at its latest."""
    both = one | lacking(other, one)
    assert lacking(one, both) == lacking(other, both) == {}
    assert {name: until.until_ms for name, until in both.items()} == {
        name: max(known[name].until_ms for known in (one, other) if name in known) for name in one | other
    }


def test_damage_says_nothing(memory: Callable[[], Store]) -> None:
    """The others are heard."""
    store = memory()
    tell(store, {U1: Gone(5, 7)})
    assert heard([DAMAGED, b"\xff", None, *told(store)]) == {U1: Gone(5, 7)}


def test_notes_are_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The later one of two, the newest of many; a file that holds none is named."""
    notes = Notes(tmp_path / "erasures")
    assert notes.read() == {}
    notes.add({U1: Gone(5, 7), A1: Gone(4)})
    notes.add({U1: Gone(4)})
    assert Notes(tmp_path / "erasures").read() == {U1: Gone(5, 7), A1: Gone(4)}
    monkeypatch.setattr(elsewhere, "RECORD_REGISTERS", 1)
    monkeypatch.setattr(elsewhere, "_PARTS", 1)
    notes.add({})
    assert notes.read() == {U1: Gone(5, 7)}
    [path] = (tmp_path / "erasures").iterdir()
    path.write_text("{")
    with pytest.raises(OSError, match="move it away"):
        notes.read()
