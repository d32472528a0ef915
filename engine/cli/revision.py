"""Rule files as a git revision has them: `git:REV`. Nothing is checked out, nothing in the checkout is touched.

1. The folder is the one that `--rules` names; its path within the checkout is looked up in the revision. It need not
   exist in the working tree any more.
2. `git ls-tree` names the files, `git cat-file` reads them. What counts as a rule file is the same as in a
   folder (`rules.files`): `*.yaml` and `*.yml` at any depth, nothing that begins with a dot. Links to files of the
   revision are followed; a link to a folder is refused, since passing over it would make a smaller ruleset of it.
3. Files are named as git names them, `REV:rules/segments.yaml`, so that `git show` opens what a message points at.
4. No git, no checkout, no such revision: each is one line and exit code 2.
"""

import shutil
import subprocess
from pathlib import Path, PurePosixPath

from engine import limits
from engine.cli.screen import fail
from engine.rules.files import RuleText, is_named_as_one

PREFIX = "git:"
LINK = "120000"  # git's mode of a symbolic link


def texts(revision: str, rules: Path) -> list[RuleText]:
    """The rule files of a folder at a revision, by name."""
    git = Git(rules)
    commit = git.commit(revision)
    names = git.rule_files(commit)
    if len(names) > limits.RULE_FILES:
        fail(f"{PREFIX}{revision}: more than {limits.RULE_FILES} rule files in {rules}: is this the right folder?")
    bodies = git.bodies(commit, names)
    return [RuleText(f"{revision}:{shown(name)}", body) for name, body in zip(names, bodies, strict=True)]


def is_rule_file(name: PurePosixPath) -> bool:
    """A `*.yaml` or `*.yml`, neither hidden nor in a hidden folder."""
    return is_named_as_one(name.name) and not is_hidden(name)


def is_hidden(name: PurePosixPath) -> bool:
    """Does the name or a folder on the way begin with a dot?"""
    return any(part.startswith(".") for part in name.parts)


def shown(name: PurePosixPath) -> str:
    """The name, printable whatever bytes it is made of."""
    return str(name).encode("utf-8", "surrogateescape").decode("utf-8", "replace")


class Git:
    """The checkout around a folder, asked by the `git` command."""

    def __init__(self, folder: Path) -> None:
        program = shutil.which("git")
        if program is None:
            fail(f"{PREFIX}REV needs the `git` command, and there is none on this machine")
        self._program = program
        real = folder.resolve()
        self._here = next(parent for parent in (real, *real.parents) if parent.is_dir())
        done = self._run("rev-parse", "--show-toplevel")
        if done.returncode:
            fail(f"{folder}: not in a git checkout, so {PREFIX}REV means nothing here ({told(done)})")
        self._top = text_of(done)
        # What git itself calls this folder; the rest of the path may be gone from the working tree.
        inside = PurePosixPath(text_of(self._run("rev-parse", "--show-prefix")))
        self._folder = inside / real.relative_to(self._here).as_posix()

    def commit(self, revision: str) -> str:
        """The commit that a revision names."""
        done = self._run("rev-parse", "--verify", "--end-of-options", f"{revision}^{{commit}}")
        if done.returncode:
            shallow = self._run("rev-parse", "--is-shallow-repository").stdout.strip() == b"true"
            hint = "; this clone is shallow: fetch more of it (actions/checkout: fetch-depth: 0)" if shallow else ""
            fail(f"{PREFIX}{revision}: no such revision in {self._top}{hint}")
        return done.stdout.decode().strip()

    def rule_files(self, commit: str) -> list[PurePosixPath]:
        """The rule files below the folder, sorted."""
        under = [] if self._folder == PurePosixPath() else ["--", f"{self._folder}/"]
        done = self._run("ls-tree", "-r", "-z", "--full-tree", commit, *under)
        if done.returncode:
            fail(f"git ls-tree: {told(done)}")
        found = []
        for entry in done.stdout.decode(errors="surrogateescape").split("\0")[:-1]:
            about, _, name = entry.partition("\t")
            path = PurePosixPath(name)
            if (
                about.startswith(LINK)
                and not is_hidden(path.relative_to(self._folder))
                and self._is_folder(commit, path)
            ):
                fail(f"{shown(path)} is a link to a folder, which {PREFIX}REV does not follow: compare two folders")
            if is_rule_file(path.relative_to(self._folder)):
                found.append(path)
        return sorted(found, key=str)

    def bodies(self, commit: str, names: list[PurePosixPath]) -> list[bytes]:
        """What is in these files, at most one byte more of each than a rule file may have."""
        left, bodies = self._look("--batch", commit, names), []
        for name in names:
            head, _, left = left.partition(b"\n")
            *_, kind, size = head.split(b" ")
            if kind != b"blob":  # a link out of the revision, to nothing, or in a ring
                fail(f"{shown(name)}: a link that leads to no file of the revision")
            bodies.append(left[: min(int(size), limits.RULE_FILE_BYTES + 1)])
            left = left[int(size) + 1 :]
        return bodies

    def _is_folder(self, commit: str, link: PurePosixPath) -> bool:
        return b" tree " in self._look("--batch-check", commit, [link]).partition(b"\n")[0]

    def _look(self, how: str, commit: str, names: list[PurePosixPath]) -> bytes:
        """What `git cat-file` says of these names, links followed."""
        for name in names:
            if "\n" in str(name):
                fail(f"{shown(name)!r}: a file name with a line end")
        asked = "".join(f"{commit}:{name}\n" for name in names).encode(errors="surrogateescape")
        done = self._run("cat-file", how, "--follow-symlinks", stdin=asked)
        if done.returncode:
            fail(f"git cat-file: {told(done)}")
        return done.stdout

    def _run(self, *arguments: str, stdin: bytes = b"") -> "subprocess.CompletedProcess[bytes]":
        command = [self._program, "-C", str(self._here), *arguments]
        return subprocess.run(command, check=False, input=stdin, capture_output=True)  # noqa: S603 - no shell, no option


def text_of(done: "subprocess.CompletedProcess[bytes]") -> str:
    """What git printed: one path."""
    return done.stdout.decode(errors="surrogateescape").removesuffix("\n")


def told(done: "subprocess.CompletedProcess[bytes]") -> str:
    """The first thing that git says is wrong."""
    lines = done.stderr.decode(errors="replace").strip().splitlines()
    return lines[0].removeprefix("fatal: ") if lines else f"exit code {done.returncode}"
