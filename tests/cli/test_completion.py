"""`mutiny-edge completion`: in a real bash, with the script that the command prints."""

import os
import shutil
import subprocess

import pytest

from engine.cli.main import VERBS

needs_bash = pytest.mark.skipif(not shutil.which("bash") and not os.environ.get("CI"), reason="no bash here")
SCRIPT = """
eval "$(mutiny-edge completion bash)"
complete -p mutiny-edge >&2
compopt() { COMPREPLY+=("$2"); }
for words in "$@"; do
    IFS=' ' read -ra COMP_WORDS <<< "$words"
    [[ $words == *' ' ]] && COMP_WORDS+=('')
    COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
    COMPREPLY=()
    _mutiny_edge_completion mutiny-edge
    echo "${COMPREPLY[@]}"
done
"""


@pytest.fixture
def completed(program, surroundings, tmp_path):
    """`completed("mutiny-edge pre")`: what bash would offer for each of these lines, as lists of words."""

    def completed(*lines: str, **env: str) -> list[list[str]]:
        done = subprocess.run(
            ["bash", "--norc", "-c", SCRIPT, "bash", *lines],
            env=surroundings | {"PATH": f"{program.parent}:{os.environ['PATH']}"} | env,
            cwd=tmp_path,
            check=False,
            capture_output=True,
            text=True,
            timeout=60,
        )
        assert "complete" in done.stderr, done.stderr
        assert len(done.stdout.splitlines()) == len(lines), done.stderr
        return [line.split() for line in done.stdout.splitlines()]

    return completed


@needs_bash
def test_bash_completes_verbs_options_and_keys(completed, house):
    """Experiences for `preview`, `lift` and `explain`, from the folder that is named so far, or the variable's."""
    rules = house / "rules"
    verb, every, option, choice, one, explained, of_variable = completed(
        "mutiny-edge prev",
        "mutiny-edge ",
        "mutiny-edge serve --work",
        "mutiny-edge completion ",
        f"mutiny-edge lift --rules {rules} homepage-i",
        f"mutiny-edge explain --rules {rules} --experience homepage-i",
        "mutiny-edge preview x --variant v --segment small",
        MUTINY_EDGE_RULES=str(rules),
    )
    assert verb == ["preview"]
    assert every == list(VERBS)
    assert option == ["--workers"]
    assert choice == ["bash", "zsh", "fish"]
    assert one == explained == ["homepage-industry"]
    assert of_variable
    assert all(key.startswith("small") for key in of_variable)


@needs_bash
def test_a_completion_never_complains(completed, tmp_path):
    """A folder that is not there, or a file that is none, offers nothing; what can be read is offered."""
    (tmp_path / "rules").mkdir()
    (tmp_path / "rules" / "a.yaml").write_text("experiences:\n  home: [\n")
    (tmp_path / "rules" / "b.yaml").write_text("experiences:\n  homepage: {}\n")
    nowhere, half = completed("mutiny-edge preview --rules /nowhere h", "mutiny-edge preview homep")
    assert (nowhere, half) == ([], ["homepage"])


@needs_bash
def test_what_else_is_known_here(completed, run, house):
    """Variants of the experience that is named, all where none is; sources, segments, kinds of devices; folders."""
    assert run("sources", "add", "shop", "--kind", "website").returncode == 0
    variants, every, experience, rotated, nobody, device, counted, *folders = completed(
        "mutiny-edge preview homepage-industry --variant s",
        "mutiny-edge preview --variant s",
        "mutiny-edge simulate --experience homepage-i",
        "mutiny-edge sources rotate s",
        "mutiny-edge sources rotate --data /nowhere ",
        "mutiny-edge decide --device t",
        "mutiny-edge audience fintech sm",
        "mutiny-edge store copy old n",
        "mutiny-edge check r",
        "mutiny-edge diff r",
        "mutiny-edge lift --events d",
        MUTINY_EDGE_RULES=str(house / "rules"),
    )
    assert variants == ["speed"]
    assert set(every) > {"speed"}
    assert (experience, rotated, nobody, device) == (["homepage-industry"], ["shop"], [], ["tablet"])
    assert (counted, folders) == (["small-company"], [["dirnames"]] * 4)


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_each_shell_gets_its_script(run, shell):
    """It asks the program itself, by a variable."""
    done = run("completion", shell)
    assert done.returncode == 0
    assert f"_MUTINY_EDGE_COMPLETE={shell}_complete" in done.stdout
