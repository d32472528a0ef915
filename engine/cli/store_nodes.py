"""Of a shared store: which nodes there are, and how far the event log of each is applied to it."""

from collections.abc import Mapping, Sequence
from typing import Final

import click
import re2
from msgspec import Struct

from engine.cli.table import print_table
from engine.events.node_id import node_id
from engine.events.reading import files
from engine.profiles.valkey.address import address
from engine.profiles.valkey.nodes import Noted, nodes
from engine.settings import Settings

HEAD: Final = ("node", "files of its log", "the newest is of", "")
BEGUN: Final = re2.compile(r"(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d).*\..+")  # how the name of a file of the log begins


class Applied(Struct, frozen=True):
    """How many files of a node's log are in the store, in part or whole, and when the newest was begun (UTC).

    Of the node of this data folder also how many bytes of its lines are not in it yet. `trouble`: its marks are
    something else.
    """

    node: str
    files: int
    newest: str | None
    behind_bytes: int | None = None
    trouble: str | None = None


def applied(settings: Settings) -> list[Applied]:
    """Of every node that ever applied something. Raises StoreError, LogError, OSError."""
    own = node_id(settings.data, makes=False)
    found = nodes(address(settings.write_store or settings.store or ""), settings.store_prefix)
    behind = {path.name: path.stat().st_size for path in files(settings.logs.events)}
    return [_applied(node, noted, behind if node == own else None) for node, noted in found.items()]


def print_nodes(found: Sequence[Applied]) -> None:
    """A line for each."""
    if found:
        click.echo()
        print_table([HEAD, *map(_row, found)], left=(0, 2, 3))


def _applied(node: str, noted: Noted, own: Mapping[str, int] | None) -> Applied:
    names = sorted(name for name in noted.marks if BEGUN.fullmatch(name))
    newest = "{}-{}-{}T{}:{}:{}Z".format(*BEGUN.fullmatch(names[-1]).groups()) if names else None
    behind = None if own is None else sum(max(0, size - noted.marks.get(name, 0)) for name, size in own.items())
    return Applied(node, len(names), newest, behind, _foreign(noted.foreign))


def _foreign(keys: Sequence[str]) -> str | None:
    """Of a node that is none the key is no person's: it may be told."""
    if not keys:
        return None
    return (
        f"{', '.join(keys)}: no marks are in it, another program wrote it; remove it (DEL), or give another prefix "
        "with MUTINY_EDGE_STORE_PREFIX"
    )


def _row(one: Applied) -> tuple[str, ...]:
    newest = (one.newest or "")[:16].replace("T", " ")
    own = "" if one.behind_bytes is None else "this data folder's"
    if one.behind_bytes:
        own += f"; {one.behind_bytes:,} bytes of it are not in the store yet"
    return one.node, f"{one.files:,}", newest, own if one.trouble is None else one.trouble
