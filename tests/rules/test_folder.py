"""From a folder to a ruleset or problems: cases are folders that a user could have written.

`UPDATE_CASES=1 pytest tests/rules/test_folder.py` writes what comes out into each `expected.txt`; read the difference.
"""

import os
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from engine.problems import as_text, errors
from engine.rules.files import RuleText
from engine.rules.folder import load, load_texts

CASES = Path(__file__).parent / "cases"
EXAMPLE = (CASES / "example" / "rules" / "all.yaml").read_bytes()


@pytest.mark.parametrize("case", sorted(path.name for path in CASES.iterdir()))
def test_a_folder_gives_exactly_the_expected_problems(case: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The whole output of a folder, problem by problem, is what `expected.txt` says."""
    monkeypatch.chdir(CASES / case)
    loaded = load(Path("rules"))
    output = "".join(as_text(problem) + "\n" for problem in loaded.problems)
    expected = CASES / case / "expected.txt"
    if os.environ.get("UPDATE_CASES"):
        expected.write_text(output, "utf-8")
    assert output == expected.read_text("utf-8")
    assert (loaded.ruleset is None) == bool(errors(loaded.problems))


def test_the_example_of_the_design_is_a_ruleset() -> None:
    """What DESIGN shows is read whole, without an error."""
    ruleset = load(CASES / "example" / "rules").ruleset
    assert ruleset is not None
    assert list(ruleset.experiences) == ["corporate-website"]
    assert [segment.name for segment in ruleset.segments.values()] == ["Small company"]


def test_a_file_that_cannot_be_read_is_told_first(tmp_path: Path) -> None:
    """What the others seem to lack may stand there, so it would be looked for in the wrong place."""
    text = EXAMPLE.decode()
    (tmp_path / "a.yaml").write_text(text[text.index("experiences:") :], "utf-8")
    (tmp_path / "b.yaml").symlink_to("gone")  # as one that may not be read, for a user who may read all
    codes = [problem.code for problem in load(tmp_path).problems]
    assert codes[0] == "unreadable"
    assert len(codes) > 1


def test_the_order_and_the_cut_into_files_do_not_matter(tmp_path: Path) -> None:
    """The same sections in several files are the same ruleset."""
    sections = EXAMPLE.decode().split("\n\n")
    for number, section in enumerate(reversed(sections)):
        (tmp_path / f"{number}.yml").write_text(section, "utf-8")
    cut, whole = load(tmp_path).ruleset, load(CASES / "example" / "rules").ruleset
    assert cut is not None
    assert whole is not None
    assert cut.version == whole.version


def test_a_folder_that_is_none(tmp_path: Path) -> None:
    """A missing folder, a file and an empty folder are problems at the folder itself."""
    (tmp_path / "file").write_bytes(b"")
    (tmp_path / "empty").mkdir()
    codes = {name: load(tmp_path / name).problems[0].code for name in ("missing", "file", "empty")}
    assert codes == {"missing": "no-folder", "file": "no-folder", "empty": "no-files"}
    assert load(tmp_path / "empty").ruleset is None


def test_problems_are_in_order_of_place(tmp_path: Path) -> None:
    """Files by name, then lines, then columns, whichever step found them."""
    places = [problem.place for problem in load(CASES / "twelve-mistakes" / "rules").problems]
    assert places == sorted(places, key=lambda place: (place.file, place.line, place.column))


def _check_safe(data: bytes) -> None:
    loaded = load_texts([RuleText("rules/a.yaml", data)])
    assert (loaded.ruleset is None) == bool(errors(loaded.problems))
    lines = data.decode("utf-8", "replace").replace("\r\n", "\n").replace("\r", "\n").split("\n")
    for problem in loaded.problems:
        assert 1 <= problem.place.line <= len(lines)
        assert 1 <= problem.place.column <= len(lines[problem.place.line - 1]) + 1
        as_text(problem)


@pytest.mark.parametrize(
    ("data", "codes"),
    [
        (b'segments:\n  a: {name: A, when: traits.x == "\xe9"}\n', ["not-utf-8"]),
        (b"segments:\n  b\xe9: {name: A, when: traits.x\xff == 1}\n", ["not-utf-8"]),
        (b"segments:\n  a:\n    name: \xe9\n    when: traits.x =\n", ["not-utf-8", "condition"]),
        ("segments:\n  b\ufffd: {name: A, when: true}\n".encode(), ["key"]),
        (b'experiences: {e: {name: E, pages: ["/"], audiences: []}}\n', ["empty"]),
        (b'experiences: {e: {name: E, pages: ["/"], audiences: [7]}}\n', ["wrong-type"]),
        (b'segments:\n  "": {name: A, when: true}\n', ["empty"]),
    ],
)
def test_one_mistake_is_one_problem(data: bytes, codes: list[str]) -> None:
    """A byte that is not UTF-8, an empty key or list is said once, and nothing that follows from it; what stands in
    other lines is said beside it."""
    assert [problem.code for problem in load_texts([RuleText("a.yaml", data)]).problems] == codes


@given(st.binary(max_size=200))
@example(b"\xff\xfea\x00")
@example(b"a: \x85\xc2\x85")
@example(b"\xef\xbb\xbfsegments:\r\n  a: \xff")
@settings(deadline=None)
def test_arbitrary_bytes_never_raise(data: bytes) -> None:
    """Whatever bytes a file holds, the answer is a ruleset or problems at places that exist."""
    _check_safe(data)


@given(st.lists(st.sampled_from(list("abc \n\n:-'\"#&*!|>%@`{}[],?\t")), max_size=40).map("".join))
@settings(deadline=None)
def test_arbitrary_signs_of_yaml_never_raise(text: str) -> None:
    """Whatever is made of YAML's own signs, the answer is a ruleset or problems at places that exist."""
    _check_safe(text.encode())


@given(st.integers(0, len(EXAMPLE)))
@settings(deadline=None)
def test_a_half_written_file_never_raises(length: int) -> None:
    """Every prefix of a good file is a ruleset or has problems at places that exist."""
    _check_safe(EXAMPLE[:length])


@given(
    st.integers(0, len(EXAMPLE)),
    st.integers(0, 30),
    st.binary(max_size=4) | st.sampled_from([b"\t", b'"', b"[", b": ", b" #"]),
)
@settings(deadline=None)
def test_a_mistyped_file_never_raises(at: int, dropped: int, typed: bytes) -> None:
    """A good file in which something was cut out and typed is a ruleset or has problems at places that exist."""
    _check_safe(EXAMPLE[:at] + typed + EXAMPLE[at + dropped :])


@pytest.mark.parametrize("sign", ["[", "{", "- ", "a: {", "? "])
def test_a_hundred_thousand_levels_are_a_problem(sign: str) -> None:
    """Deep nesting is refused; it neither crashes the process nor takes its time."""
    loaded = load_texts([RuleText("a.yaml", b"segments: " + sign.encode() * 100_000)])
    assert loaded.ruleset is None
