"""What can happen to a rules folder beside edits: the last good rules stay, it is told why, and it heals by itself."""

import codecs
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from engine import limits
from engine.holder import Holder

NOW = datetime(2026, 11, 23, tzinfo=UTC)
EXPERIENCE = """\
  {key}:
    name: {key}
    pages: ["https://www.example.com/{key}"]
    audiences: [{{segment: all, control: 0%, variants: [{{key: v, changes: [{{selector: h1, text: Hi}}]}}]}}]
"""


def rules_with(*keys: str) -> str:
    """A rule file with these experiences."""
    segment = "segments:\n  all: {name: All, when: 'true'}\n"
    return segment + "experiences:\n" + "".join(EXPERIENCE.format(key=key) for key in keys)


def steps(holder: Holder, number: int = 2) -> None:
    """As many looks."""
    for _ in range(number):
        holder.step()


def keys(holder: Holder) -> set[str]:
    """The experiences in use."""
    return set(holder.held.decider.ruleset.experiences)


Fault = Callable[[Path], None]


def gone(file: Path) -> None:
    """The folder is taken away."""
    shutil.rmtree(file.parent)


def a_file_in_its_place(file: Path) -> None:
    """Where the folder was there is a file."""
    shutil.rmtree(file.parent)
    file.parent.write_text("segments: {}")


def a_ring_in_its_place(file: Path) -> None:
    """Where the folder was there is a link to itself."""
    shutil.rmtree(file.parent)
    file.parent.symlink_to(file.parent.name)


def a_file_becomes_a_folder(file: Path) -> None:
    """As a container makes of a file that was not there when it started."""
    file.unlink()
    file.mkdir()


def a_file_becomes_a_ring(file: Path) -> None:
    """A link to itself."""
    file.unlink()
    file.symlink_to(file.name)


def a_file_becomes_a_pipe(file: Path) -> None:
    """Whoever opens it waits for somebody to write."""
    file.unlink()
    os.mkfifo(file)


def a_link_to_a_folder_that_is_gone(file: Path) -> None:
    """What was behind it may have been half of the rules."""
    (file.parent / "team").symlink_to("/nowhere/rules")


def huge(file: Path) -> None:
    """A file of a terabyte, nearly all of it a hole."""
    with file.open("ab") as growing:
        growing.truncate(2**40)


def too_many(file: Path) -> None:
    """Many more rule files than anybody has."""
    for number in range(limits.RULE_FILES):
        (file.parent / f"{number}.yaml").touch()


def another_disk(file: Path) -> None:
    """A link into a tree that has nothing to do with rules."""
    os.link(file, file.parent / "b.txt")
    for number in range(limits.RULE_FOLDER_ENTRIES):
        os.link(file, file.parent / f"{number}.txt")


def a_secret_file(file: Path) -> None:
    """Nobody may read it."""
    file.chmod(0)


def a_secret_folder(file: Path) -> None:
    """Nobody may list it."""
    file.parent.chmod(0)


def a_locked_folder(file: Path) -> None:
    """It may be listed, but nothing in it looked at."""
    (file.parent / "sub").mkdir()
    (file.parent / "sub" / "b.yaml").write_text("{}")
    (file.parent / "sub").chmod(0o400)


FAULTS: dict[Fault, str] = {
    gone: "rules-folder-gone",
    a_file_in_its_place: "rules-folder-gone",
    a_ring_in_its_place: "rules-folder-gone",
    a_file_becomes_a_folder: "unreadable",
    a_file_becomes_a_ring: "unreadable",
    a_file_becomes_a_pipe: "unreadable",
    a_link_to_a_folder_that_is_gone: "unreadable",
    huge: "file-too-large",
    too_many: "too-many-files",
    another_disk: "too-many-files",
    a_secret_file: "unreadable",
    a_secret_folder: "unreadable",
    a_locked_folder: "unreadable",
}


@pytest.fixture
def nobodys(tmp_path: Path) -> Iterator[Path]:
    """A folder of somebody whom permissions hold up, also where the tests run as root, whom none does."""
    if os.geteuid() != 0:
        yield tmp_path
        return
    folder = Path(tempfile.mkdtemp(prefix="mutiny-edge-test-"))
    os.chown(folder, 65534, 65534)
    codecs.lookup("utf-8-sig")  # afterwards Python's own library may be out of reach
    os.seteuid(65534)
    yield folder
    os.seteuid(0)
    shutil.rmtree(folder)


@pytest.mark.parametrize("fault", FAULTS)
def test_whatever_happens_to_the_files_changes_nothing_and_heals(
    nobodys: Path, caplog: pytest.LogCaptureFixture, fault: Fault
) -> None:
    """The last good ruleset stays, problems and log say why, and when the files are back all is well by itself."""
    file = nobodys / "rules" / "a.yaml"
    file.parent.mkdir()
    file.write_text(rules_with("a"))
    holder = Holder(file.parent, nobodys / "data", lambda: NOW)
    holder.open(lambda _: None)
    before = holder.held
    fault(file)
    steps(holder, 4)
    assert holder.held is before
    assert holder.problems[0].code == FAULTS[fault]
    assert caplog.text.count(f"[{FAULTS[fault]}]") >= 1
    assert caplog.text.count("not taken") == 1
    mend(file)
    steps(holder)
    assert keys(holder) == {"a", "b"}
    assert holder.problems == ()


def mend(file: Path) -> None:
    """The folder is made anew."""
    folder = file.parent
    if folder.is_dir():
        folder.chmod(0o700)
        for below in folder.glob("sub"):
            below.chmod(0o700)
        shutil.rmtree(folder)
    else:
        folder.unlink(missing_ok=True)
    folder.mkdir()
    file.write_text(rules_with("a", "b"))


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")
def test_files_that_could_not_be_read_are_tried_again(nobodys: Path) -> None:
    """Also where nothing about them changes: a disk that is back, a limit that is no longer reached."""
    file = nobodys / "rules" / "a.yaml"
    file.parent.mkdir()
    file.write_text(rules_with("a"))
    holder = Holder(file.parent, nobodys / "data", lambda: NOW)
    holder.open(lambda _: None)
    os.seteuid(0)
    aside = file.with_suffix(".new")
    aside.write_text(rules_with("a", "b"))
    aside.chmod(0o600)
    aside.replace(file)
    os.seteuid(65534)
    steps(holder)
    assert [problem.code for problem in holder.problems] == ["unreadable"]
    os.seteuid(0)
    steps(holder, limits.LOOKS_BEFORE_RETRY + 1)
    os.seteuid(65534)
    assert keys(holder) == {"a", "b"}
