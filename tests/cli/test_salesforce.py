"""`mutiny-edge salesforce sync`, as it is run: against the loopback org, and what visitors get from it."""

import json
import signal
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from click.testing import CliRunner
from plain import module_at

from engine.cli.salesforce import sync as verb

PATIENCE_S = 60  # no test measures time; this only ends what hangs
RULES = """
segments:
  enterprise: {name: Enterprise lead, when: salesforce.lead.NumberOfEmployees > 50}
insertable: [salesforce.lead.Name]
experiences:
  home:
    name: Home
    pages: ["/"]
    audiences:
      - segment: enterprise
        control: 0%
        variants: [{key: hero, changes: [{selector: h1, text: "Hello {{ salesforce.lead.Name | default: 'you' }}"}]}]
"""


@pytest.fixture(scope="module")
def orgs() -> ModuleType:
    """The module that holds the loopback org; with importlib mode it is in no package."""
    return module_at(Path(__file__).parent.parent / "salesforce" / "org.py")


@pytest.fixture
def org(orgs: ModuleType, tmp_path: Path) -> Iterator[Any]:
    """An org at work; `org.environment` is how it is found and who we are for it."""
    made = orgs.Org()
    with orgs.served(made, tmp_path) as environment:
        made.environment = environment | orgs.ENVIRONMENT
        made.looks = 0
        yield made


@pytest.fixture
def sync(run: Callable[..., Any], org: Any) -> Callable[..., Any]:
    """`sync("--full")`: the command in this org."""
    return lambda *arguments, **env: run("salesforce", "sync", *arguments, env=org.environment | env)


def test_a_rule_on_a_lead_decides(run: Any, org: Any, sync: Any, tmp_path: Path) -> None:
    """The visitor's `email` finds the lead: explain shows its field, profile whose word it is, decide the variant."""
    org.put("Lead", 1, Email="Ada@Example.com", Name="Ada", NumberOfEmployees=60)
    (tmp_path / "rules").mkdir()
    (tmp_path / "rules" / "a.yaml").write_text(RULES, "utf-8")
    run("import", "-", stdin='{"visitorId": "v", "traits": {"email": "ada@example.com"}}')
    done = sync()
    assert (done.returncode, done.stdout) == (0, "")
    assert done.stderr.splitlines()[0] == "Lead     1 new, 0 changed, 0 gone; 1 in all"
    assert "store    1 record changed" in done.stderr
    assert f"{org.used:,} of the org's 15,000 in 24 hours are used" in done.stderr
    view = ("--visitor", "v", "--url", "https://www.example.com/")
    explained = run("explain", *view).stdout
    assert "salesforce.lead.NumberOfEmployees = 60" in explained
    decided = json.loads(run("decide", *view).stdout)
    assert decided["decisions"][0]["changes"] == [{"selector": "h1", "text": "Hello Ada"}]
    profile = run("profile", "v").stdout
    assert "Salesforce lead" in profile
    assert "salesforce sync" in profile


def test_what_is_not_set_is_named(run: Any) -> None:
    """Nothing is asked."""
    done = run("salesforce", "sync")
    assert done.returncode == 2
    assert "MUTINY_EDGE_SALESFORCE_DOMAIN, MUTINY_EDGE_SALESFORCE_CLIENT_ID" in done.stderr


def test_for_programs(org: Any, sync: Any, tmp_path: Path) -> None:
    """One object on stdout; only the object that was asked for; the secret may be in a file."""
    org.put("Contact", 1, Email="c@x.org")
    (tmp_path / "secret").write_text("client-secret\n", "utf-8")
    secret = {"MUTINY_EDGE_SALESFORCE_CLIENT_SECRET": ""}
    done = sync("--object", "Contact", "--format", "json", "--client-secret-file", tmp_path / "secret", **secret)
    found = json.loads(done.stdout)
    assert [(part["object"], part["new"]) for part in found["parts"]] == [("Contact", 1)]
    assert (found["written"], found["trouble"]) == (1, None)


