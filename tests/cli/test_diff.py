"""`mutiny-edge diff`: cases are two folders that a user could have written, with what is printed, whole, beside them.

`UPDATE=1 python -m pytest tests/cli/test_diff.py` writes the expectations anew; read the difference before it goes in.
"""

import json
import os
import shlex
import shutil
from pathlib import Path

import pytest

CASES = sorted(Path(__file__).with_name("edits").iterdir())
README = Path(__file__).with_name("edits") / "readme"


@pytest.fixture
def stored(run, tmp_path):
    """A data folder with 400 small fintech companies."""
    lines = [
        json.dumps({"visitorId": f"v{number}", "traits": {"industry": "fintech", "employees": 40 + number % 80}})
        for number in range(400)
    ]
    data = tmp_path / "stored"
    done = run("import", "-", "--data", data, stdin="\n".join(lines))
    assert done.returncode == 0, done.stderr
    return data


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_case(run, case):
    """What `diff old new` prints, and its exit code, is what stands in `expected.txt`."""
    done = run("diff", "old", "new", cwd=case)
    printed = f"{done.stdout}{done.stderr}exit code {done.returncode}\n"
    expected = case / "expected.txt"
    assert "Traceback" not in printed
    if os.environ.get("UPDATE"):
        expected.write_text(printed, encoding="utf-8")
    assert printed == expected.read_text(encoding="utf-8")


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_exit_codes(run, case):
    """1 where a side has errors, 2 where a live experience is drawn anew, 0 otherwise; the JSON says the same."""
    done = run("diff", "old", "new", "--format", "json", cwd=case)
    answer = json.loads(done.stdout)
    assert done.returncode == (1 if answer["problems"] else 2 if answer["drawnAnew"] else 0)
    assert done.stderr == ""


@pytest.mark.parametrize(
    "case", [case for case in CASES if case.name not in {"broken", "failing-test"}], ids=lambda case: case.name
)
def test_a_folder_and_itself(run, case):
    """A folder and itself: nothing, exit code 0."""
    done = run("diff", "new", "new", cwd=case)
    assert (done.returncode, done.stdout) == (0, "Nothing that decides has changed.\n")


def test_new_is_the_rules_folder(run, tmp_path):
    """Left out, NEW is what `--rules` or the environment names."""
    shutil.copytree(README / "new", tmp_path / "rules")
    assert run("diff", README / "old").returncode == 2
    assert run("diff", README / "old", env={"MUTINY_EDGE_RULES": str(README / "old")}).returncode == 0
    assert run("diff", README / "old", "--rules", README / "old").returncode == 0


def test_stored_visitors_are_counted(run, stored):
    """With `--store` those who move are counted, each in its way, with the share of the ruleset's own figure."""
    done = run("diff", "old", "new", "--data", stored, "--format", "json", "--store", cwd=README)
    assert done.returncode == 2
    visitors = json.loads(done.stdout)["visitors"]
    assert (visitors["stored"], visitors["visitors"]) == (400, 400)
    [moved] = visitors["experiences"]
    assert (moved["experience"], moved["seen"], set(moved["ways"])) == ("homepage", 400, {"to personalized"})
    assert 20 <= moved["moved"] == visitors["moved"] <= 60
    for example in moved["examples"]:
        assert example["old"] == {"segment": "fintech", "variant": None}
        assert example["new"] == {"segment": "fintech", "variant": "trust"}


def test_examples_really_move(run, stored):
    """The named visitors are decided as the difference says, by the service's own decision."""
    done = run("diff", "old", "new", "--data", stored, "--format", "json", "--store", cwd=README)
    [moved] = json.loads(done.stdout)["visitors"]["experiences"]
    for example in moved["examples"]:
        for rules, personalized in (("old", False), ("new", True)):
            asked = ("--visitor", example["visitorId"], "--url", example["url"], "--data", stored, "--rules", rules)
            [decision] = json.loads(run("decide", *asked, cwd=README).stdout)["decisions"]
            assert decision["personalized"] is personalized


def test_commands_that_explain(run, stored):
    """Examples come as command lines with everything that `explain` needs."""
    shown = run("diff", "old", "new", "--data", stored, "--store", cwd=README).stdout
    commands = [shlex.split(line) for line in shown.splitlines() if line.strip().startswith("mutiny-edge explain")]
    assert len(commands) == 3
    for command in commands:
        given = dict(zip(command[2::2], command[3::2], strict=True))
        assert given.keys() == {"--rules", "--data", "--visitor", "--url"}
        assert (given["--rules"], given["--data"]) == ("new", str(stored))


def test_a_sample(run, stored):
    """Of a large store a sample is asked, and the share has its margin; `--all` asks everybody."""
    few = run("diff", "old", "new", "--data", stored, "--sample", "50", "--store", cwd=README).stdout
    assert "Of a sample of 50 of 400 stored visitors" in few
    assert "± " in few
    everyone = run("diff", "old", "new", "--data", stored, "--sample", "50", "--all", "--store", cwd=README).stdout
    assert "Of 400 stored visitors" in everyone
    assert "±" not in everyone


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        (("old", "gone"), "'gone' does not exist"),
        (("HEAD~1",), "git:HEAD~1"),
        (("old", "new", "--store", "old"), "expected a URL"),
        (("old", "new", "--store"), "mutiny-edge import"),
        (("old", "new", "--store", "redis://nowhere"), "redis://nowhere"),
        ((), "OLD"),
    ],
)
def test_what_cannot_be_carried_out(run, arguments, word):
    """Exit code 2, one line that says why, and nothing on stdout."""
    done = run("diff", *arguments, cwd=README, env={"MUTINY_EDGE_DATA": "/nowhere/data"})
    assert (done.returncode, done.stdout) == (2, "")
    assert word in done.stderr
    assert "Traceback" not in done.stderr


def test_an_error_on_either_side(run):
    """Errors of the old side are told as well, with file, line and caret."""
    done = run("diff", "new", "old", cwd=README.parent / "broken")
    assert done.returncode == 1
    assert done.stdout.startswith("new/homepage.yaml:10:18: error: unknown segment `fintec`")
