"""The service is as it is described: schemathesis asks the running one, by its own description, in many ways.

1. All checks are on: no 5xx; only statuses, media types, headers and bodies that are described; what the schemas take
   is taken, what they refuse is refused; a key is asked for wherever one is said to be needed; no other methods.
2. Exceptions, each with its reason, stand in schemathesis.toml and schemathesis_hooks.py. None is for a 5xx.
3. The short form asks each thing once. The long one goes on for three minutes, along the ways from one answer to the
   next question as well.
"""

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
import re2

HERE = Path(__file__).resolve().parent
PROGRAM = Path(sys.executable).parent / "schemathesis"
SHORT = ("--phases", "examples,coverage,fuzzing", "--max-examples", "3")
LONG = ("--max-time", "180")


def run(example: Any, form: str, options: Sequence[str]) -> str:
    """What schemathesis reports of this service."""
    said = example.service.get("/readyz").json
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith("SCHEMATHESIS_")},
        **example.environment,
        "FORM": form,
        "RULESET": said["ruleset"]["version"],
    }
    asked = [f"{example.service.url}/openapi.json", "--no-color", "--generation-database", "none"]
    done = subprocess.run(
        [PROGRAM, "--config-file", "schemathesis.toml", "run", *asked, "--continue-on-failure", *options],
        check=False,
        cwd=HERE,
        env=environment,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, "\n".join([done.stdout, done.stderr, *example.service.log[-100:]])
    return done.stdout


@pytest.mark.parametrize(
    ("form", "options", "least"), [("short", SHORT, 500), pytest.param("long", LONG, 8_000, marks=pytest.mark.long)]
)
def test_the_service_is_as_it_is_described(
    example: Any, form: str, options: Sequence[str], least: int, capsys: pytest.CaptureFixture[str]
) -> None:
    """No 5xx and no answer that is not described, whatever is asked at whichever address."""
    report = run(example, form, options)
    described = example.service.get("/openapi.json").json
    operations = sum(len(methods) for methods in described["paths"].values())
    tested, generated = (int(re2.search(what, report)[1]) for what in (r"Tested: (\d+)", r"(\d+) generated"))
    with capsys.disabled():
        print(f"\nschemathesis: {generated:,} requests to {tested} of {operations} operations, all as described")
    assert generated >= least
    assert form == "short" or tested == operations - 1  # but for what it reads all of this from
    assert "DISABLED" not in report