def test_an_object_that_may_not_be_read(org: Any, sync: Any) -> None:
    """The other one is read; exit code 1, and `--watch` prints a document a line."""
    org.put("Contact", 1, Email="c@x.org")
    org.trouble = [("sobjects/Lead", (404, "NOT_FOUND"))]
    done = sync()
    assert done.returncode == 1
    assert "         not read to its end: Salesforce refuses: NOT_FOUND; let the app's user read Leads" in done.stderr
    assert "Contact  1 new" in done.stderr


@pytest.mark.parametrize(
    ("content", "said"),
    [(b"\xff\xfe\x00x", "this is no text in UTF-8"), (b" \n", "is empty; it has to hold the secret")],
)
def test_a_file_that_holds_no_secret(tmp_path: Path, content: bytes, said: str) -> None:
    """What is wrong with which file."""
    (tmp_path / "secret").write_bytes(content)
    arguments = ["--domain", "acme", "--client-id", "i", "--data", str(tmp_path / "data")]
    for option in ("--client-secret-file", "--private-key-file"):
        done = CliRunner().invoke(verb, [*arguments, option, str(tmp_path / "secret")])
        assert done.exit_code == 2
        assert said in done.output
        assert str(tmp_path / "secret") in done.output


def test_a_setting_that_is_empty(tmp_path: Path) -> None:
    """It is not the same as one that is not set."""
    env = {"MUTINY_EDGE_SALESFORCE_CLIENT_SECRET": ""}
    arguments = ["--domain", "acme", "--client-id", "i", "--data", str(tmp_path / "data")]
    done = CliRunner().invoke(verb, arguments, env=env)
    assert (done.exit_code, "MUTINY_EDGE_SALESFORCE_CLIENT_SECRET is empty" in done.output) == (2, True)


def test_who_is_not_let_in(org: Any, sync: Any) -> None:
    """One line, exit code 2."""
    done = sync(MUTINY_EDGE_SALESFORCE_CLIENT_SECRET="wrong")
    assert done.returncode == 2
    assert "invalid_client" in done.stderr


def test_the_daily_limit(org: Any, sync: Any, run: Any) -> None:
    """Told, with when to go on; doctor knows of it."""
    org.trouble = [("queryAll", (403, "REQUEST_LIMIT_EXCEEDED", "TotalRequests Limit exceeded."))]
    done = sync()
    assert done.returncode == 2
    assert "run the same later, it goes on from here" in done.stderr
    assert "stopped: the org's API calls are used up" in run("doctor").stdout


def test_it_goes_on_for_ever(org: Any, program: Path, surroundings: dict[str, str], tmp_path: Path) -> None:
    """With --watch; trouble that may be over soon is told and tried again, and Ctrl-C ends it. Data is a line each."""
    org.put("Lead", 1, Email="a@x.org")
    command = [str(program), "salesforce", "sync", "--watch", "1s", "--object", "Lead", "--format", "json"]
    environment = surroundings | org.environment
    pipe = subprocess.PIPE
    with subprocess.Popen(command, cwd=tmp_path, env=environment, stdout=pipe, stderr=pipe, text=True) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        lines = iter(process.stderr.readline, "")
        org.trouble = [("queryAll", b"<html>Sign in to go on</html>")]
        assert "an answer is not what Salesforce was asked for" in next(lines)
        assert json.loads(process.stdout.readline())["parts"][0]["total"] == 1  # a document a line
        org.used = org.total
        assert any("the rest is left for the org's other programs" in line for line in lines)
        process.send_signal(signal.SIGINT)
        process.wait(PATIENCE_S)
    assert process.returncode == 130


def test_a_terminal_sees_how_far_it_is(org: Any, on_terminal: Any) -> None:
    """While Salesforce gathers, for each object, and for the store."""
    org.put("Lead", 1, Email="a@x.org")
    org.looks = 1
    shown = on_terminal("salesforce", "sync", env=org.environment)
    assert "Lead: Salesforce gathers the records" in shown
    assert "100%" in shown
    assert "store" in shown
