"""`mutiny-edge config`: what is in force, where it comes from, and nothing secret."""

import json

import pytest

from engine.settings import SETTINGS, strangers

BATCHES = "MUTINY_EDGE_WEBHOOK_BATCHES"


def by_name(done) -> dict[str, tuple[str | None, str]]:
    """Value and origin of each setting."""
    return {one["name"]: (one["value"], one["origin"]) for one in json.loads(done.stdout)["settings"]}


def test_every_setting_with_its_origin(run):
    """From an option, a variable or the default, in the order of the table."""
    env = {"MUTINY_EDGE_WORKERS": "4", "MUTINY_EDGE_SALESFORCE_DOMAIN": "acme.my.salesforce.com"}
    done = run("config", "--port", "9000", "--format", "json", env=env)
    assert done.returncode == 0, done.stderr
    found = by_name(done)
    assert list(found) == [line.key for line in SETTINGS]
    assert found["port"] == ("9000", "flag")
    assert found["workers"] == ("4", "environment")
    assert found["near-cache"] == ("64MiB", "default")
    assert found["store"] == (None, "default")
    assert found["salesforce-domain"] == ("acme.my.salesforce.com", "environment")


def test_people_see_the_option_or_the_variable(run):
    """A line a setting."""
    done = run("config", "--drain", "2.5", env={"MUTINY_EDGE_HOST": "0.0.0.0"})
    lines = dict(line.split(None, 1) for line in done.stdout.splitlines())
    assert lines["drain"].split() == ["2.5", "s", "--drain"]
    assert lines["host"].split() == ["0.0.0.0", "MUTINY_EDGE_HOST"]
    assert lines["rules"].split() == ["rules", "default"]


def test_lengths_of_time_can_be_put_back_as_they_are_shown(run):
    """What `config` prints is taken as a value again."""
    shown = dict(line.split("  ", 1) for line in run("config").stdout.splitlines())
    drain, budget = (shown[name].rpartition("default")[0].strip() for name in ("drain", "read-budget"))
    again = run("config", env={"MUTINY_EDGE_DRAIN": drain, "MUTINY_EDGE_READ_BUDGET": budget})
    assert again.returncode == 0, again.stderr
    assert "10 s" in shown["drain"]


def test_capitals_do_not_count_in_a_choice(run):
    """Other programs write levels in capitals."""
    found = by_name(run("config", "--format", "json", env={"MUTINY_EDGE_LOG_LEVEL": "INFO"}))
    assert found["log-level"] == ("info", "environment")


@pytest.mark.parametrize("option", ["--host", "--rules", "--port", "--store", "--drain", "--near-cache"])
def test_an_empty_option_is_told(run, option: str) -> None:
    """It is no empty variable, which is not set; nor is it the current folder, or every address."""
    done = run("config", f"{option}=")
    assert done.returncode == 2
    assert f"Invalid value for '{option}': Expected" in done.stderr
    assert "got nothing" in done.stderr


def test_a_list_may_be_empty(run):
    """Which is said by nothing else."""
    assert by_name(run("config", "--origins=", "--format", "json"))["origins"] == ("", "flag")


def test_a_mistake_is_told_of_where_it_was_made(run):
    """Of an option that is typed no variable is named, of a variable no option."""
    typed, set_ = run("config", "--port", "x"), run("config", env={"MUTINY_EDGE_PORT": "x"})
    assert "MUTINY_EDGE_PORT" not in typed.stderr
    assert "for MUTINY_EDGE_PORT:" in set_.stderr


def test_a_flag_is_a_variable_too(run):
    """In the words that the table reads, with or without capitals; any other is told."""
    by_words = [run("config", "--format", "json", env={BATCHES: word}) for word in ("True", "no")]
    found = [by_name(done)["webhook-batches"] for done in by_words]
    assert found == [("true", "environment"), ("false", "environment")]
    done = run("config", env={BATCHES: "maybe"})
    assert done.returncode == 2
    assert f"for {BATCHES}: Expected true or false, got 'maybe'.\n" in done.stderr


