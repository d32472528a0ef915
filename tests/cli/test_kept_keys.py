"""Keys that a node only reads: whoever would make one there is told where to do it."""

import os
import shutil
import subprocess

import pytest

RULES = """\
segments:
  a: {name: A, when: has(traits.a)}
experiences:
  site:
    name: Site
    pages: ["https://www.example.com/"]
    audiences: [{segment: a, variants: [{key: hero, changes: [{selector: h1, text: A}]}]}]
"""
READ_ONLY = """\
mount --bind keys keys && mount -o remount,bind,ro keys || { echo no mount >&2; exit 99; }
exec "$@"
"""
PREVIEW = ("preview", "site", "--variant", "hero")


@pytest.fixture
def in_a_pod(program, run, surroundings, tmp_path):
    """`in_a_pod("sources", "rotate", "www")`: `data/` has links to `keys/`, which may only be read."""
    (tmp_path / "rules").mkdir()
    (tmp_path / "rules" / "site.yaml").write_text(RULES)
    assert run("sources", "add", "www", "--kind", "website", "--data", "keys").returncode == 0
    (tmp_path / "data").mkdir()
    for name in ("sources.json", "webhooks.json", "preview.key"):
        (tmp_path / "data" / name).symlink_to(tmp_path / "keys" / name)

    def in_a_pod(*arguments):
        command = ["unshare", "-rm", "sh", "-c", READ_ONLY, "sh", program, *arguments]
        done = subprocess.run(command, cwd=tmp_path, env=surroundings, check=False, capture_output=True, text=True)
        if done.returncode == 99:
            pytest.skip("a file system cannot be mounted here")
        return done

    return in_a_pod


@pytest.mark.skipif(shutil.which("unshare") is None, reason="no unshare on this machine")
@pytest.mark.parametrize(
    "arguments", [PREVIEW, ("sources", "rotate", "www"), ("sources", "rotate", "www", "--webhook")]
)
def test_a_folder_that_may_only_be_read(in_a_pod, tmp_path, arguments):
    """Exit code 2, the folder, and what to do; nothing is changed."""
    before = {path.name: path.read_bytes() for path in (tmp_path / "keys").iterdir()}
    done = in_a_pod(*arguments)
    assert (done.returncode, done.stdout) == (2, "")
    assert f"{tmp_path / 'keys'}: " in done.stderr
    assert "may only be read from here; run the same where the keys are kept, with `--data FOLDER`" in done.stderr
    assert ".new" not in done.stderr
    assert before == {path.name: path.read_bytes() for path in (tmp_path / "keys").iterdir()}


@pytest.mark.skipif(shutil.which("unshare") is None, reason="no unshare on this machine")
def test_a_key_that_was_made_is_enough(in_a_pod, run):
    """The same link, here and there."""
    made = run(*PREVIEW, "--data", "keys")
    assert made.returncode == 0, made.stderr
    assert in_a_pod(*PREVIEW).stdout.partition("?")[0] == made.stdout.partition("?")[0] != ""


def test_other_trouble_is_told_as_ever(run, tmp_path):
    """A file of keys that cannot be read at all is named."""
    (tmp_path / "data" / "sources.json").mkdir(parents=True)
    done = run("sources", "rotate", "www", "--data", "data")
    assert done.returncode == 2
    assert f"sources.json: {os.strerror(21)}" in done.stderr
