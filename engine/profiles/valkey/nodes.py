"""Which nodes share a store, and what of their logs is in it: for people. It takes a scan of all keys.

A node is known by the marks that it keeps there (`marks`); one that never applied anything is not.
"""

from typing import Final

from msgspec import Struct

from engine.profiles.valkey.address import Address
from engine.profiles.valkey.marks import Marks
from engine.profiles.valkey.once import once
from engine.profiles.valkey.scanning import glob_of, steps
from engine.profiles.valkey.topology import Session

_MARKS: Final = b"marks:"


class Noted(Struct, frozen=True):
    """What is kept of a node: its marks, and the keys where its marks should be and something else is."""

    marks: dict[str, int]
    foreign: list[str]


def nodes(address: Address, prefix: str) -> dict[str, Noted]:
    """What is kept of each node, by its id. Raises StoreError."""
    with once(address) as of:
        all_ = {node: Marks(prefix.encode(), node) for node in _ids(of, prefix.encode())}
        return {node: Noted(marks.read(of), marks.foreign(of)) for node, marks in all_.items()}


def _ids(of: Session, prefix: bytes) -> list[str]:
    begin = prefix + _MARKS
    keys = (key for wire in of.servers.primaries() for found in steps(of, wire, glob_of(begin) + b"*") for key in found)
    return sorted({key.rpartition(b":")[2].decode() for key in keys})
