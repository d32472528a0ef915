"""The pages that people read, taken apart: README and the guide. A plain module of these tests.

1. A ```console block holds commands behind `$ ` with their whole output; they are run in the checkout.
2. A ```sh block holds commands that are run too, all of a page's in one shell, in a folder of their own; but not one
   under `<!-- elsewhere: … -->`, which says why no test can (a package manager, an account with somebody).
3. Between `<!-- name: … -->` and `<!-- end -->` stands a table that the program makes.
"""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import re2

HOUSE = Path(__file__).resolve().parent.parent.parent
README = HOUSE / "README.md"
PAGES = [README, *sorted(HOUSE.joinpath("engine/guide").glob("*.md"))]
UPDATE = bool(os.environ.get("UPDATE"))
PROGRAMS = Path(sys.executable).parent
END = "<!-- end -->"
ELSEWHERE = "<!-- elsewhere:"
_LIMIT_S = 120


def name_of(page: Path) -> str:
    """As people write it."""
    return page.relative_to(HOUSE).as_posix()


def fenced(text: str, kind: str) -> list[str]:
    """What stands in the blocks of this kind, also where they are part of a list."""
    found: list[str] = []
    lines: list[str] | None = None
    indent, before = 0, ""
    for line in text.splitlines():
        if lines is None and line.strip() == f"```{kind}" and not before.startswith(ELSEWHERE):
            lines, indent = [], len(line) - len(line.lstrip())
        elif lines is not None and line.strip() == "```":
            found.append("\n".join(lines) + "\n")
            lines = None
        elif lines is not None:
            lines.append(line[indent:])
        before = line.strip() or before
    return found


def shop() -> str:
    """The rules of the README's first five minutes, as its shell writes them."""
    _, _, written = README.read_text(encoding="utf-8").partition("<<'YAML'\n")
    rules, _, _ = written.partition("\nYAML\n")
    return f"{rules}\n"


def printed_on(page: Path) -> Iterator[tuple[str, str]]:
    """Each command of a page's console blocks with the output that stands under it."""
    for block in fenced(page.read_text(encoding="utf-8"), "console"):
        commands = block.split("$ ")
        assert commands[0] == "", f"{name_of(page)}: a console block begins with a command"
        for command in commands[1:]:
            first, _, output = command.partition("\n")
            yield first, output


def replace_output(page: Path, command: str, shown: str, printed: str) -> None:
    """Write what is printed now, with the indentation of its block."""
    text = page.read_text(encoding="utf-8")
    at = text.index(f"$ {command}\n")
    indent = text[text.rindex("\n", 0, at) + 1 : at]
    before, after = (
        "".join(indent + line + "\n" for line in [f"$ {command}", *output.splitlines()]) for output in (shown, printed)
    )
    start = at - len(indent)
    assert text.startswith(before, start)
    page.write_text(text[:start] + after + text[start + len(before) :], encoding="utf-8")


def run(command: str, folder: Path = HOUSE, **more: str) -> tuple[int, str]:
    """The exit code of the command, and what it prints on either stream."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("MUTINY_EDGE_", "OTEL_"))}
    with TemporaryDirectory() as scratch:  # where `mktemp` of a command puts what nobody needs afterwards
        done = subprocess.run(
            ["bash", "-c", command],
            check=False,
            cwd=folder,
            # No data folder of whoever runs the tests may change an answer.
            env=kept | {"PATH": f"{PROGRAMS}:{os.environ['PATH']}", "TMPDIR": scratch} | more,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
            timeout=_LIMIT_S,
        )
    return done.returncode, even(done.stdout)


def even(output: str) -> str:
    """The same without what differs from run to run and from machine to machine."""
    output = re2.sub(r"http://127\.0\.0\.1:\d+", "http://127.0.0.1:8080", output)
    return output.replace(f"{HOUSE}/", "")
