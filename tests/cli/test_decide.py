"""`mutiny-edge decide`: the answer of the wire, without a server."""

import json
import shutil
from pathlib import Path

import pytest

from engine.rules import lastgood
from engine.rules.folder import load

HOME = "https://www.example.com/"


@pytest.fixture
def decide(run, house):
    """`decide("ada", HOME, …)` under the example rules."""
    return lambda visitor, url, *more, **how: run(
        "decide", "--rules", house / "rules", "--visitor", visitor, "--url", url, *more, **how
    )


def test_the_wire_answer_in_one_line(decide):
    """In a pipe: one line of JSON with visitor, ruleset and decisions."""
    done = decide("stranger", HOME)
    assert done.returncode == 0, done.stderr
    answer = json.loads(done.stdout)
    assert done.stdout.count("\n") == 1
    assert (answer["visitorId"], answer["decisions"]) == ("stranger", [])
    assert len(answer["ruleset"]) == 8


def test_page_traits_count(decide):
    """`--traits` are what the page knows of its visitor."""
    done = decide("x", HOME, "--traits", '{"is_customer": true, "firstName": "Zoe"}')
    [decision] = json.loads(done.stdout)["decisions"]
    assert decision["audienceSegment"] == "Customer"
    assert decision["changes"][0]["text"] == "Welcome back, Zoe"
    assert decision["track"] == {
        "event": "Mutiny Experience Viewed",
        "properties": {"experience": "Homepage for Customers", "audienceSegment": "Customer", "personalized": True},
    }


def test_visit_device_and_place_count(decide):
    """Count, language, device and country reach the rules."""
    landing = "https://www.example.com/lp/dashboards"
    german = json.loads(decide("x", landing, "--language", "de-AT", "--country", "AT").stdout)
    assert [decision["audienceSegment"] for decision in german["decisions"]] == ["German speaking"]
    returning = json.loads(decide("x", HOME, "--count", "5").stdout)
    assert [decision["audienceSegment"] for decision in returning["decisions"]] == ["Returning visitor"]
    assert json.loads(decide("x", HOME, "--count", "5", "--device", "bot").stdout)["decisions"] == []


def test_laid_out_on_a_terminal(on_terminal, house):
    """People get indented JSON."""
    assert '\n  "visitorId": "ada"' in on_terminal(
        "decide", "--rules", house / "rules", "--visitor", "ada", "--url", HOME
    ).replace("\r", "")


def contents(folder: Path) -> dict[str, bytes]:
    """Every file with its bytes, but for LMDB's table of readers: whoever reads has a place in it."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and path.name != "lock.mdb"
    }


@pytest.mark.parametrize(
    "question",
    [
        ("decide", "--visitor", "ada", "--url", HOME),
        ("explain", "--visitor", "ada", "--url", HOME),
        ("audience",),
        ("check", "--store"),
        ("diff", "other", "--store"),
    ],
    ids=lambda question: question[0],
)
def test_questions_write_nothing(run, house, tmp_path, question):
    """A service's data folder, with its store and its last good ruleset, is byte for byte what it was."""
    data = tmp_path / "data"
    assert run("import", "-", stdin='{"visitorId": "ada", "traits": {"plan": "free"}}\n').returncode == 0
    shutil.copytree(house / "rules", tmp_path / "rules")
    shutil.copytree(house / "rules", tmp_path / "other")
    loaded = load(tmp_path / "rules").ruleset
    assert loaded is not None
    lastgood.keep(loaded, tmp_path / "rules", data)
    data.joinpath("profiles", "closed.json").unlink()  # as beside a service that runs
    before = contents(data)
    done = run(*question)
    assert done.returncode == 0, done.stderr
    assert "ada" in done.stdout or question[0] not in {"decide", "explain"}
    assert contents(data) == before


def test_an_empty_data_folder_stays_empty(decide, tmp_path):
    """No store is made for a question."""
    tmp_path.joinpath("data").mkdir()
    assert decide("ada", HOME).returncode == 0
    assert list(tmp_path.joinpath("data").iterdir()) == []


def test_nothing_is_left_behind(decide, tmp_path):
    """A question makes no data folder."""
    assert decide("ada", HOME).returncode == 0
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("visitor", "url", "more", "word"),
    [
        ("a b", HOME, (), "Expected --visitor of 1 to 128 characters of A-Z a-z 0-9 . _ : - [bad-visitor-id]"),
        ("ada", "example.com", (), "Expected --url as browsers show it: https://www.example.com/pricing [bad-url]"),
        ("ada", "", (), "Expected --url: the address of the page that is viewed. [missing-url]"),
        ("ada", HOME, ("--traits", "[1]"), "JSON object"),
        ("ada", HOME, ("--traits", "{"), "JSON object"),
        ("ada", HOME, ("--traits", '{"a": NaN}'), "'--traits': a: expected a number, got NaN or infinity."),
        ("ada", HOME, ("--count", "-1"), "--count"),
    ],
)
def test_questions_that_are_none(decide, visitor, url, more, word):
    """What the service would refuse is refused here, and told of the option; exit code 2."""
    done = decide(visitor, url, *more)
    assert (done.returncode, done.stdout) == (2, "")
    assert word in done.stderr
