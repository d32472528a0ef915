"""What `doctor` says of the servers that are read: real ones, that follow or do not."""

from typing import Any

from engine.cli.checkup_reading import said
from engine.cli.checkup_shared import look
from engine.node import utc_now
from engine.settings import Settings


def told(primary: Any, *read: str) -> Any:
    """Of these addresses."""
    settings = Settings(write_store=primary.url(), read_store=",".join(read))
    return said(settings, look(settings, utc_now))


def test_what_is_written_has_to_come_to_what_is_read(valkey_servers: Any, valkey: Any) -> None:
    """A replica, one that was promoted, one that lost its primary, one that is gone."""
    primary = valkey_servers.one()
    replica = valkey_servers.replica(primary)
    assert said(Settings(store=primary.url()), None) is None
    assert told(primary, replica.url(), primary.url())[0] == "ok"
    replica.ask("REPLICAOF", "NO", "ONE")
    state, text, do = told(primary, replica.url(), primary.url())
    assert state == "trouble"
    assert f"{replica.url()} does not follow the store that is written" in text
    assert "--read-store" in do
    replica.ask("REPLICAOF", "127.0.0.1", valkey.free_port())
    assert "does not hear its primary" in told(primary, replica.url())[1]
    assert "cannot be reached" in told(primary, f"redis://127.0.0.1:{valkey.free_port()}")[1]
