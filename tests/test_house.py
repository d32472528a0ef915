"""The house holds: sizes, names, laws and arrows of STYLE.md and DESIGN 9.

Each figure here is a promise to the next reader. Where one gets in the way, the file is usually two things by now.
"""

import ast
import subprocess
import sys
from itertools import chain
from pathlib import Path
from statistics import median

import pytest

HOUSE = Path(__file__).resolve().parent.parent
ENGINE = sorted(HOUSE.joinpath("engine").rglob("*.py"))
PYTHON = [*ENGINE, *sorted(HOUSE.joinpath("tests").rglob("*.py")), *sorted(HOUSE.joinpath("bench").rglob("*.py"))]
CODE = [path for path in ENGINE if path.name != "__init__.py"]

FILE_LINES = 400
FILE_LINES_MEDIAN = 150
FUNCTION_LINES = 50
FUNCTION_LINES_MEDIAN = 10
LAW_LINES = 100  # a longer file opens with how it works, in numbered points
CRUMB_LINES = 20
FORBIDDEN_NAMES = {"utils", "util", "helpers", "helper", "common", "manager", "misc", "base"}
TOP_LEVEL = {"pyproject.toml", "README.md", "engine", "rules", "bench", "tests", "Dockerfile"}

# Files under 20 lines that are a thing one can say in a sentence; the sentence.
CRUMBS: dict[str, str] = {
    "engine/cli/schema.py": "one file a verb, and this verb prints one thing",
}

# Files without a test file of their own, and why.
UNTESTED: dict[str, str] = {
    "engine/words.py": "types without behaviour; every other test uses them",
    "engine/limits.py": "constants; each is tested where it limits something",
    "engine/cel/tree.py": "types without behaviour; tests/cel/test_wire.py builds them from real conditions",
    "engine/cli/screen.py": "seen through every verb: tests/cli/test_main.py looks at streams, colours and exit codes",
    "engine/cli/options.py": "seen through the verbs; tests/docs compares them with what is documented",
}


def name_of(path: Path) -> str:
    """The file as people write it: from the top of the checkout, with slashes."""
    return path.relative_to(HOUSE).as_posix()


def lines_of(path: Path) -> int:
    """How long the file is."""
    return len(path.read_text(encoding="utf-8").splitlines())


def tree_of(path: Path) -> ast.Module:
    """The file, parsed."""
    return ast.parse(path.read_text(encoding="utf-8"), str(path))


def functions_of(path: Path) -> list[ast.FunctionDef | ast.AsyncFunctionDef]:
    """All functions and methods of a file, nested ones too."""
    return [node for node in ast.walk(tree_of(path)) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]


def length_of(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Lines from `def` to the last statement."""
    return (function.end_lineno or function.lineno) - function.lineno + 1


def test_no_file_grows_without_end() -> None:
    """Every file, tests and benchmarks too, has at most 400 lines."""
    assert {name_of(path): lines_of(path) for path in PYTHON if lines_of(path) > FILE_LINES} == {}


def test_most_files_are_small() -> None:
    """The median file of the engine has at most 150 lines."""
    assert median(lines_of(path) for path in CODE) <= FILE_LINES_MEDIAN


def test_no_function_grows_without_end() -> None:
    """Every function, tests and benchmarks too, has at most 50 lines."""
    too_long = {
        f"{name_of(path)}:{function.lineno} {function.name}": length_of(function)
        for path in PYTHON
        for function in functions_of(path)
        if length_of(function) > FUNCTION_LINES
    }
    assert too_long == {}


def test_most_functions_are_short() -> None:
    """The median function of the engine has at most 10 lines."""
    assert (
        median(length_of(function) for function in chain.from_iterable(map(functions_of, CODE)))
        <= FUNCTION_LINES_MEDIAN
    )


def test_every_name_says_something() -> None:
    """No file or folder is called utils, helpers, common, manager or the like."""
    parts = {name_of(path): set(name_of(path).removesuffix(".py").replace("/", "_").split("_")) for path in PYTHON}
    assert {name: found for name, words in parts.items() if (found := words & FORBIDDEN_NAMES)} == {}


def test_no_crumbs() -> None:
    """A file under 20 lines is a thing one can say in a sentence, and the sentence is written here."""
    assert {name_of(path) for path in CODE if lines_of(path) < CRUMB_LINES} <= CRUMBS.keys()


def test_every_room_opens_with_its_law() -> None:
    """A package's `__init__` says what lives there, what may not, and how it works in numbered points; no more."""
    for path in ENGINE:
        if path.name != "__init__.py" or path.parent.name == "engine":
            continue
        law = ast.get_docstring(tree_of(path)) or ""
        assert "lives here" in law, name_of(path)
        assert "may not" in law, name_of(path)
        assert "\n1. " in law, name_of(path)
        assert len(tree_of(path).body) == 1, f"{name_of(path)} holds more than its docstring"


def test_every_package_is_one() -> None:
    """Every folder with code has an `__init__.py`."""
    assert {name_of(path.parent) for path in CODE if not path.with_name("__init__.py").exists()} == set()


@pytest.mark.parametrize("path", CODE, ids=name_of)
def test_every_file_opens_with_what_it_is(path: Path) -> None:
    """A module has a docstring; over 100 lines, one with numbered points."""
    docstring = ast.get_docstring(tree_of(path))
    assert docstring
    assert lines_of(path) <= LAW_LINES or "\n1. " in docstring


def test_tests_mirror_the_code() -> None:
    """`engine/a/b.py` is tested in `tests/a/test_b.py`, or stands above with its reason."""
    missing = {name_of(path) for path in CODE if not mirror_of(path).exists()}
    assert missing - UNTESTED.keys() == set()


def test_exceptions_are_still_needed() -> None:
    """The tables of exceptions name files that exist and still are exceptions."""
    assert {name for name in UNTESTED if not (HOUSE / name).exists() or mirror_of(HOUSE / name).exists()} == set()
    assert {name for name in CRUMBS if not (HOUSE / name).exists() or lines_of(HOUSE / name) >= CRUMB_LINES} == set()


def mirror_of(path: Path) -> Path:
    """The test file of a file of the engine."""
    inside = path.relative_to(HOUSE / "engine")
    return HOUSE / "tests" / inside.parent / f"test_{inside.name}"


def test_tests_read_as_sentences() -> None:
    """Every test function has a docstring that begins with one line."""
    silent = [
        f"{name_of(path)}:{function.lineno} {function.name}"
        for path in PYTHON
        if path.name.startswith("test_")
        for function in functions_of(path)
        if function.name.startswith("test_") and not (ast.get_docstring(function) or "").partition("\n")[0].strip()
    ]
    assert silent == []


def test_nothing_else_lies_at_the_top() -> None:
    """The top level is as DESIGN says: seven names and dot-files."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=HOUSE,
        check=False,
        capture_output=True,
        text=True,
    )
    if listed.returncode:
        pytest.skip("not a git checkout")
    top = {line.partition("/")[0] for line in listed.stdout.splitlines()}
    assert {name for name in top if not name.startswith(".")} == TOP_LEVEL


def test_arrows_point_down() -> None:
    """The import contracts of pyproject.toml hold: layers, no cycles, pure rooms without I/O."""
    program = Path(sys.executable).parent / "lint-imports"
    done = subprocess.run([program, "--no-cache"], cwd=HOUSE, check=False, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stdout
