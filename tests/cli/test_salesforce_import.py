"""`mutiny-edge salesforce import`, as it is run."""

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from engine.cli.salesforce_import import import_

HEAD = "Id,Email,NumberOfEmployees,Zip__c"


@pytest.fixture
def leads(tmp_path: Path) -> Path:
    """An export: two leads, and a line that is none."""
    path = tmp_path / "leads.csv"
    path.write_text(f"{HEAD}\n00Q5g0000000001,ada@x.org,60,0123\n00Q5g0000000002,bob@x.org,many,9\nx,,,\n", "utf-8")
    return path


def test_an_export(run: Any, leads: Path, tmp_path: Path) -> None:
    """What came of it; lines that are left out are told by number, exit code 1; again it changes nothing."""
    done = run("salesforce", "import", leads, "--object", "Lead", "--type", "Zip__c=text")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.splitlines() == [
        f"{leads}:4: Id: expected 15 or 18 letters and digits",
        "values left out that are none of their field's type: NumberOfEmployees 1",
        f"{leads}: 3 records, 2 new, 0 changed, 0 gone, 1 left out; 2 changed in the store",
    ]
    again = json.loads(
        run("salesforce", "import", leads, "--object", "Lead", "--type", "Zip__c=text", "--format", "json").stdout
    )
    assert (again["imported"]["kept"]["same"], again["written"]) == (2, 0)
    run("import", "-", stdin='{"visitorId": "v", "traits": {"email": "ADA@x.org"}}')
    lead = json.loads(run("profile", "v", "--format", "json").stdout)["lead"]
    assert {held["name"]: held["value"] for held in lead}["Zip__c"] == "0123"
    assert {(held["source"], held["event"]) for held in lead} == {("salesforce", "import")}


def test_characters_of_windows(run: Any, tmp_path: Path) -> None:
    """Told with both ways out; with the encoding they are read."""
    path = tmp_path / "w.csv"
    path.write_bytes("Id,Email,City\n00Q5g0000000001,a@x.org,München\n".encode("cp1252"))
    done = run("salesforce", "import", path, "--object", "Lead")
    assert done.returncode == 2
    assert "give --encoding cp1252" in done.stderr
    assert run("salesforce", "import", path, "--object", "Lead", "--encoding", "cp1252").returncode == 0


@pytest.mark.parametrize(
    ("content", "arguments", "said"),
    [
        ("Id,Email\n".encode("utf-16"), [], "it begins as UTF-16 does: give --encoding utf-16"),
        (b"Id,Email\n", ["--encoding", "utf-16"], "UTF-16 without its mark needs --encoding utf-16-le"),
        (b'Id,Email\n00Q5g0000000001,"a@x.org\n', [], "the record that begins on line 2 is no CSV"),
        (b"Id,Email\n0035g0000000001,a@x.org\n", ["--full"], "these are Contacts"),
    ],
)
def test_files_that_are_refused(tmp_path: Path, content: bytes, arguments: list[str], said: str) -> None:
    """In one line, that begins with the file."""
    (tmp_path / "x.csv").write_bytes(content)
    done = CliRunner().invoke(
        import_, [str(tmp_path / "x.csv"), "--object", "Lead", "--data", str(tmp_path / "data"), *arguments]
    )
    assert done.exit_code == 2
    assert f"{tmp_path / 'x.csv'}: " in done.output
    assert said in done.output


def test_full_with_lines_that_are_left_out(leads: Path, tmp_path: Path) -> None:
    """What may be in them is not taken away, and that is told."""
    done = CliRunner().invoke(import_, [str(leads), "--object", "Lead", "--data", str(tmp_path / "data"), "--full"])
    assert done.exit_code == 1
    assert "no record was taken away, for lines were left out" in done.output


def test_a_terminal_sees_how_far_it_is(on_terminal: Any, leads: Path) -> None:
    """Of the file, and of the store; nothing of Salesforce, which is not asked."""
    shown = on_terminal("salesforce", "import", leads, "--object", "Lead")
    assert "Lead  " in shown
    assert "store " in shown
    assert "100%" in shown
    assert "gathers" not in shown


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--type", "Zip__c=zip"], "types are text, number"),
        (["--encoding", "klingon"], "no such encoding"),
    ],
)
def test_options_that_are_wrong(leads: Path, tmp_path: Path, arguments: list[str], said: str) -> None:
    """Told with what would be right."""
    done = CliRunner().invoke(import_, [str(leads), "--object", "Lead", "--data", str(tmp_path), *arguments])
    assert done.exit_code == 2
    assert said in " ".join(done.output.split())
