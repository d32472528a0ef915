"""The service's options come from the table of settings, and a typed `--store` counts for reading and writing."""

from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from engine.cli.serve_options import meant, options_of, service
from engine.settings import Settings
from engine.web.serve import Options


def options(*arguments: str, **variables: str) -> Options:
    """What the service would be told."""
    seen: list[Options] = []

    @click.command()
    @service(there=False)
    def command(**given: object) -> None:
        seen.append(options_of(meant(given)))

    done = CliRunner().invoke(command, arguments, env=variables, catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return seen[0]


def test_nothing_said_is_the_default() -> None:
    """The table's defaults and those of the service are the same."""
    assert options() == Options()


def test_options_count_before_variables() -> None:
    """And each is read as its kind is written."""
    found = options("--port", "9000", "--store-ttl", "2h", MUTINY_EDGE_PORT="1", MUTINY_EDGE_NEAR_CACHE="1MiB")
    assert (found.port, found.settings) == (9000, Settings(store_ttl_s=7200, near_bytes=2**20))


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ((), ("redis://all", "redis://near", "redis://main")),
        (("--store", "redis://typed"), ("redis://typed", None, None)),
        (("--store", "redis://typed", "--read-store", "redis://r"), ("redis://typed", "redis://r", None)),
    ],
)
def test_a_typed_store_is_for_reading_and_writing(arguments: tuple[str, ...], expected: tuple[str, ...]) -> None:
    """Variables for one of the two belong to the store that they were set with."""
    variables = {"STORE": "redis://all", "READ_STORE": "redis://near", "WRITE_STORE": "redis://main"}
    found = options(*arguments, **{f"MUTINY_EDGE_{name}": value for name, value in variables.items()}).settings
    assert (found.store, found.read_store, found.write_store) == expected


def test_wrong_values_are_usage_errors() -> None:
    """With what would be right."""

    @click.command()
    @service(there=True)
    def command(**_: object) -> None: ...

    for arguments, said in (
        (("--store-ttl", "90"), "such as 90d"),
        (("--near-cache", "64MB"), "such as 64MiB"),
        (("--port", "70000"), "from 0 to 65535"),
        (("--rules", str(Path("/nowhere"))), "does not exist"),
        (("--log-format", "xml"), "auto"),
    ):
        done = CliRunner().invoke(command, arguments)
        assert (done.exit_code, said in done.output) == (2, True), done.output


def test_several_values_stand_on_a_line_once() -> None:
    """The second one would silently replace the first; of a setting with one value it does, as everywhere."""
    with pytest.raises(AssertionError, match="Usage") as refused:
        options("--origins", "https://a.example", "--origins", "https://b.example")
    assert "--origins once (several values by" in str(refused.value)
    assert options("--port", "1", "--port", "2").port == 2
    assert options("--origins", "https://a.example,https://b.example").origins == (
        "https://a.example",
        "https://b.example",
    )