def test_a_mistyped_variable_is_named(run):
    """Nothing else would ever say it; then the exit code is 1."""
    done = run("config", "--format", "json", env={"MUTINY_EDGE_STROE": "redis://u:s3cr3t@h", "MUTINY_EDGE_X\n": "1"})
    assert done.returncode == 1
    assert json.loads(done.stdout)["unknown"][0] == {
        "variable": "MUTINY_EDGE_STROE",
        "hint": "did you mean `MUTINY_EDGE_STORE`?",
    }
    told = run("config", env={"MUTINY_EDGE_STROE": "redis://u:s3cr3t@h"})
    assert "MUTINY_EDGE_STROE is set" in told.stderr
    assert "s3cr3t" not in told.stdout + told.stderr


def test_every_known_variable_is_known() -> None:
    """Those of other verbs too."""
    assert strangers({line.variable: "x" for line in SETTINGS} | {"HOME": "/"}) == []


@pytest.mark.parametrize(
    ("option", "value", "expected"),
    [
        ("--port", "99999999", "from 0 to 65535"),
        ("--host", "0.0.0.0:8080", "the port is a setting of its own"),
        ("--store", "http://u:s3cr3t@h", "Expected redis://"),
        ("--store", "redis://h:99999", "from 1 to 65535"),
        ("--read-store", "redis://h,rediss:/:s3cr3t@h", "the store's address"),
        ("--admin-key-file", "nowhere", "does not exist"),
    ],
)
def test_a_wrong_value_is_a_usage_error(run, option: str, value: str, expected: str) -> None:
    """As `serve` would refuse it, and by a variable too; of an address nothing is shown that logs in."""
    variable = "MUTINY_EDGE_" + option.removeprefix("--").replace("-", "_").upper()
    for done in (run("config", option, value), run("config", env={variable: value})):
        assert done.returncode == 2
        assert expected in done.stderr
        assert "s3cr3t" not in done.stdout + done.stderr


@pytest.mark.parametrize(
    ("verb", "store"),
    [
        *[("config", store) for store in ("redis//:s3cr3t@h", "s3cr3t@h", ":s3cr3t@redis://h")],
        *[("serve", "redis//:s3cr3t@h"), ("profile", ":s3cr3t@redis://h"), ("doctor", "rediss:/:s3cr3t@h")],
        *[("audience", "redis:/u:s3cr3t@h"), ("copy", "redis//:s3cr3t@h"), ("copy", "rediss:/:s3cr3t@h")],
    ],
)
def test_a_mistyped_address_gives_nothing_away(run, tmp_path, verb: str, store: str) -> None:
    """To whoever looks over a shoulder, or reads a log, whichever verb complains of it."""
    (tmp_path / "rules").mkdir()
    (tmp_path / "rules" / "a.yaml").write_text("segments: {a: {name: A, when: traits.a == 1}}")
    words = {
        "profile": ["profile", "visitor", "v"],
        "audience": ["audience", "a"],
        "copy": ["store", "copy", store, "d"],
    }
    where = ["--rules", str(tmp_path / "rules")] if verb in {"serve", "doctor", "audience"} else []
    done = run(*words.get(verb, [verb]), *where, env={"MUTINY_EDGE_STORE": store, "MUTINY_EDGE_DATA": str(tmp_path)})
    assert done.returncode != 0, done.stdout
    assert "s3cr3t" not in done.stdout + done.stderr


def test_secrets_are_not_printed(run):
    """Neither a password nor Salesforce's secret, by variable or option."""
    env = {"MUTINY_EDGE_STORE": "redis://ann:s3cr3t@h:1/0", "MUTINY_EDGE_SALESFORCE_CLIENT_SECRET": "s3cr3t"}
    for form in ("text", "json"):
        done = run("config", "--read-store", "rediss://:s3cr3t@a,rediss://b", "--format", form, env=env)
        assert "s3cr3t" not in done.stdout + done.stderr
        assert "redis://ann:***@h:1/0" in done.stdout
