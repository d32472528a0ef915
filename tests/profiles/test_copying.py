"""Copying a store: everything arrives, nothing that was there is lost, and what is wrong is found."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from engine.profiles import copying
from engine.profiles.copying import Copied, carry_marks, compare, fill
from engine.profiles.encoding import decode
from engine.profiles.ids import key
from engine.profiles.lmdb import LmdbStore
from engine.profiles.record import Change
from engine.profiles.store import DAMAGED, Span, Store

VISITORS = [key("visitor", f"v{number}") for number in range(30)]


@pytest.fixture
def stores(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Store, Store]]:
    """A store with thirty visitors, and an empty one; batches are small."""
    monkeypatch.setattr(copying, "BATCH_RECORDS", 7)
    with closing(LmdbStore(tmp_path / "a")) as source, closing(LmdbStore(tmp_path / "b")) as target:
        source.apply([plan(number, 10) for number in range(30)], {"x.ndjson": Span(0, 700)})
        yield source, target


def plan(number: int, time_ms: int) -> Change:
    return Change(VISITORS[number], time_ms, {"plan": f"p{time_ms}"})


def test_everything_arrives_and_once_more_changes_nothing(stores: tuple[Store, Store]) -> None:
    """Every record byte by byte, with its size; the second time nothing is new."""
    source, target = stores
    for new in (30, 0):
        done = Copied()
        fill(source.scan(), target, done)
        compare(source.scan(), target, done)
        assert list(target.scan()) == list(source.scan())
        size = sum(len(key_) + len(body) for key_, body in source.scan() if isinstance(body, bytes))
        assert done == Copied(records=30, bytes=size, written=new)


def test_what_the_target_knows_stays(stores: tuple[Store, Store]) -> None:
    """The newer value of both, for each trait."""
    source, target = stores
    target.apply([plan(0, 99), plan(1, 1), Change(VISITORS[2], 1, {"other": 1})])
    done = Copied()
    fill(source.scan(), target, done)
    compare(source.scan(), target, done)
    assert (done.late, done.lost) == (0, [])
    bodies = [body for body in target.get(VISITORS[:3]) if isinstance(body, bytes)]
    known = [{name: held.value for name, held in decode(body).traits.items()} for body in bodies]
    assert known == [{"plan": "p99"}, {"plan": "p10"}, {"plan": "p10", "other": 1}]


def test_who_was_interrupted_goes_on(stores: tuple[Store, Store]) -> None:
    """What was there already is not written again."""
    source, target = stores
    rows = list(source.scan())

    def ends_early() -> Iterator[tuple[object, object]]:
        yield from rows[:20]
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fill(ends_early(), target, Copied())  # type: ignore[arg-type]
    assert target.stats().records == 14
    done = Copied()
    fill(rows, target, done)
    assert (done.records, done.written) == (30, 16)


def test_what_comes_meanwhile_is_copied_too(stores: tuple[Store, Store]) -> None:
    """Found by the comparison, put there, and looked at again."""
    source, target = stores
    done = Copied()
    fill(source.scan(), target, done)
    source.apply([plan(3, 11), Change(key("visitor", "new"), 1, {"a": 1})])
    compare(source.scan(), target, done)
    assert (done.late, done.lost) == (2, [])
    assert list(target.scan()) == list(source.scan())


def test_what_is_lost_is_told(stores: tuple[Store, Store], tmp_path: Path) -> None:
    """By a target that takes records and does not have them."""

    class Forgets(LmdbStore):
        def put(self, _: object) -> int:
            return 0

    source, _ = stores
    done = Copied()
    with closing(Forgets(tmp_path / "c")) as target:
        compare(source.scan(), target, done)
    assert len(done.lost) == 30
    assert done.lost[0].why == "it is not in the target"


def test_damaged_records_are_left_out(stores: tuple[Store, Store]) -> None:
    """Told by kind and hash; a target's own damaged record is replaced; then no marks go along."""
    source, target = stores
    rows = [(key_, DAMAGED if key_ == VISITORS[4] else b"\xc0" if key_ == VISITORS[5] else body) for key_, body in
            source.scan()]  # fmt: skip
    done = Copied()
    fill(rows, target, done)
    compare(rows, target, done)
    carry_marks(source.marks(), target, done)
    assert (done.records, [bad.kind for bad in done.damaged], done.lost) == (28, ["visitor", "visitor"], [])
    assert target.get(VISITORS[4:6]) == [None, None]
    assert target.marks() == {}


def test_marks_go_along(stores: tuple[Store, Store]) -> None:
    """As far as the log was applied, and never back."""
    source, target = stores
    target.apply((), {"x.ndjson": Span(0, 900), "y.ndjson": Span(0, 1)})
    done = Copied()
    carry_marks(source.marks() | {"z.ndjson": 5}, target, done)
    assert target.marks() == {"x.ndjson": 900, "y.ndjson": 1, "z.ndjson": 5}
    assert done.marks == 2
