"""`mutiny-edge check`: cases are folders that a user could have written, with what is printed, whole, beside them.

`UPDATE=1 python -m pytest tests/cli/test_check.py` writes the expectations anew; read the difference before it goes in.
"""

import json
import os
import shutil
from pathlib import Path

import pytest

from engine import limits

CASES = sorted(Path(__file__).with_name("cases").iterdir())


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_case(run, case):
    """What `check` prints about a folder, and its exit code, is what stands in `expected.txt`."""
    done = run("check", cwd=case)
    printed = f"{done.stdout}{done.stderr}exit code {done.returncode}\n"
    expected = case / "expected.txt"
    assert "Traceback" not in printed
    if os.environ.get("UPDATE"):
        expected.write_text(printed, encoding="utf-8")
    assert printed == expected.read_text(encoding="utf-8")


def test_twelve_mistakes_are_twelve_errors(run):
    """Every one of twelve different mistakes is told in one run, each at its exact place."""
    case = next(case for case in CASES if case.name == "twelve-mistakes")
    found = json.loads(run("check", "--format", "json", cwd=case).stdout)
    assert {
        (problem["file"], problem["line"], problem["column"]) for problem in found if problem["severity"] == "error"
    } == {
        ("rules/segments.yaml", 4, 28),
        ("rules/segments.yaml", 7, 11),
        ("rules/segments.yaml", 10, 30),
        ("rules/segments.yaml", 14, 3),
        ("rules/experiences.yaml", 5, 14),
        ("rules/experiences.yaml", 6, 5),
        ("rules/experiences.yaml", 8, 18),
        ("rules/experiences.yaml", 9, 18),
        ("rules/experiences.yaml", 12, 21),
        ("rules/experiences.yaml", 14, 32),
        ("rules/experiences.yaml", 15, 44),
        ("rules/conversions.yaml", 3, 1),
    }


def test_the_example_rules_are_in_order(run, house):
    """The example has no error, no warning, and all its tests pass."""
    done = run("check", "rules", "--format", "json", cwd=house)
    # The example's offer for the end of the year will be over one day, and is then told so.
    assert (done.returncode, {found["code"] for found in json.loads(done.stdout)} - {"schedule-over"}) == (0, set())


def test_json_is_a_list_and_nothing_else(run, house):
    """For programs: a list on stdout, empty where all is well; nothing on stderr."""
    case = next(case for case in CASES if case.name == "in-order")
    done = run("check", case / "rules", "--format", "json")
    assert (done.returncode, json.loads(done.stdout), done.stderr) == (0, [], "")


def test_json_names_what_scripts_need(run):
    """Each finding has file, line, column, severity, code and message."""
    found = json.loads(run("check", CASES[-1], "--format", "json").stdout)
    assert found
    assert all({"file", "line", "column", "severity", "code", "message"} <= problem.keys() for problem in found)


def test_github_annotations(run):
    """For pull requests: one workflow command a line, with file, line and column."""
    case = next(case for case in CASES if case.name == "failing-test")
    [line] = run("check", "--format", "github", cwd=case).stdout.splitlines()
    assert line.startswith("::error file=rules/all.yaml,line=14,col=")


def test_a_file_that_nobody_may_read(run, tmp_path):
    """A dangling link in the folder is a problem with the file's name, no traceback."""
    tmp_path.joinpath("rules").mkdir()
    tmp_path.joinpath("rules", "gone.yaml").symlink_to("nowhere.yaml")
    done = run("check")
    assert done.returncode == 1
    assert "rules/gone.yaml" in done.stdout
    assert "Traceback" not in done.stderr


def test_a_folder_that_is_not_looked_through(run, tmp_path):
    """What cannot be listed, or holds far too much, is a problem as any other; how many files it has is left open."""
    tmp_path.joinpath("rules").mkdir()
    for number in range(limits.RULE_FOLDER_ENTRIES + 1):
        tmp_path.joinpath("rules", str(number)).touch()
    done = run("check")
    assert (done.returncode, done.stderr) == (1, "rules: 1 error, 0 warnings\n")
    assert "[too-many-files]" in done.stdout


def test_an_empty_folder(run, tmp_path):
    """A folder without rule files is a wrong folder, and is told so."""
    tmp_path.joinpath("rules").mkdir()
    done = run("check")
    assert done.returncode == 1
    assert "[no-files]" in done.stdout
    assert done.stderr.startswith("rules: 0 files")


def test_names_that_are_not_utf8(run, tmp_path):
    """A file name that no encoding can print is printed anyhow."""
    tmp_path.joinpath("rules").mkdir()
    shutil.copy(CASES[0] / "rules" / "all.yaml", os.fsencode(tmp_path) + b"/rules/na\xefve.yaml")
    done = run("check")
    assert "Traceback" not in done.stderr


def test_a_file_is_not_checked_alone(run, house):
    """Files refer to each other, so the folder that it belongs to is named."""
    done = run("check", "rules/traits.yaml", cwd=house)
    assert (done.returncode, done.stdout) == (2, "")
    assert "is a file, and files refer to each other: check takes the whole folder, rules." in done.stderr


VISITORS = """{"visitorId": "ada", "traits": {"employees": "120", "plan": "team"}}
{"visitorId": "alan", "traits": {"employees": "80"}}
"""
RULES = """segments:
  s: {name: S, when: traits.employees > 100 && traits.plann == "team"}
experiences:
  e: {name: E, pages: [/], audiences: [{segment: s, variants: [{key: v, changes: []}]}]}
"""


@pytest.fixture
def stored(run, tmp_path):
    """A folder with rules and, under `data`, two visitors."""
    tmp_path.joinpath("rules").mkdir()
    tmp_path.joinpath("rules", "all.yaml").write_text(RULES, encoding="utf-8")
    assert run("import", "-", stdin=VISITORS).returncode == 0
    return tmp_path


def test_traits_that_nobody_has(run, stored):
    """With --store the catalogue is asked: a misspelt trait, and texts that are compared with a number."""
    done = run("check", "--format", "json", "--store")
    found = {problem["code"]: problem for problem in json.loads(done.stdout)}
    assert (done.returncode, found.keys()) == (0, {"unseen-trait", "unseen-type"})
    assert found["unseen-trait"]["message"] == "none of the 2 stored records has `traits.plann`"
    assert found["unseen-trait"]["hint"] == "did you mean `traits.plan`?"
    assert "`traits: {employees: {type: number}}`" in found["unseen-type"]["hint"]


def test_without_store_nobody_is_asked(run, stored):
    """The same rules alone are in order; a sample says of whom it speaks."""
    assert run("check").stderr.endswith("0 errors, 0 warnings\n")
    assert (
        "none of a sample of 1 of 2 stored records has `traits.plann`" in run("check", "--store", "--sample", 1).stdout
    )


def test_where_there_is_no_store(run, stored):
    """No data folder, a folder for a URL: one line, exit code 2. An empty store: a word, and no doubts."""
    for arguments in (["--data", "elsewhere", "--store"], ["--store", "rules"]):
        done = run("check", *arguments)
        assert (done.returncode, done.stdout) == (2, "")
        assert "Traceback" not in done.stderr
    run("import", "-", "--data", "empty", stdin="")
    done = run("check", "--data", "empty", "--store")
    assert (done.returncode, done.stdout) == (0, "")
    assert done.stderr.startswith("nothing is stored, so no trait")


def test_a_bar_where_somebody_looks(on_terminal, stored):
    """Looking through the records shows how far it is, on a terminal."""
    assert "records" in on_terminal("check", "--store")
