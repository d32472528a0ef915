"""What `doctor` says of the servers that are read, where they are others than those that are written.

What lives here: whether what is written comes to each address of `--read-store`. What may not: the servers that are
written (`checkup_shared`).

A server knows what was written to it by the name of a history, which it shares with those that follow it. One with
another history was promoted, or never followed: what it tells of visitors is old, and grows older.
"""

from typing import Final

from redis.exceptions import RedisError

from engine.cli.checkup_links import Said
from engine.cli.checkup_shared import Look
from engine.profiles.store import StoreError
from engine.profiles.valkey.address import Address, addresses
from engine.profiles.valkey.attempts import Attempts
from engine.profiles.valkey.failures import failure
from engine.profiles.valkey.topology import servers_of, session
from engine.settings import Settings

_ASTRAY: Final = "does not follow the store that is written: it was promoted, or is another one"
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
    for text in told:
        if b"master_link_status:down" in text:
            faults.append(f"{address} {_BEHIND}")
        elif _history(text) not in written | {""}:
            faults.append(f"{address} {_ASTRAY}")
    return faults


def _told(address: Address) -> list[bytes]:
    """INFO of the server, or of each primary of a cluster. Raises StoreError."""
    servers = servers_of(address, Attempts())
    try:
        with session(servers) as of:
            return [text for [text] in of.each(("INFO", "replication"))]
    except RedisError as error:
        raise failure(address, error) from error
    finally:
        servers.close()


def _history(text: bytes) -> str:
    return text.partition(b"master_replid:")[2].partition(b"\r")[0].decode()
