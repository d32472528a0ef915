"""What a store is believed to hold of a log: only what it proves."""

from collections.abc import Callable
from pathlib import Path

import pytest

from engine.profiles.record import Change
from engine.profiles.store import Span, Store, StoreBehind
from engine.segment.standing import WHOLE, acquainted, archived, believed, compactions, tidy, unheld


@pytest.fixture
def store(memory: Callable[[], Store]) -> Store:
    """An empty store."""
    return memory()


def test_a_store_is_made_to_know_the_node_once(store: Store) -> None:
    """Whoever asks then is given the same, and no mark is set without it."""
    met, marks = acquainted(store)
    assert marks == {}
    assert acquainted(store) == (met, {})
    store.apply((), {**met, "a.ndjson": Span(0, 5)})
    assert acquainted(store)[1] == believed(store) == {"a.ndjson": 5}
    assert len(store.marks()) == 2


def test_a_store_that_was_emptied_between_a_batch_and_its_mark_has_no_mark(memory: Callable[[], Store]) -> None:
    """Also where the batch was the first of its file, before which nothing stands; and where others came between."""
    store = memory()
    met, _ = acquainted(store)
    store.lose()  # type: ignore[attr-defined]
    for _ in range(2):
        with pytest.raises(StoreBehind):
            store.apply((), {**met, "a.ndjson": Span(0, 5)})
        assert believed(store) == {}
        other, _ = acquainted(store)  # another process was quicker
        assert other.keys() != met.keys()


def test_marks_without_an_acquaintance_are_not_believed(store: Store) -> None:
    """They are forgotten, and all that they were about is applied again."""
    store.apply((), {"a.ndjson": Span(0, 5)})
    assert believed(store) == {}
    assert acquainted(store)[1] == {}
    assert believed(store) == {}


def test_what_was_compacted_stands_if_its_lines_did(store: Store) -> None:
    """All of them, to their ends, till that moment; their marks are forgotten in any case."""
    met, _ = acquainted(store)
    store.apply((), {**met, "a.ndjson": Span(0, 5), "b.ndjson": Span(0, 7)})
    with pytest.raises(StoreBehind):
        archived(store, "a.parquet", {"a.ndjson": 5, "b.ndjson": 8})
    assert believed(store) == {}
    store.apply((), {**met, "a.ndjson": Span(0, 5), "b.ndjson": Span(0, 8), "c.ndjson": Span(0, 1)})
    archived(store, "a.parquet", {"a.ndjson": 5, "b.ndjson": 8})
    archived(store, None, {"c.ndjson": 1})
    assert believed(store) == {"a.parquet": WHOLE}
    assert unheld(believed(store), ["a.parquet", "d.parquet"]) == ["d.parquet"]


def test_the_files_of_one_compaction_have_one_mark(tmp_path: Path) -> None:
    """Whatever days they are of, and what takes their place; the newest first."""
    for name in (
        "parquet/day=2026-11-23/1.5-a-00000001.parquet",
        "parquet/day=2026-11-24/1.5-a-00000001.parquet",
        "parquet/day=2026-11-24/2.5-a-00000002.parquet",
        "damaged/1.5-a-00000001.ndjson",
    ):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    made = compactions(tmp_path)
    assert list(made) == ["2.5-a.parquet", "1.5-a.parquet"]
    assert [len(paths) for paths in made.values()] == [1, 3]


def test_marks_of_what_is_gone_are_forgotten(store: Store, tmp_path: Path) -> None:
    """Else they would pile up for ever; the acquaintance is of no file, and stays."""
    store.apply([Change(b"v:ann", 1, {"plan": "pro"})])  # type: ignore[arg-type]
    met, _ = acquainted(store)
    store.apply((), {**met, **dict.fromkeys(["a.ndjson", "b.ndjson", "a.parquet", "c.parquet"], Span(0, 5))})
    (tmp_path / "a.ndjson").touch()
    (tmp_path / "parquet" / "day=2026-11-23").mkdir(parents=True)
    (tmp_path / "parquet" / "day=2026-11-23" / "c-00000001.parquet").touch()
    tidy(tmp_path, store)
    assert believed(store) == {"a.ndjson": 5, "c.parquet": 5}
