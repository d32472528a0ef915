"""`git:REV`: rule files of a revision, from a real git repository."""

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest

EDITS = Path(__file__).with_name("edits") / "readme"
WHO = {
    name: value
    for role in ("AUTHOR", "COMMITTER")
    for name, value in ((f"GIT_{role}_NAME", "Ada"), (f"GIT_{role}_EMAIL", "ada@example.com"))
}
ALONE = {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1", "GIT_CEILING_DIRECTORIES": "/tmp"}


@pytest.fixture
def git(tmp_path):
    """`git("add", "-A")` in the checkout `tmp_path/house`."""
    house = tmp_path / "house"
    house.mkdir()

    def git(*arguments: str) -> str:
        kept = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
        done = subprocess.run(
            ["git", *arguments], cwd=house, env=kept | WHO | ALONE, check=True, capture_output=True, text=True
        )
        return done.stdout

    git("init", "--quiet", "--initial-branch=main")
    return git


@pytest.fixture
def commit(git):
    """Commits everything, under a tag."""

    def commit(tag: str) -> None:
        git("add", "--all")
        git("commit", "--quiet", "--allow-empty", "--message", tag)
        git("tag", tag)

    return commit


@pytest.fixture
def house(git, commit, tmp_path):
    """A checkout with two commits, `one` and `two`, of `conf/rules`; the working tree has the second."""
    house = tmp_path / "house"
    shutil.copytree(EDITS / "old", house / "conf" / "rules")
    commit("one")
    shutil.copytree(EDITS / "new", house / "conf" / "rules", dirs_exist_ok=True)
    commit("two")
    return house


@pytest.fixture
def diff(run, house):
    """`diff("git:one")` in `conf` of the checkout."""
    return lambda *arguments, cwd=house / "conf", **how: run("diff", *arguments, cwd=cwd, **how)


def test_a_revision_and_the_working_tree(diff):
    """What is not in the revision: the same as between two folders, with git's own names of files."""
    done = diff("git:one")
    assert done.returncode == 2
    assert "- traits.employees < 50  one:conf/rules/homepage.yaml:2" in done.stdout
    assert "+ traits.employees < 80  rules/homepage.yaml:2" in done.stdout
    assert diff("git:two").returncode == diff("git:HEAD").returncode == 0


def test_two_revisions(diff, house):
    """Both sides from git: the working tree does not count, and need not be there."""
    shutil.rmtree(house / "conf" / "rules")
    there, back = diff("git:one", "git:two"), diff("git:HEAD", "git:HEAD~1")
    assert there.returncode == back.returncode == 2
    assert "control 50% -> 40%" in there.stdout
    assert "control 40% -> 50%" in back.stdout


def test_from_inside_and_from_outside(diff, house, tmp_path):
    """`--rules` says which folder is meant, from wherever the command is run."""
    inside = diff("git:one", "--rules", ".", cwd=house / "conf" / "rules")
    outside = diff("git:one", "--rules", house / "conf" / "rules", cwd=tmp_path)
    top = diff("git:one", "--rules", ".", cwd=house)
    assert inside.returncode == outside.returncode == top.returncode == 2


def test_nothing_in_the_checkout_is_touched(diff, git):
    """No checkout, no index, no stash: the state is as before."""
    before = git("status", "--porcelain"), git("rev-parse", "HEAD"), git("stash", "list")
    assert diff("git:one").returncode == 2
    assert (git("status", "--porcelain"), git("rev-parse", "HEAD"), git("stash", "list")) == before


def test_the_same_files_as_in_a_folder(diff, house, commit):
    """Sub-folders and `.yml` count; hidden files and other endings do not; links to files are followed."""
    rules = house / "conf" / "rules"
    (rules / "more").mkdir()
    (rules / "more" / "a.yml").write_text("segments: {more: {name: More, when: traits.more}}\n")
    (rules / ".hidden.yaml").write_text("no: rules\n")
    (rules / "notes.txt").write_text("no rules\n")
    (house / "shared.yaml").write_text("segments: {shared: {name: Shared, when: traits.shared}}\n")
    (rules / "link.yaml").symlink_to("../../shared.yaml")
    (rules / "naïve file.yaml").write_text("segments: {odd: {name: Odd, when: traits.odd}}\n")
    commit("three")
    done = diff("git:three")
    assert (done.returncode, done.stdout) == (0, "Nothing that decides has changed.\n")
    changes = json.loads(diff("git:two", "git:three", "--format", "json").stdout)["changes"]
    assert [(change["change"], change["key"]) for change in changes] == [
        ("added", key) for key in ("more", "odd", "shared")
    ]


def test_links_that_cannot_be_followed(diff, house, commit):
    """A link out of the revision and a link to a folder are told; neither makes a smaller ruleset."""
    link = house / "conf" / "rules" / "out.yaml"
    link.symlink_to("/etc/hostname")
    commit("three")
    done = diff("git:three")
    assert (done.returncode, done.stdout) == (2, "")
    assert "conf/rules/out.yaml: a link that leads to no file" in done.stderr
    link.unlink()
    (house / "shared").mkdir()
    (house / "shared" / "a.yaml").write_text("segments: {more: {name: More, when: traits.more}}\n")
    (house / "conf" / "rules" / "shared").symlink_to("../../shared")
    commit("four")
    assert "is a link to a folder" in diff("git:four").stderr


def test_errors_of_a_revision(diff, house, commit):
    """What is wrong in a revision is told at its place there; exit code 1."""
    file = house / "conf" / "rules" / "homepage.yaml"
    right = file.read_text()
    file.write_text(right.replace("segment: fintech", "segment: fintec"))
    commit("wrong")
    file.write_text(right)
    done = diff("git:wrong")
    assert done.returncode == 1
    assert done.stdout.startswith("wrong:conf/rules/homepage.yaml:10:18: error: unknown segment `fintec`")


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        (("git:nowhere",), "git:nowhere: no such revision"),
        (("git:--help",), "git:--help: no such revision"),
        (("git:",), "no such revision"),
        (("git:one:conf/rules",), "no such revision"),
        (("git:one", "--rules", "elsewhere"), "no rule files in elsewhere at this revision"),
    ],
)
def test_revisions_that_are_none(diff, arguments, word):
    """Each is one line on stderr, exit code 2."""
    done = diff(*arguments)
    assert (done.returncode, done.stdout) == (2, "")
    assert word in done.stderr
    assert done.stderr.count("\n") == 1


def test_outside_of_any_checkout(run, tmp_path):
    """Without a checkout around the rules folder a revision means nothing."""
    shutil.copytree(EDITS / "old", tmp_path / "rules")
    done = run("diff", "git:HEAD", env=ALONE)
    assert (done.returncode, done.stdout) == (2, "")
    assert "rules: not in a git checkout" in done.stderr


def test_without_git(diff, program):
    """A machine without git is told to have none."""
    done = diff("git:one", env={"PATH": str(program.parent)})
    assert (done.returncode, done.stdout) == (2, "")
    assert "there is none on this machine" in done.stderr


def test_a_shallow_clone(run, house, git, tmp_path):
    """Where the revision is missing because the clone is shallow, that is said: it is what happens in CI."""
    subprocess.run(
        ["git", "clone", "--quiet", "--depth=1", f"file://{house}", tmp_path / "clone"],
        check=True,
        env=os.environ | ALONE,
    )
    done = run("diff", "git:HEAD~1", "--rules", "conf/rules", cwd=tmp_path / "clone")
    assert done.returncode == 2
    assert "fetch-depth: 0" in done.stderr
