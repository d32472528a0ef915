"""README cannot lie: what it prints is what the program prints, and its tables are the program's own.

`UPDATE=1 python -m pytest tests/test_docs.py` writes outputs and tables anew; read the difference before it goes in.

1. In a ```console block a line `$ command` is run in the checkout; what stands under it is its whole output.
2. Between `<!-- name: … -->` and `<!-- end -->` stands a table that one of the functions below makes.
3. What differs from run to run (ports, temporary folders) is evened out on both sides.
"""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import click
import pytest
import re2

from engine.cli.main import VERBS, main
from engine.web.refusal import CODES

HOUSE = Path(__file__).resolve().parent.parent
README = HOUSE / "README.md"
UPDATE = bool(os.environ.get("UPDATE"))
PROGRAMS = Path(sys.executable).parent
VECTORS = HOUSE / "tests/decide/split_vectors.json"
SHOWN = {("corporate-website", "v1"), ("pricing", "user-4711"), ("価格", "ユーザー")}
SHOWN_GROUPS = ("pricing", "small-company", "v1")
OPEN, CLOSE = "```console\n", "```\n"


def blocks() -> list[tuple[str, str]]:
    """Each command of README with the output that stands under it."""
    return list(_blocks(README.read_text(encoding="utf-8")))


def _blocks(text: str) -> Iterator[tuple[str, str]]:
    for piece in text.split(OPEN)[1:]:
        commands = piece.partition(CLOSE)[0].split("$ ")
        assert commands[0] == "", "a console block begins with a command"
        for command in commands[1:]:
            first, _, output = command.partition("\n")
            yield first, output


