"""`mutiny-edge decide`: the answer of the wire, without a server."""

import json

import pytest

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


def test_nothing_is_left_behind(decide, tmp_path):
    """A question makes no data folder."""
    assert decide("ada", HOME).returncode == 0
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("visitor", "url", "more", "word"),
    [
        ("a b", HOME, (), "bad-visitor-id"),
        ("ada", "example.com", (), "bad-url"),
        ("ada", HOME, ("--traits", "[1]"), "JSON object"),
        ("ada", HOME, ("--traits", "{"), "JSON object"),
        ("ada", HOME, ("--count", "-1"), "--count"),
    ],
)
def test_questions_that_are_none(decide, visitor, url, more, word):
    """What the service would refuse is refused here, with the same code; exit code 2."""
    done = decide(visitor, url, *more)
    assert (done.returncode, done.stdout) == (2, "")
    assert word in done.stderr
