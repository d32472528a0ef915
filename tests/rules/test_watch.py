"""A folder is read only at rest, and what was half saved is never taken."""

from pathlib import Path

import pytest

from engine.rules.watch import Sight, Watcher, sight

A: Sight = (("rules/a.yaml", 1, 1, 10, 1, 1),)
B: Sight = (("rules/a.yaml", 1, 1, 20, 2, 2),)
C: Sight = (("rules/a.yaml", 1, 1, 30, 3, 3),)


class Folder:
    """What a folder shows, look by look; the last sight stays."""

    def __init__(self, *sights: Sight | None) -> None:
        self.sights = list(sights)

    def __call__(self) -> Sight | None:
        return self.sights.pop(0) if len(self.sights) > 1 else self.sights[0]


def test_two_equal_looks_are_rest() -> None:
    """The first look at anything new settles, the second equal one may read."""
    watcher = Watcher(Folder(A))
    assert [watcher.look(), watcher.look()] == ["settling", "rested"]


def test_a_folder_that_changes_at_every_look_never_rests() -> None:
    """As long as somebody writes, nothing is read."""
    watcher = Watcher(Folder(A, B, C, A, B))
    assert [watcher.look() for _ in range(5)] == ["settling"] * 5


def test_what_was_taken_is_not_read_again() -> None:
    """After `take` the same sight is the same; another one has to rest first."""
    folder = Folder(A, A, A, B, B)
    watcher = Watcher(folder)
    watcher.look()
    watcher.look()
    watcher.take()
    assert [watcher.look(), watcher.look(), watcher.look()] == ["same", "settling", "rested"]


def test_a_change_while_reading_is_seen() -> None:
    """`still` is what makes half-saved files impossible: what was read is no longer what is there."""
    watcher = Watcher(Folder(A, A, B))
    watcher.look()
    watcher.look()
    assert not watcher.still()


def test_nothing_changed_while_reading() -> None:
    """A folder at rest is still what it was."""
    watcher = Watcher(Folder(A))
    watcher.look()
    watcher.look()
    assert watcher.still()


def test_a_vanished_folder_is_read_again_when_it_is_back() -> None:
    """Gone is a state of its own; what was taken before is looked at anew afterwards."""
    watcher = Watcher(Folder(A, A, None, A, A))
    watcher.look()
    watcher.look()
    watcher.take()
    assert [watcher.look(), watcher.look(), watcher.look()] == ["gone", "settling", "rested"]


def test_looks_count_how_long_a_folder_rests() -> None:
    """The count starts anew with every other sight."""
    watcher = Watcher(Folder(A, A, A, B))
    counts = []
    for _ in range(4):
        watcher.look()
        counts.append(watcher.looks)
    assert counts == [1, 2, 3, 1]


@pytest.mark.parametrize("change", ["content", "rename", "new", "removed", "replaced"])
def test_every_change_of_files_is_seen(tmp_path: Path, change: str) -> None:
    """Other bytes, another name, one file more or fewer, another file of the same name and size."""
    file = tmp_path / "sub" / "a.yaml"
    file.parent.mkdir()
    file.write_text("segments: {}")
    before = sight(tmp_path)
    if change == "content":
        file.write_text("segments: {} # more")
    elif change == "rename":
        file.rename(tmp_path / "b.yaml")
    elif change == "new":
        (tmp_path / "b.yml").write_text("")
    elif change == "removed":
        file.unlink()
    else:
        other = tmp_path / "other"
        other.write_text("segments: []")
        other.replace(file)
    assert sight(tmp_path) != before


def test_other_files_are_not_looked_at(tmp_path: Path) -> None:
    """What is no rule file may change as it likes."""
    (tmp_path / "a.yaml").write_text("")
    before = sight(tmp_path)
    (tmp_path / "notes.txt").write_text("")
    (tmp_path / ".a.yaml.swp").write_text("")
    assert sight(tmp_path) == before


def test_a_swapped_configmap_is_seen(tmp_path: Path) -> None:
    """Kubernetes swaps one link, `..data`; the links of the files themselves stay as they are."""
    for name in ("..v1", "..v2"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "a.yaml").write_text("segments: {}")
    data = tmp_path / "..data"
    data.symlink_to("..v1")
    (tmp_path / "a.yaml").symlink_to("..data/a.yaml")
    before = sight(tmp_path)
    swapped = tmp_path / "..data_tmp"
    swapped.symlink_to("..v2")
    swapped.replace(data)
    assert before is not None
    assert sight(tmp_path) != before
    assert len(before) == 1


def test_a_link_into_nowhere_is_a_sight_of_its_own(tmp_path: Path) -> None:
    """In the middle of a swap a file may be listed and not be there: that differs from the file, and is no error."""
    (tmp_path / "real").write_text("segments: {}")
    (tmp_path / "a.yaml").symlink_to("real")
    before = sight(tmp_path)
    (tmp_path / "real").unlink()
    assert sight(tmp_path) not in {before, None}


def test_no_folder_is_no_sight(tmp_path: Path) -> None:
    """A missing folder and a file in its place are both `None`."""
    (tmp_path / "file").write_text("")
    assert sight(tmp_path / "missing") is None
    assert sight(tmp_path / "file") is None
