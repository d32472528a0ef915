"""The ruleset in use: what is taken, what is not, and what is told about it."""

import gc
import logging
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from engine import limits
from engine.holder import Holder, RulesBroken, read
from engine.rules import lastgood

NOW = datetime(2026, 11, 23, tzinfo=UTC)
EXPERIENCE = """\
  {key}:
    name: {key}
    pages: ["https://www.example.com/{key}"]
    audiences: [{{segment: all, control: 0%, variants: [{{key: v, changes: [{{selector: h1, text: "{text}"}}]}}]}}]
"""
SEGMENT = "segments:\n  all: {name: All, when: 'true'}\n"
FAILING_TEST = """\
tests:
  - name: never
    given: {page: {url: "https://www.example.com/a"}}
    expect: {experience: a, personalized: false}
"""


def rules_with(*keys: str, text: str = "Hi") -> str:
    """A rule file with these experiences."""
    return SEGMENT + "experiences:\n" + "".join(EXPERIENCE.format(key=key, text=text) for key in keys)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """The one file of a rules folder, with the experience `a`."""
    file = tmp_path / "rules" / "a.yaml"
    file.parent.mkdir()
    file.write_text(rules_with("a"))
    return file


@pytest.fixture
def opened(file: Path, tmp_path: Path) -> Callable[[], Holder]:
    """A holder of that folder, open."""

    def opened() -> Holder:
        holder = Holder(file.parent, tmp_path / "data", lambda: NOW)
        holder.open(lambda _: None)
        return holder

    return opened


def steps(holder: Holder, number: int = 2) -> None:
    """As many looks."""
    for _ in range(number):
        holder.step()


def keys(holder: Holder) -> set[str]:
    """The experiences in use."""
    return set(holder.held.decider.ruleset.experiences)


def test_a_valid_change_is_taken_and_told(
    file: Path, opened: Callable[[], Holder], caplog: pytest.LogCaptureFixture
) -> None:
    """At the second look, with its difference in the log."""
    holder = opened()
    file.write_text(rules_with("a", "b", "c"))
    with caplog.at_level(logging.INFO):
        holder.step()
        assert keys(holder) == {"a"}
        holder.step()
    assert keys(holder) == {"a", "b", "c"}
    assert "+2 experiences: b, c" in caplog.text
    assert holder.held.since == NOW


def test_broken_files_change_nothing_and_are_told_once(
    file: Path, opened: Callable[[], Holder], caplog: pytest.LogCaptureFixture
) -> None:
    """File and line in `problems` and in the log; looking again says nothing new."""
    holder = opened()
    before = holder.held
    file.write_text(rules_with("a").replace("'true'", "'tru'"))
    steps(holder, 5)
    assert holder.held is before
    place = holder.problems[0].place
    assert (place.file, place.line) == (file.as_posix(), 2)
    assert caplog.text.count(f"{file.as_posix()}:2:") == 1


def test_a_failing_test_of_ops_keeps_the_ruleset_out(file: Path, opened: Callable[[], Holder]) -> None:
    """Their `tests:` are a problem like any other, at their own line."""
    holder = opened()
    before = holder.held
    file.write_text(rules_with("a", "b") + FAILING_TEST)
    steps(holder)
    assert holder.held is before
    assert holder.problems[0].code == "test-failed"
    assert holder.problems[0].place.line > 10


def test_mending_clears_the_problems(file: Path, opened: Callable[[], Holder]) -> None:
    """Also where the mended files say what is in use already."""
    holder = opened()
    good = file.read_text()
    file.write_text("segments: [")
    steps(holder)
    assert holder.problems
    file.write_text(good)
    steps(holder)
    assert holder.problems == ()


def test_a_vanished_folder_changes_nothing(file: Path, opened: Callable[[], Holder]) -> None:
    """The last good ruleset stays; when the folder is back all is well."""
    holder = opened()
    away = file.parent.rename(file.parent.with_name("away"))
    steps(holder)
    assert keys(holder) == {"a"}
    assert holder.problems[0].code == "rules-folder-gone"
    away.rename(file.parent)
    steps(holder)
    assert holder.problems == ()


def test_one_look_that_finds_no_folder_is_not_told(file: Path, opened: Callable[[], Holder]) -> None:
    """Folders are replaced by renaming, too; between two names there is none."""
    holder = opened()
    away = file.parent.rename(file.parent.with_name("away"))
    holder.step()
    away.rename(file.parent)
    assert holder.problems == ()
    steps(holder, 3)
    assert holder.problems == ()