def run(command: str) -> str:
    """What the command prints in the checkout, on either stream."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("MUTINY_EDGE_")}
    with TemporaryDirectory() as scratch:  # where `mktemp` of a command puts what nobody needs afterwards
        done = subprocess.run(
            ["bash", "-c", command],
            check=False,
            cwd=HOUSE,
            # No data folder of whoever runs the tests may change an answer.
            env=kept | {"PATH": f"{PROGRAMS}:{os.environ['PATH']}", "MUTINY_EDGE_DATA": "/nowhere", "TMPDIR": scratch},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
            timeout=120,
        )
    return even(done.stdout)


def even(output: str) -> str:
    """The same without what differs from run to run and from machine to machine."""
    output = re2.sub(r"http://127\.0\.0\.1:\d+", "http://127.0.0.1:8080", output)
    return output.replace(f"{HOUSE}/", "")


@pytest.mark.parametrize("command", [command for command, _ in blocks()])
def test_printed_output_is_real(command):
    """What README shows under a command is what the command prints."""
    shown = dict(blocks())[command]
    printed = run(command)
    if UPDATE:
        text = README.read_text(encoding="utf-8")
        README.write_text(text.replace(f"$ {command}\n{shown}", f"$ {command}\n{printed}"), encoding="utf-8")
        shown = printed
    assert shown == printed


def commands_table() -> str:
    """Every verb with its line."""
    rows = [f"| `{verb}` | {line.rstrip('.')} |" for verb, line in VERBS.items()]
    return "\n".join(["| command | does |", "|---|---|", *rows])


def codes_table() -> str:
    """Every error code that a client can see."""
    rows = [f"| `{code}` | {status} | {title} |" for code, (status, title) in CODES.items()]
    return "\n".join(["| code | status | meaning |", "|---|---|---|", *rows])


def vectors() -> dict[str, list[dict[str, Any]]]:
    """The vectors of the split, as they are fixed for every language."""
    found: dict[str, list[dict[str, Any]]] = json.loads(VECTORS.read_text(encoding="utf-8"))
    return found


def draws_table() -> str:
    """Some draws: what is hashed, and the number."""
    rows = [
        f"| `{d['role']}:{d['experience']}:{d['segment']}:{d['salt']}:{d['unit']}` | {d['draw']} |"
        for d in vectors()["draws"]
        if (d["experience"], d["unit"]) in SHOWN
    ]
    return "\n".join(["| hashed text | draw |", "|---|---|", *rows])


def groups_table() -> str:
    """Some visitors: their shares, and the groups that they draw."""
    rows = [
        f"| `{g['experience']}` `{g['segment']}` `{g['unit']}` "
        f"| {g['control_ppm']:,} | {g['weights']} | {g['holdout_ppm']:,} "
        f"| {yes(g['control'])} | {g['variant']} | {yes(g['held_out'])} |"
        for g in vectors()["groups"]
        if (g["experience"], g["segment"], g["unit"]) == SHOWN_GROUPS and g["salt"] == ""
    ]
    head = "| experience, segment, unit | control ppm | weights | holdout ppm | control | variant | held out |"
    return "\n".join([head, "|---|---|---|---|---|---|---|", *rows])


def yes(fact: bool) -> str:
    """As people write it."""
    return "yes" if fact else "no"


TABLES = {"commands": commands_table, "codes": codes_table, "draws": draws_table, "groups": groups_table}


@pytest.mark.parametrize("name", TABLES)
def test_tables_are_the_programs_own(name):
    """The tables of README are those of the program."""
    text = README.read_text(encoding="utf-8")
    begin = text.index("\n", text.index(f"<!-- {name}:")) + 1
    end = text.index("<!-- end -->", begin)
    made = TABLES[name]() + "\n"
    if UPDATE:
        README.write_text(text[:begin] + made + text[end:], encoding="utf-8")
        return
    assert text[begin:end] == made


def test_the_rules_in_readme_are_in_order(tmp_path):
    """The YAML that README teaches with has no problem, no warning, and its own test passes."""
    [text] = [piece.partition("```\n")[0] for piece in README.read_text(encoding="utf-8").split("```yaml\n")[1:]]
    tmp_path.joinpath("readme.yaml").write_text(text, encoding="utf-8")
    assert "1 test passed; 0 errors, 0 warnings" in run(f"mutiny-edge check {tmp_path}")


def options_of(verb: str) -> list[click.Option]:
    """The options of a verb; of one with verbs of its own, those of all of them."""
    command = main.get_command(click.Context(main), verb)
    assert command is not None
    commands = [command, *command.commands.values()] if isinstance(command, click.Group) else [command]
    return [parameter for one in commands for parameter in one.params if isinstance(parameter, click.Option)]


@pytest.mark.parametrize("verb", VERBS)
def test_every_option_explains_itself(verb):
    """No option without a line of help."""
    assert [option.name for option in options_of(verb) if not option.help] == []


@pytest.mark.parametrize("verb", VERBS)
def test_examples_in_help_name_real_options(verb):
    """What a verb's help shows as an example uses only options that exist."""
    command = main.get_command(click.Context(main), verb)
    known = {name for option in options_of(verb) for name in option.opts}
    assert set(re2.findall(r"--[a-z-]+", command.epilog or "")) <= known


def test_readme_names_real_options():
    """Options in README's commands exist."""
    text = README.read_text(encoding="utf-8")
    for call in (call for line in text.splitlines() for call in line.split("mutiny-edge ")[1:]):
        words = call.replace("`", " ").split()
        verb = words[0] if words else ""
        if verb in VERBS:
            known = {name for option in options_of(verb) for name in option.opts}
            assert {word for word in words if word.startswith("--")} <= known, call


def test_every_environment_variable_is_real():
    """A `MUTINY_EDGE_…` in README, Dockerfile or the rules is one that some option reads."""
    known = {str(option.envvar) for verb in VERBS for option in options_of(verb) if option.envvar}
    for path in (README, HOUSE / "Dockerfile"):
        named = set(re2.findall(r"MUTINY_EDGE_[A-Z_]+", path.read_text(encoding="utf-8")))
        assert named <= known, path


def test_links_lead_somewhere():
    """Every relative link of README names a file or folder of the checkout."""
    links = re2.findall(r"\]\(([^)#:]+)\)", README.read_text(encoding="utf-8"))
    assert links
    assert [link for link in links if not (HOUSE / link).exists()] == []
