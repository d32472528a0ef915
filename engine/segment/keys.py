"""Whose key is this: the files of sources as a service at work reads them.

What lives here: `Keys`. What may not: changing sources (`sources`), requests, answers, logging.

1. Each question looks at the file's name in its folder once (one `stat`); it is read again only when inode, size or
   time of change are others than they were. So a key that was added or ended is known to every worker at once.
2. **A file that cannot be used changes nothing**: what was read last stays in force, and `trouble` says why. That holds
   for a file that is gone, too. Only where there never was one there are no sources.
3. While there is trouble an unknown key may be a good one; whoever refuses it then loses what it brings. So ask
   `trouble` before you say no.
4. Digests are compared in constant time, each with every one, whatever bytes the key holds.
"""

from collections.abc import Callable, Mapping
from hashlib import sha256
from hmac import compare_digest
from pathlib import Path
from typing import Final, Generic, TypeAlias, TypeVar

from engine.limits import WRITE_KEY_BYTES
from engine.segment.sources import (
    SOURCES_FILE,
    WEBHOOKS_FILE,
    Source,
    SourceKind,
    SourcesError,
    read_secrets,
    read_sources,
)

T = TypeVar("T")

_State: TypeAlias = tuple[int, int, int] | None  # inode, size, time of change; None: there never was a file

_UNKNOWN: Final = (0, 0, 0)  # there was one, and whatever is found is another


class _Sources:
    """What a file of sources says, as it is asked for."""

    def __init__(self, by_name: Mapping[str, Source]) -> None:
        self.by_name = by_name
        self.digests = tuple((bytes.fromhex(key), source.name) for source in by_name.values() for key in source.keys)


class _Watched(Generic[T]):
    """A file that is read again when it is another one."""

    def __init__(self, path: Path, read: Callable[[bytes], T], nothing: T) -> None:
        self.trouble: str | None = None
        self._path = path
        self._read = read
        self._value = nothing
        self._state: _State = None

    def now(self) -> T:
        """What the file says, or said when it could be used last."""
        try:
            state = self._seen()
            if state != self._state:
                self._take(state)
        except FileNotFoundError:
            if self._state is not None:
                self._state, self.trouble = _UNKNOWN, f"{self._path} is gone"
        except OSError as error:
            self._state, self.trouble = _UNKNOWN, f"{self._path} cannot be read: {error.strerror}"
        return self._value

    def _take(self, state: _State) -> None:
        content = self._path.read_bytes()
        try:
            self._value, self.trouble = self._read(content), None
        except SourcesError as error:
            self.trouble = str(error)
        self._state = state  # last: another thread that finds it here finds the new value, too

    def _seen(self) -> _State:
        seen = self._path.stat()
        return seen.st_ino, seen.st_size, seen.st_mtime_ns


class Keys:
    """The keys that are valid now in a data folder."""

    def __init__(self, folder: Path) -> None:
        self._sources = _Watched(folder / SOURCES_FILE, lambda content: _Sources(read_sources(content)), _Sources({}))
        nothing: Mapping[str, tuple[str, ...]] = {}
        self._secrets = _Watched(folder / WEBHOOKS_FILE, read_secrets, nothing)

    def source_of(self, key: bytes) -> str | None:
        """The name of the source whose write key this is. Takes the same time whichever it is."""
        digest = sha256(key[: WRITE_KEY_BYTES + 1]).digest()
        found = None
        for known, name in self._sources.now().digests:
            if compare_digest(digest, known):
                found = name
        return found

    def kind_of(self, name: str) -> SourceKind | None:
        """The kind of a source, None where there is none of this name."""
        source = self._sources.now().by_name.get(name)
        return None if source is None else source.kind

    def webhook_secrets(self, name: str) -> tuple[bytes, ...]:
        """The secrets with which this source's webhook may be signed; none where there is no such webhook."""
        return tuple(secret.encode() for secret in self._secrets.now().get(name, ()))

    @property
    def trouble(self) -> str | None:
        """Why what is in force may be old; None where all is well. Looks at both files."""
        self._sources.now()
        self._secrets.now()
        return self._sources.trouble or self._secrets.trouble
