"""What `doctor` says of the servers that are read, where they are others than those that are written.

What lives here: whether what is written comes to each address of `--read-store`. What may not: the servers that are
written (`checkup_shared`).

A server knows what was written to it by the name of a history, which it shares with those that follow it. One with
another history was promoted, or never followed: what it tells of visitors is old, and grows older.
"""

from typing import Final

from engine.cli.checkup_links import Said
from engine.cli.checkup_shared import Look
from engine.profiles.near.link import Astray
from engine.profiles.store import StoreError
from engine.profiles.valkey.address import Address, addresses
from engine.profiles.valkey.once import once
from engine.profiles.valkey.wire import fields
from engine.settings import Settings

_BEHIND: Final = "is a replica that does not hear its primary"
_DO: Final = "let it follow the primary (REPLICAOF), or take it out of --read-store"


def said(settings: Settings, found: Look) -> Said | None:
    """All that is wrong with what is read; None where that is what is written, or where that does not say."""
    written = {one.info["master_replid"] for one in found or () if "master_replid" in one.info}
    if settings.read_store is None or not written:
        return None
    faults = [fault for one in addresses(settings.read_store) for fault in _faults(one, written)]
    if faults:
        return "trouble", "; ".join(faults), _DO
    return "ok", "what is written comes to all that are read"


def _faults(address: Address, written: set[str]) -> list[str]:
    try:
        told = _told(address)
    except StoreError as error:
        return [str(error)]
    faults = []
    for info in told:
        if info.get("master_link_status") == "down":
            faults.append(f"{address} {_BEHIND}")
        elif info.get("master_replid", "") not in written | {""}:
            faults.append(f"{address} {Astray()}")
    return faults


def _told(address: Address) -> list[dict[str, str]]:
    """INFO of the server, or of each primary of a cluster. Raises StoreError."""
    with once(address) as of:
        return [fields(text) for [text] in of.each(("INFO", "replication"))]
