"""Which files are rule files."""

import os
from pathlib import Path

import pytest

from engine import limits
from engine.rules.files import read_files, rule_files


def _names(folder: Path) -> list[str]:
    return [path.relative_to(folder).as_posix() for path in rule_files(folder)]


def test_yaml_files_in_all_folders_sorted(tmp_path: Path) -> None:
    """Both endings, sub-folders, in order of names; nothing else, and nothing that begins with a dot."""
    for name in (
        "b.yaml",
        "a.yml",
        "c.json",
        ".d.yaml",
        "sub/e.yaml",
        ".git/f.yaml",
        "sub/deep/g.yml",
        "h.yaml/i.yaml",
        "j.YAML~",
        "K.YAML",
    ):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(b"")
    assert _names(tmp_path) == ["K.YAML", "a.yml", "b.yaml", "h.yaml/i.yaml", "sub/deep/g.yml", "sub/e.yaml"]


def test_a_config_map_shows_each_file_once(tmp_path: Path) -> None:
    """Links as Kubernetes makes them are followed, and the folders behind them passed over."""
    (tmp_path / "..2026_11_23").mkdir()
    (tmp_path / "..2026_11_23" / "rules.yaml").write_bytes(b"segments:")
    (tmp_path / "..data").symlink_to("..2026_11_23")
    (tmp_path / "rules.yaml").symlink_to("..data/rules.yaml")
    texts, problems = read_files(tmp_path)
    assert [(text.file, text.data) for text in texts] == [((tmp_path / "rules.yaml").as_posix(), b"segments:")]
    assert not problems


def test_a_ring_of_links_ends(tmp_path: Path) -> None:
    """A link to a folder above is not walked again."""
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "a.yaml").write_bytes(b"")
    (tmp_path / "sub" / "up").symlink_to(tmp_path)
    assert _names(tmp_path) == ["sub/a.yaml"]


def test_what_cannot_be_read_is_a_problem(tmp_path: Path) -> None:
    """A broken link and a pipe are problems, each at its name; the other files are read."""
    (tmp_path / "a.yaml").symlink_to("nowhere")
    os.mkfifo(tmp_path / "b.yaml")
    (tmp_path / "c.yaml").write_bytes(b"x")
    texts, problems = read_files(tmp_path)
    assert [text.data for text in texts] == [b"x"]
    assert [(Path(p.place.file).name, p.code) for p in problems] == [("a.yaml", "unreadable"), ("b.yaml", "unreadable")]


def test_what_may_hide_rules_is_a_problem(tmp_path: Path) -> None:
    """A folder where a file was, a ring, a link to a folder that is gone; a link with a dot in front is nobody's."""
    (tmp_path / "a.yaml").mkdir()
    (tmp_path / "b.yaml").symlink_to("b.yaml")
    (tmp_path / "team").symlink_to("/nowhere")
    (tmp_path / ".#lock").symlink_to("somebody@elsewhere")
    texts, problems = read_files(tmp_path)
    assert not texts
    assert [(Path(p.place.file).name, p.code) for p in problems] == [
        ("a.yaml", "unreadable"),
        ("b.yaml", "unreadable"),
        ("team", "unreadable"),
    ]


def test_too_many_names(tmp_path: Path) -> None:
    """Folders that link to each other hold rules without end; the search for them ends."""
    for folder in "abcdefgh":
        (tmp_path / folder).mkdir()
        for other in "abcdefgh":
            (tmp_path / folder / other).symlink_to(tmp_path / other)
    texts, problems = read_files(tmp_path)
    assert not texts
    assert [p.code for p in problems] == ["too-many-files"]


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_forbidden_folder_is_a_problem(tmp_path: Path) -> None:
    """A folder that may not be listed is a problem, not an empty folder."""
    (tmp_path / "sub").mkdir(mode=0)
    assert [p.code for p in read_files(tmp_path)[1]] == ["unreadable"]


def test_too_many_files(tmp_path: Path) -> None:
    """More files than the limit are the wrong folder, and none is read."""
    for number in range(limits.RULE_FILES + 1):
        (tmp_path / f"{number}.yaml").write_bytes(b"")
    texts, problems = read_files(tmp_path)
    assert not texts
    assert [p.code for p in problems] == ["too-many-files"]


def test_a_large_file_is_not_read_whole(tmp_path: Path) -> None:
    """One byte more than the limit is enough to see that it is too large."""
    (tmp_path / "a.yaml").write_bytes(b"#" * (2 * limits.RULE_FILE_BYTES))
    assert len(read_files(tmp_path)[0][0].data) == limits.RULE_FILE_BYTES + 1
