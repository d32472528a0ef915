"""What the engine itself refuses is told in words, whichever verb meets it."""

import os
import shutil
import subprocess

import pytest

LINE = '{"visitorId": "ada", "traits": {"company": "Northbank"}}\n'
ASK = ("decide", "--visitor", "ada", "--url", "https://www.example.com/")
SERVE = ("serve", "--port", "0")
DEMO = ("demo", "--once", "--port", "0", "--rules", "rules")
SIMULATE = ("simulate", "--visitors", "100")
ADD = ("sources", "add", "www", "--kind", "website")
ON_A_FULL_DISK = """\
mount -t tmpfs -o size=64k none disk && cd disk || { echo no mount >&2; exit 99; }
dd if=/dev/zero of=filler bs=512 2>/dev/null
"$@"
code=$?
ls -A data
exit $code
"""


@pytest.mark.parametrize("verb", [ASK, SERVE, DEMO], ids=lambda verb: verb[0])
def test_broken_rules(run, tmp_path, verb):
    """Rules that cannot be taken: every place is named, exit code 2."""
    tmp_path.joinpath("rules").mkdir()
    tmp_path.joinpath("rules", "segments.yaml").write_text("segments:\n  x: {name: X, when: traits.a = 1}\n")
    done = run(*verb)
    assert (done.returncode, done.stdout) == (2, "")
    assert "rules/segments.yaml:2:31: error" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("verb", [ASK, SERVE, ("import", "-")], ids=lambda verb: verb[0])
def test_a_damaged_store(run, house, tmp_path, verb):
    """A store whose file was emptied is not taken for a new one; the message names it."""
    assert run("import", "-", stdin=LINE).returncode == 0
    [stored] = tmp_path.glob("data/**/data.mdb")
    stored.write_bytes(b"")
    rules = () if verb[0] == "import" else ("--rules", house / "rules")
    done = run(*verb, *rules, stdin=LINE)
    assert (done.returncode, done.stdout) == (2, "")
    assert "data" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_store_of_a_kind_that_is_not_known(run):
    """`--store` names what it cannot open."""
    done = run("import", "--store", "redis://127.0.0.1", "-", stdin=LINE)
    assert done.returncode == 2
    assert "redis://127.0.0.1" in done.stderr


@pytest.mark.skipif(shutil.which("unshare") is None, reason="no unshare on this machine")
@pytest.mark.parametrize(
    ("verb", "where", "left"),
    [
        (SERVE, "no room to write in data/profiles", "profiles\n"),
        (SIMULATE, "no room to write in data/profiles", ""),
        (ADD, "data/sources.json", "sources.lock\n"),
    ],
    ids=["serve", "simulate", "sources"],
)
def test_a_full_disk(program, surroundings, house, tmp_path, verb, where, left):
    """Exit code 2, what could not be written and why; half a stream would look like a whole one, so none is left."""
    (tmp_path / "disk").mkdir()
    command = ["unshare", "-rm", "sh", "-c", ON_A_FULL_DISK, "sh", program, *verb]
    settings = {"MUTINY_EDGE_RULES": str(house / "rules")}
    done = subprocess.run(
        command, cwd=tmp_path, env=surroundings | settings, check=False, capture_output=True, text=True
    )
    if done.returncode == 99 or "unshare:" in done.stderr:
        pytest.skip("a file system cannot be mounted here")
    assert (done.returncode, done.stdout) == (2, left)
    assert f"mutiny-edge: {where}: {os.strerror(28)}\n" in done.stderr
