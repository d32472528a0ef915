"""What every verb has in common: help, exit codes, streams, and no traceback for anything that a user can cause."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import re2

from engine.cli.main import VERBS, main

VISIT = ("decide", "--visitor", "ada", "--url", "https://www.example.com/")


def test_help_lists_every_verb(run):
    """`--help` names each verb with its line."""
    done = run("--help")
    assert done.returncode == 0
    for verb, line in VERBS.items():
        assert f"  {verb} " in done.stdout
        assert line in done.stdout


def test_help_loads_no_room():
    """`--help` imports none of the rooms below, so it is fast however they grow."""
    program = (
        "import sys; from engine.cli.main import main; main(['--help'], standalone_mode=False);"
        "sys.stderr.write(' '.join(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", program], check=False, capture_output=True, text=True, timeout=60)
    loaded = {name for name in done.stderr.split() if name.startswith("engine.")}
    assert loaded == {"engine.cli", "engine.cli.main", "engine.cli.screen"}


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_teaches(run, verb):
    """A verb's help begins as the table says and shows an example."""
    done = run(verb, "--help")
    assert done.returncode == 0
    assert VERBS[verb] in done.stdout
    assert "Example" in done.stdout
    assert f"mutiny-edge {verb}" in done.stdout.partition("Example")[2]


def test_a_mistyped_verb_is_told_with_the_nearest(run):
    """`chek` is `check`; of a word that is like none there is nothing to say."""
    done = run("chek", "rules")
    assert done.returncode == 2
    assert "There is no command `chek`; did you mean `check`?" in done.stderr
    assert "There is no command `xyzzy`." in run("xyzzy").stderr


def test_version(run):
    """`--version` prints name and number."""
    assert run("--version").stdout.startswith("mutiny-edge ")


@pytest.mark.parametrize(
    "arguments",
    [
        ("chekc",),
        ("check", "--formt", "json"),
        ("check", "--format", "xml"),
        ("check", "gone"),
        ("decide",),
        ("serve", "--port", "x"),
    ],
    ids=" ".join,
)
def test_wrong_arguments_are_exit_code_2(run, arguments):
    """Whatever is wrong with the command line itself: exit code 2, a word about it on stderr, nothing on stdout."""
    done = run(*arguments)
    assert (done.returncode, done.stdout) == (2, "")
    assert "Traceback" not in done.stderr
    assert done.stderr.strip()


def test_a_missing_rules_folder_is_named(run):
    """Where no folder is given and `rules` does not exist, the message says so."""
    done = run("check")
    assert done.returncode == 2
    assert "rules" in done.stderr
    assert "does not exist" in done.stderr


def test_an_unusable_data_folder_is_named(run, house, tmp_path):
    """A data folder that is a file: one line that names it."""
    tmp_path.joinpath("data").write_text("")
    done = run("import", "-", stdin='{"visitorId": "ada", "traits": {}}\n')
    assert done.returncode == 2
    assert "data" in done.stderr
    assert "Traceback" not in done.stderr


def test_settings_come_from_the_environment_too(run, house, tmp_path):
    """`MUTINY_EDGE_RULES` stands in for `--rules`."""
    done = run("check", env={"MUTINY_EDGE_RULES": str(house / "rules")})
    assert done.returncode == 0, done.stdout


def test_a_closed_pipe_is_no_news(program, surroundings, house):
    """`mutiny-edge schema | head -1` ends without a word on stderr."""
    done = subprocess.run(
        ["bash", "-c", f"'{program}' schema | head -n 1"],
        env=surroundings,
        check=False,
        capture_output=True,
        text=True,
        timeout=60,
        cwd=house,
    )
    assert done.stdout.startswith("{")
    assert done.stderr == ""


@pytest.mark.parametrize(
    "words", [("--help",), ("config",), ("schema",), ("openapi",), ("check", "--help")], ids=" ".join
)
def test_who_reads_no_further_is_no_problem_that_was_found(program, surroundings, house, words):
    """As every shell expects of a program: 141, and quiet; 1 would be said of the rules."""
    reads, writes = os.pipe()
    os.close(reads)
    with os.fdopen(writes, "wb") as gone:
        told = {"stdout": gone, "stderr": subprocess.PIPE}
        done = subprocess.run([program, *words], env=surroundings, check=False, **told, cwd=house, timeout=60)
    assert (done.returncode, done.stderr) == (141, b"")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no /dev/full")
@pytest.mark.parametrize("words", [("--help",), ("--version",), ("schema",)], ids=" ".join)
def test_what_cannot_be_printed_is_told(program, surroundings, house, words):
    """Also what is printed before there is a verb: one line, and 2."""
    with Path("/dev/full").open("wb") as full:
        told = {"stdout": full, "stderr": subprocess.PIPE}
        done = subprocess.run([program, *words], env=surroundings, check=False, **told, cwd=house, timeout=60)
    assert (done.returncode, done.stderr) == (2, b"mutiny-edge: No space left on device\n")


def test_ctrl_c_ends_quietly(program, surroundings, tmp_path):
    """An interrupted command ends with 130 and no traceback."""
    child = subprocess.Popen(
        [program, "import", "-"],
        cwd=tmp_path,
        env=surroundings,
        stdin=subprocess.PIPE,
        stderr=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    assert child.stdin
    child.stdin.write(b'{"visitorId": "ada", "traits": {}}\n' * 200_000)  # more than any buffer: it is reading by now
    child.stdin.flush()
    child.send_signal(signal.SIGINT)
    _, stderr = child.communicate(timeout=60)
    assert child.returncode == 130, stderr
    assert b"Traceback" not in stderr
    assert re2.search(r"interrupted, [\d,]+ lines are stored; to go on, run it again", stderr.decode())


@pytest.fixture
def broken(tmp_path: Path) -> Path:
    """A rules folder with an error in it."""
    tmp_path.joinpath("broken").mkdir()
    tmp_path.joinpath("broken", "segments.yaml").write_text("segments:\n  x: {name: X, when: traits.a = 1}\n")
    return tmp_path / "broken"


def test_colour_on_a_terminal(on_terminal: Callable[..., str], broken):
    """People see colours, unless they said NO_COLOR, or the terminal knows none; the words are the same."""
    assert "\x1b[" in on_terminal("check", broken)
    for env in ({"NO_COLOR": "1"}, {"TERM": "dumb"}):
        plain = on_terminal("check", broken, env=env)
        assert "\x1b[" not in plain
        assert "segments.yaml:2:" in plain


def test_no_colour_in_a_pipe(run, broken):
    """Programs see none."""
    done = run("check", broken)
    assert "\x1b[" not in done.stdout + done.stderr


def test_the_table_names_the_files(house):
    """Every verb has its file and every file with a command is a verb."""
    with_command = {
        path.stem.rstrip("_") for path in house.glob("engine/cli/*.py") if "\ndef command(" in path.read_text()
    }
    assert with_command == set(VERBS) == set(main.list_commands(main.make_context("mutiny-edge", ["check"])))
