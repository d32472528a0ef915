"""`mutiny-edge config`: what is in force, where it comes from, and nothing secret."""

import json

import pytest

from engine.cli.config import masked
from engine.settings import SETTINGS, strangers


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


def test_a_wrong_value_is_a_usage_error(run):
    """As `serve` would refuse it."""
    done = run("config", "--port", "99999999")
    assert (done.returncode, "from 0 to 65535" in done.stderr) == (2, True)


def test_secrets_are_not_printed(run):
    """Neither a password nor Salesforce's secret, by variable or option."""
    env = {"MUTINY_EDGE_STORE": "redis://ann:s3cr3t@h:1/0", "MUTINY_EDGE_SALESFORCE_CLIENT_SECRET": "s3cr3t"}
    for form in ("text", "json"):
        done = run("config", "--read-store", "rediss://:s3cr3t@a,rediss://b", "--format", form, env=env)
        assert "s3cr3t" not in done.stdout + done.stderr
        assert "redis://ann:***@h:1/0" in done.stdout


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("redis://h:6379/0", "redis://h:6379/0"),
        ("redis://:p@h", "redis://:***@h"),
        ("redis://token@h", "redis://***@h"),
        ("redis://u:p@ss:w@h/1", "redis://u:***@h/1"),
        ("redis://u:a@h1,rediss://v:b@h2", "redis://u:***@h1,rediss://v:***@h2"),
        ("redis+sentinel://u:p@h1:26379,h2:26379/service/0", "redis+sentinel://u:***@h1:26379,h2:26379/service/0"),
        ("redis://h/0?password=p&db=1&sentinel_password=q", "redis://h/0?password=***&db=1&sentinel_password=***"),
        ("data", "data"),
    ],
)
def test_urls_are_shown_without_what_logs_in(url: str, shown: str) -> None:
    """The user's name stays where a password follows it."""
    assert masked(url) == shown
