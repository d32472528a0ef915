"""`mutiny-edge import`: what goes in, what is left out, and what people are told."""

import json

import pytest

GOOD = '{"visitorId": "ada", "traits": {"company": "Northbank"}}\n'
BAD = '{"visitorId": "ada" "traits": {}}\n'


@pytest.fixture
def visitors(tmp_path):
    """Writes lines into a file and names it."""

    def visitors(*lines: str):
        path = tmp_path / "visitors.ndjson"
        path.write_text("".join(lines))
        return path

    return visitors


def test_what_is_imported_is_decided_on(run, house, visitors):
    """A trait that was imported is in the next decision."""
    assert (
        run("import", visitors('{"visitorId": "x", "traits": {"is_customer": true, "firstName": "Zoe"}}\n')).returncode
        == 0
    )
    done = run("decide", "--rules", house / "rules", "--visitor", "x", "--url", "https://www.example.com/")
    assert "Welcome back, Zoe" in done.stdout


def test_bad_lines_are_left_out_by_number(run, visitors):
    """Lines that cannot be read are told as file:line with a reason; exit code 1; the others are in."""
    path = visitors(GOOD, BAD, GOOD, '{"visitorId": "not an id"}\n')
    done = run("import", path)
    assert done.returncode == 1
    assert done.stdout == ""
    told = done.stderr.splitlines()
    assert [line.partition(": ")[0] for line in told[:2]] == [f"{path}:2", f"{path}:4"]
    assert told[-1] == f"{path}: 4 lines, 2 imported, 2 left out"


def test_stdin(run):
    """`-` reads from stdin."""
    done = run("import", "-", stdin=GOOD * 3)
    assert (done.returncode, done.stderr) == (0, "<stdin>: 3 lines, 3 imported, 0 left out\n")


def test_for_programs(run, visitors):
    """`--format json` prints the counts and the reasons."""
    done = run("import", "--format", "json", visitors(GOOD, BAD))
    answer = json.loads(done.stdout)
    assert {name: answer[name] for name in ("total", "imported", "rejected")} == {
        "total": 2,
        "imported": 1,
        "rejected": 1,
    }
    assert answer["reasons"][0]["line"] == 2
    assert done.stderr == ""


def test_a_bar_on_a_terminal(on_terminal, run, visitors):
    """A terminal shows how far it is; a pipe stays quiet."""
    path = visitors(*[GOOD] * 5_000)
    assert "100%" in on_terminal("import", path)
    assert "%" not in run("import", path).stderr


def test_an_empty_file_is_fine(run, visitors):
    """Nothing in, nothing wrong."""
    assert run("import", visitors("")).returncode == 0


def test_a_file_that_is_not_there(run):
    """It is named, and no data folder is made."""
    done = run("import", "gone.ndjson")
    assert done.returncode == 2
    assert "gone.ndjson" in done.stderr


def test_a_folder_is_no_file(run, tmp_path):
    """A folder is told to be one."""
    done = run("import", tmp_path)
    assert done.returncode == 2
    assert "Traceback" not in done.stderr
