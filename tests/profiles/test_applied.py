"""Marks in the store itself: what stands there, and what becomes of a damaged one."""

from collections.abc import Iterator
from pathlib import Path

import lmdb
import pytest

from engine.profiles import applied
from engine.profiles.store import Span


@pytest.fixture
def environment(tmp_path: Path) -> Iterator["lmdb.Environment"]:
    """A file of LMDB's with other entries around the marks."""
    with lmdb.open(str(tmp_path)) as opened:
        with opened.begin(write=True) as txn:
            for key in (b"\x00", b"\x00marj", b"\x00name", b"\x00turn", b"v:ann"):
                txn.put(key, b"another's")
        yield opened


def test_a_mark_only_grows(environment: "lmdb.Environment") -> None:
    """And counts how many did."""
    with environment.begin(write=True) as txn:
        assert applied.rise(txn, {"a": Span(0, 5), "b": Span(0, 0)}) == 2
        assert applied.rise(txn, {"a": Span(2, 4), "b": Span(0, 1)}) == 1
        assert applied.read(txn) == {"a": 5, "b": 1}
        assert applied.count(txn) == 2


def test_a_mark_never_jumps_over_a_gap(environment: "lmdb.Environment") -> None:
    """Nor does any other that was said with it; one that begins where the kept one ends, or before, is no gap."""
    with environment.begin(write=True) as txn:
        assert applied.rise(txn, {"a": Span(0, 5)}) == 1
        for marks in ({"b": Span(0, 9), "a": Span(6, 9)}, {"a": Span(5, 9), "b": Span(1, 9)}):
            assert applied.gap(txn, marks) in {"a", "b"}
            assert applied.rise(txn, marks) == 0
            assert applied.read(txn) == {"a": 5}
        assert applied.gap(txn, {"a": Span(5, 9), "b": Span(0, 1)}) is None
        assert applied.rise(txn, {"a": Span(5, 9), "b": Span(0, 1)}) == 2


def test_forgotten_marks_are_gone(environment: "lmdb.Environment") -> None:
    """Those that are named, if they are there; other entries stay."""
    with environment.begin(write=True) as txn:
        applied.rise(txn, {"a": Span(0, 5), "b": Span(0, 2**40)})
        assert applied.forget(txn, ["a", "c", "name"]) == 1
        assert applied.read(txn) == {"b": 2**40}
        assert txn.get(b"\x00name") == b"another's"


def test_a_damaged_mark_is_none_and_is_written_anew(environment: "lmdb.Environment") -> None:
    """A flipped bit in number or name: better everything again than one event too few."""
    with environment.begin(write=True) as txn:
        applied.rise(txn, {"a": Span(0, 5)})
        raw = txn.get(b"\x00mark:a") or b""
        txn.put(b"\x00mark:a", bytes([raw[0] ^ 1]) + raw[1:])
        txn.put(b"\x00mark:\xff", raw)
        txn.put(b"\x00mark:c", b"")
        assert applied.read(txn) == {}
        assert applied.rise(txn, {"a": Span(0, 3)}) == 1
        assert applied.read(txn) == {"a": 3}
