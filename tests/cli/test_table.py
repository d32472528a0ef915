"""A table on a screen: what stands under what."""

import click
from click.testing import CliRunner

from engine.cli.table import print_table


def test_columns_stand_under_each_other() -> None:
    """To the right, but for those that are text; nothing trails."""

    @click.command()
    def command() -> None:
        print_table([("name", "share", "why"), ("plan", "7%", ""), ("employees", "100%", "old")], left=(0, 2))

    assert CliRunner().invoke(command).output.splitlines() == [
        "name       share  why",
        "plan          7%",
        "employees   100%  old",
    ]