def test_a_fault_of_ours_changes_nothing(
    file: Path, opened: Callable[[], Holder], caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A ruleset that cannot be compiled is refused like a broken one, its traceback in the log; then tried again."""
    holder = opened()

    def fail(_: object) -> None:
        raise RecursionError

    monkeypatch.setattr("engine.holder.failures", fail)
    file.write_text(rules_with("a", "b"))
    steps(holder, 3)
    assert keys(holder) == {"a"}
    assert holder.problems[0].code == "rules-fault"
    assert "Traceback" in caplog.text
    monkeypatch.undo()
    steps(holder, limits.LOOKS_BEFORE_RETRY + 1)
    assert keys(holder) == {"a", "b"}


def test_reading_rests_often(file: Path, tmp_path: Path) -> None:
    """Before every small text: others wait for the interpreter meanwhile."""
    rests: list[None] = []
    holder = Holder(file.parent, tmp_path / "data", lambda: NOW, lambda: rests.append(None))
    holder.open(lambda _: None)
    few = len(rests)
    file.write_text(rules_with(*"abcdefgh"))
    steps(holder)
    assert 0 < few < len(rests) / 3


def test_turns_are_short_while_rules_are_read(file: Path, tmp_path: Path) -> None:
    """Requests that come meanwhile wait less; afterwards whoever else runs in the process has its own turns again."""
    turns: list[float] = []
    holder = Holder(file.parent, tmp_path / "data", lambda: NOW, lambda: turns.append(sys.getswitchinterval()))
    holder.open(lambda _: None)
    usual = sys.getswitchinterval()
    turns.clear()
    file.write_text(rules_with("a", "b"))
    steps(holder)
    assert turns
    assert turns == pytest.approx([limits.TURN_S] * len(turns))
    assert sys.getswitchinterval() == usual


def test_reloading_leaves_no_cycles(file: Path, opened: Callable[[], Holder]) -> None:
    """The garbage collector never sees what was alive during a reload; a cycle in there would never be freed."""
    holder = opened()
    holder.warm()
    gc.unfreeze()
    gc.collect()
    gc.disable()
    try:
        for text in ("One", "Two", "Three"):
            file.write_text(rules_with(*"abcdefgh", text=text))
            steps(holder, 3)
            gc.disable()
        gc.unfreeze()
        found = gc.collect()
    finally:
        gc.enable()
    assert holder.held.decider.ruleset.experiences["a"].audiences[0].variants[0].changes[0].text == ("Three",)
    assert found == 0


def test_a_half_saved_file_is_never_taken(file: Path, opened: Callable[[], Holder]) -> None:
    """A file that grows at every look is looked at, and not read, until it stops."""
    file.write_text(rules_with("a", "b"))
    holder = opened()
    whole = rules_with("a", "b", "c", "d")
    before = holder.held
    for end in range(len(rules_with("a")), len(whole), 40):
        file.write_text(whole[:end])
        holder.step()
        assert holder.held is before
    file.write_text(whole)
    steps(holder)
    assert keys(holder) == {"a", "b", "c", "d"}


def test_losing_most_experiences_takes_a_long_rest(file: Path, opened: Callable[[], Holder]) -> None:
    """More than half of the live ones gone: taken only after ten seconds of rest, and said meanwhile."""
    file.write_text(rules_with("a", "b", "c"))
    holder = opened()
    file.write_text(rules_with("a", "x", "y"))
    looks = round(limits.LARGE_REMOVAL_REST_S / limits.LOOK_INTERVAL_S)
    steps(holder, looks)
    assert keys(holder) == {"a", "b", "c"}
    assert holder.problems[0].code == "large-removal"
    steps(holder)
    assert keys(holder) == {"a", "x", "y"}
    assert holder.problems == ()


def test_losing_half_is_an_ordinary_change(file: Path, opened: Callable[[], Holder]) -> None:
    """Half is not more than half."""
    file.write_text(rules_with("a", "b"))
    holder = opened()
    file.write_text(rules_with("b"))
    steps(holder)
    assert keys(holder) == {"b"}


def test_taking_back_a_large_removal_is_no_change(file: Path, opened: Callable[[], Holder]) -> None:
    """Whoever moves the files back in time has lost nothing."""
    file.write_text(rules_with("a", "b", "c"))
    holder = opened()
    aside = file.rename(file.parent.parent / "aside")
    file.write_text(rules_with("a"))
    steps(holder, 4)
    aside.replace(file)
    steps(holder, 4)
    assert keys(holder) == {"a", "b", "c"}
    assert holder.problems == ()


def test_a_first_start_with_broken_files_fails_with_all_problems(file: Path, opened: Callable[[], Holder]) -> None:
    """There is nothing to fall back on, and nothing is guessed."""
    file.write_text("segments:\n  a: {name: A, when: 'tru'}\n  b: {name: B, when: '1 +'}\n")
    with pytest.raises(RulesBroken) as broken:
        opened()
    assert {problem.place.line for problem in broken.value.problems} >= {2, 3}


def test_a_start_without_a_folder_fails(tmp_path: Path) -> None:
    """A typing error in `--rules` is told, not served."""
    with pytest.raises(RulesBroken) as broken:
        Holder(tmp_path / "missing", tmp_path / "data", lambda: NOW).open(lambda _: None)
    assert "rules-folder-gone" in {problem.code for problem in broken.value.problems}


def test_a_start_while_files_are_broken_uses_the_last_good_ones(
    file: Path, opened: Callable[[], Holder], caplog: pytest.LogCaptureFixture
) -> None:
    """Loudly, with the problems; and the files again as soon as they are mended."""
    opened()
    good = file.read_text()
    file.write_text("segments: [")
    caplog.clear()
    holder = opened()
    assert (holder.held.source, keys(holder)) == ("last good", {"a"})
    assert holder.problems
    assert "LAST GOOD" in caplog.text
    file.write_text(good)
    steps(holder)
    assert (holder.held.source, holder.problems) == ("files", ())


def test_every_ruleset_that_is_taken_is_kept(file: Path, opened: Callable[[], Holder], tmp_path: Path) -> None:
    """The first one and each one after it."""
    holder = opened()
    file.write_text(rules_with("a", text="Bye"))
    steps(holder)
    assert lastgood.kept(file.parent, tmp_path / "data") == holder.held.decider.ruleset


def test_a_data_folder_that_cannot_be_written_does_not_matter(file: Path, tmp_path: Path) -> None:
    """Keeping a copy is no condition for deciding."""
    (tmp_path / "data").write_text("a file in its place")
    holder = Holder(file.parent, tmp_path / "data", lambda: NOW)
    holder.open(lambda _: None)
    assert keys(holder) == {"a"}


def test_what_could_not_be_kept_is_kept_once_it_can_be(
    file: Path, opened: Callable[[], Holder], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Without a change of the files; that it failed is told once, and so is that it is over."""
    (tmp_path / "data").write_text("a file in its place")
    holder = opened()
    with caplog.at_level(logging.INFO):
        file.write_text(rules_with("a", text="Bye"))
        steps(holder, 2 * limits.LOOKS_BEFORE_KEEPING)
        (tmp_path / "data").unlink()
        steps(holder, 2 * limits.LOOKS_BEFORE_KEEPING)
    assert lastgood.kept(file.parent, tmp_path / "data") == holder.held.decider.ruleset
    assert caplog.text.count("could not be kept") == 1
    assert caplog.text.count("is kept as the last good ruleset now") == 1


def test_files_that_keep_changing_are_not_waited_for_for_ever(file: Path, tmp_path: Path) -> None:
    """A start gives up after some seconds and says why."""
    holder = Holder(file.parent, tmp_path / "data", lambda: NOW)

    def grow(_: float) -> None:
        file.write_text(file.read_text() + "#")

    with pytest.raises(RulesBroken) as broken:
        holder.open(grow)
    assert [problem.code for problem in broken.value.problems] == ["rules-keep-changing"]


def test_reading_says_everything_at_once(file: Path) -> None:
    """A Decider where there is no error; else none, and the problems."""
    assert read(file.parent).decider is not None
    file.write_text("segments: [")
    reading = read(file.parent)
    assert reading.decider is None
    assert reading.problems


def test_a_fault_of_generated_code_is_said_once(opened: Callable[[], Holder], caplog: pytest.LogCaptureFixture) -> None:
    """With the segment's key and what was raised, at the next look; not at every one."""
    holder = opened()
    holder.held.decider.tally.faults["all", "TypeError"] = 3
    steps(holder)
    said = [record.getMessage() for record in caplog.records if "raised" in record.getMessage()]
    assert len(said) == 1
    assert "segment 'all' raised TypeError" in said[0]
