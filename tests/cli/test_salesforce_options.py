"""Options that the verbs of `salesforce` share."""

import click
import pytest
from click.testing import CliRunner

from engine.cli.salesforce import sync
from engine.cli.salesforce_options import Pause, in_words
from engine.cli.screen import CannotRun
from engine.profiles.store import StoreUnavailable
from engine.salesforce.trouble import Busy


@pytest.mark.parametrize(("text", "seconds"), [("30s", 30.0), ("5m", 300.0), ("2h", 7_200.0)])
def test_pauses(text: str, seconds: float) -> None:
    """A whole number and its unit."""
    assert Pause().convert(text, None, None) == seconds


@pytest.mark.parametrize("text", ["5", "0m", "1d", "-1m", "m"])
def test_what_is_no_pause(text: str) -> None:
    """Told with an example."""
    with pytest.raises(click.BadParameter, match="such as 5m"):
        Pause().convert(text, None, None)


@pytest.mark.parametrize("trouble", [Busy("at work"), StoreUnavailable("at work")])
def test_trouble_is_one_line(trouble: Exception) -> None:
    """With Salesforce and with the store."""
    with pytest.raises(CannotRun, match="at work"), in_words():
        raise trouble


def test_a_secret_is_not_typed() -> None:
    """Everybody could read it; what to do instead is told, and the option is not shown."""
    done = CliRunner().invoke(sync, ["--client-secret", "x"])
    assert done.exit_code == 2
    assert "set MUTINY_EDGE_SALESFORCE_CLIENT_SECRET" in done.output
    assert "--client-secret " not in CliRunner().invoke(sync, ["--help"]).output
