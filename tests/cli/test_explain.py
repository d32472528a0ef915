"""`mutiny-edge explain`: who is asked about, how it is printed, and what is refused."""

import json
from pathlib import Path

import pytest

HOME = "https://www.example.com/"
ADA = Path(__file__).with_name("given") / "ada.yaml"


@pytest.fixture
def explain(run, house):
    """`explain("--visitor", "ada", …)` under the example rules."""
    return lambda *arguments, **how: run("explain", "--rules", house / "rules", *arguments, **how)


@pytest.fixture
def decide(run, house):
    """`decide("--visitor", "ada", …)` under the example rules."""
    return lambda *arguments, **how: run("decide", "--rules", house / "rules", *arguments, **how)


def test_it_is_the_answer_of_decide(explain, decide):
    """With the same options both come to the same."""
    view = ("--visitor", "x", "--url", HOME, "--traits", '{"is_customer": true, "firstName": "Zoe"}', "--count", "5")
    [entry] = json.loads(decide(*view).stdout)["decisions"]
    told = json.loads(explain(*view, "--format", "json").stdout)
    [reasons] = [one for one in told["experiences"] if one["outcome"] in {"personalized", "control"}]
    assert (reasons["name"], reasons["shown"]["variant"]) == (entry["experience"], entry["variant"])
    assert reasons["shown"]["changes"] == entry["changes"]
    assert told["agrees"] is True


def test_every_option_of_decide_counts(explain):
    """Language and country reach the conditions, and are shown where they are asked for."""
    done = explain(
        *("--visitor", "x", "--url", "https://www.example.com/lp/a", "--language", "de-AT", "--country", "AT"),
        *("--experience", "german-landing"),
    )
    assert done.returncode == 0, done.stderr
    assert 'geo.country = "AT"' in done.stdout
    assert 'device.language = "de-AT"' in done.stdout


def test_stored_traits_win(run, explain, tmp_path):
    """What is stored of the visitor lies over what the page says."""
    tmp_path.joinpath("v.ndjson").write_text('{"visitorId": "ada", "traits": {"industry": "Retail"}}\n')
    assert run("import", "--data", tmp_path / "data", tmp_path / "v.ndjson").returncode == 0
    done = explain(
        *("--data", tmp_path / "data", "--visitor", "ada", "--url", HOME, "--traits", '{"industry": "fintech"}'),
        *("--experience", "homepage-industry"),
    )
    assert 'traits.industry = "retail", sent as "Retail"' in done.stdout


def test_a_given_visitor(explain):
    """A file says all of it, the time too; YAML from a file and JSON from stdin come to the same."""
    from_file = explain("--given", ADA, "--format", "json")
    same = {
        "visitorId": "ada",
        "traits": {"industry": "FinTech", "company": "Northbank", "employees": "45 people"},
        "page": {"url": HOME},
        "now": "2026-06-01T12:00:00Z",
    }
    from_stdin = explain("--given", "-", "--format", "json", stdin=json.dumps(same))
    assert from_file.stdout == from_stdin.stdout
    told = json.loads(from_file.stdout)
    assert told["now"] == "2026-06-01T12:00:00Z"
    assert told["verdict"] == "Visitor `ada` sees variant `speed` of `homepage-industry` (segment `fintech`)."
    assert [fact["sent"] for fact in told["unusable"]] == ["45 people"]


def test_problems_of_a_given_file_have_places(explain, tmp_path):
    """Exit code 2, and file:line:column with a caret on stderr."""
    tmp_path.joinpath("bad.yaml").write_text("page: {url: 'https://a.example/'}\ntrait: {}\n")
    done = explain("--given", "bad.yaml", cwd=tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    assert "bad.yaml:2:1: error: unknown key `trait`" in done.stderr
    assert "did you mean `traits`?" in done.stderr


def test_colours_on_a_terminal_only(explain, on_terminal, house):
    """Coloured where somebody looks, plain in a pipe and under NO_COLOR; the words are the same."""
    arguments = ("explain", "--rules", house / "rules", "--given", ADA)
    coloured = on_terminal(*arguments)
    plain = on_terminal(*arguments, env={"NO_COLOR": "1"})
    assert "\x1b[32m" in coloured
    assert "\x1b" not in plain
    assert plain.replace("\r\n", "\n") == explain("--given", ADA).stdout


def test_nothing_is_left_behind(explain, tmp_path):
    """A question makes no data folder."""
    assert explain("--visitor", "ada", "--url", HOME).returncode == 0
    assert list(tmp_path.iterdir()) == []


def test_values_are_printed_and_not_logged(explain):
    """What is known stands in the answer; stderr has nothing of it."""
    done = explain("--given", ADA)
    assert "Northbank" in done.stdout
    assert done.stderr == ""


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        ((), "Missing --visitor and --url"),
        (("--visitor", "ada"), "Missing --url"),
        (("--given", ADA, "--visitor", "ada"), "leave out --visitor"),
        (("--given", "gone.yaml"), "gone.yaml"),
        (("--visitor", "a b", "--url", HOME), "Expected --visitor of 1 to 128"),
        (("--visitor", "ada", "--url", "https://a.example/" + "x" * 9_000), "Expected --url of at most"),
        (("--visitor", "ada", "--url", "example.com"), "bad-url"),
        (("--given", ADA, "--experience", "homepage-industri"), "did you mean `homepage-industry`?"),
    ],
)
def test_questions_that_are_none(explain, arguments, word):
    """What is wrong with the question is said in a line; exit code 2."""
    done = explain(*arguments)
    assert (done.returncode, done.stdout) == (2, "")
    assert word in done.stderr
    assert "Traceback" not in done.stderr
