"""The sources that may send, and their keys: how they are made, changed and kept.

What lives here: `Sources`, for whoever administers them; what its files hold. What may not: requests (`keys`).

1. `sources.json` in the data folder holds names, kinds and the SHA-256 of each write key, the newest first. A key is
   shown once, when it is made. It is a long random word and no password, so one round of SHA-256 is enough.
2. A source has at most `limits.SOURCE_KEYS` valid keys: `rotate` makes a new one, and the one before stays valid until
   the next rotation pushes it out.
3. **A webhook's secret cannot be kept as a hash**: the signature is computed with the secret itself. So it is kept in
   clear, in a file of its own (`webhooks.json`), and whoever reads that file can sign as Segment does. It is made by
   us, for this purpose alone; it rotates as keys do, and opens nothing else.
4. Both files are written by `ledger`: whole, durable, their owner's alone, one change at a time (`sources.lock`).
5. A file that cannot be read is never written over. What is wrong with it is said without a word of its content.
"""

import secrets
from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path
from typing import Final, Literal, TypeAlias, TypeVar, get_args

import msgspec
from msgspec import Struct

from engine.limits import SOURCE_KEYS, SOURCE_NAME_CHARS, SOURCES_FILE_BYTES
from engine.segment.ledger import Ledger, alone

SourceKind: TypeAlias = Literal["website", "product", "backend"]

KINDS: Final[tuple[SourceKind, ...]] = get_args(SourceKind)
SOURCES_FILE: Final = "sources.json"
WEBHOOKS_FILE: Final = "webhooks.json"
_LOCK_FILE: Final = "sources.lock"
_FORMAT: Final = 1
_OURS: Final = frozenset({"import", "deletion", "salesforce"})
_KEY_BYTES: Final = 16  # 32 hexadecimal digits, as long as Segment's own write keys
_SECRET_BYTES: Final = 32
_NAME_ALPHABET: Final = b"abcdefghijklmnopqrstuvwxyz0123456789-_"
_DIGEST_BYTES: Final = 32


class SourcesError(ValueError):
    """What was asked cannot be done, or a file of sources cannot be read. The message says what to do."""


class Source(Struct, frozen=True):
    """Who may send: a name, a kind, and the SHA-256 of the keys that are valid in hexadecimal digits, newest first."""

    name: str
    kind: SourceKind
    keys: tuple[str, ...]

    def fingerprints(self) -> tuple[str, ...]:
        """What tells keys apart where people read."""
        return tuple(digest[:8] for digest in self.keys)


class _SourcesFile(Struct, forbid_unknown_fields=True):
    format: int
    sources: tuple[Source, ...]


class _WebhooksFile(Struct, forbid_unknown_fields=True):
    format: int
    secrets: dict[str, tuple[str, ...]]


F = TypeVar("F", _SourcesFile, _WebhooksFile)


class Sources:
    """The sources of a data folder, to be looked at and changed."""

    def __init__(self, folder: Path) -> None:
        self._sources = Ledger(folder / SOURCES_FILE)
        self._webhooks = Ledger(folder / WEBHOOKS_FILE)
        self._lock = folder / _LOCK_FILE

    def all(self) -> list[Source]:
        """Every source, by name. Raises SourcesError, OSError."""
        return [source for _, source in sorted(self._read().items())]

    def with_webhooks(self) -> frozenset[str]:
        """The names of those whose webhook has a secret. Raises SourcesError, OSError."""
        return frozenset(self._read_secrets())

    def add(self, name: str, kind: SourceKind) -> str:
        """Make a source; its write key, which nobody can be shown again. Raises SourcesError, OSError."""
        if not is_name(name):
            raise SourcesError(f"a source's name has 1 to {SOURCE_NAME_CHARS} of a-z 0-9 - _")
        if name in _OURS:
            raise SourcesError(f"{name} is what origins say of what no source sent; choose another name")
        if kind not in KINDS:
            raise SourcesError(f"the kind of a source is one of {', '.join(KINDS)}")
        with alone(self._lock):
            sources = self._read()
            if name in sources:
                said = f"there is a source {name} already; `mutiny-edge sources rotate {name}` makes a new key for it"
                raise SourcesError(said)
            key = secrets.token_hex(_KEY_BYTES)
            self._write({**sources, name: Source(name, kind, (_digest(key),))})
        return key

    def rotate(self, name: str) -> str:
        """Make a new write key beside the newest one; older ones end. Raises SourcesError, OSError."""
        with alone(self._lock):
            sources = self._read()
            source = _known(sources, name)
            key = secrets.token_hex(_KEY_BYTES)
            keys = (_digest(key), *source.keys)[:SOURCE_KEYS]
            self._write({**sources, name: Source(name, source.kind, keys)})
        return key

    def rotate_webhook(self, name: str) -> str:
        """Make a secret for the webhook of a source, beside the newest one. Raises SourcesError, OSError."""
        with alone(self._lock):
            _known(self._read(), name)
            known = self._read_secrets()
            secret = secrets.token_hex(_SECRET_BYTES)
            self._write_secrets({**known, name: (secret, *known.get(name, ()))[:SOURCE_KEYS]})
        return secret

    def remove(self, name: str) -> None:
        """End a source: none of its keys opens anything any more. Raises SourcesError, OSError."""
        with alone(self._lock):
            sources = self._read()
            _known(sources, name)
            known = self._read_secrets()
            if known.pop(name, None):
                self._write_secrets(known)
            del sources[name]
            self._write(sources)

    def _read(self) -> dict[str, Source]:
        content = self._sources.read()
        return {} if content is None else dict(read_sources(content))

    def _write(self, sources: Mapping[str, Source]) -> None:
        self._sources.write(_laid_out(_SourcesFile(_FORMAT, tuple(sources.values()))))

    def _read_secrets(self) -> dict[str, tuple[str, ...]]:
        content = self._webhooks.read()
        return {} if content is None else dict(read_secrets(content))

    def _write_secrets(self, known: dict[str, tuple[str, ...]]) -> None:
        self._webhooks.write(_laid_out(_WebhooksFile(_FORMAT, known)))


def is_name(text: str) -> bool:
    """1 to 64 of `a-z 0-9 - _`."""
    return 0 < len(text) <= SOURCE_NAME_CHARS and text.isascii() and not text.encode().translate(None, _NAME_ALPHABET)


def read_sources(content: bytes) -> Mapping[str, Source]:
    """The sources in a file of them, by name. Raises SourcesError."""
    found = _parsed(content, SOURCES_FILE, _SourcesFile)
    for source in found.sources:
        if not (is_name(source.name) and source.keys and all(map(_is_digest, source.keys))):
            raise _broken(SOURCES_FILE, "a source in it has a name or a key that is none")
    by_name = {source.name: source for source in found.sources}
    if len(by_name) != len(found.sources):
        raise _broken(SOURCES_FILE, "two sources in it have the same name")
    return by_name


def read_secrets(content: bytes) -> Mapping[str, tuple[str, ...]]:
    """The secrets of webhooks in a file of them, by source, the newest first. Raises SourcesError."""
    found = _parsed(content, WEBHOOKS_FILE, _WebhooksFile)
    if not all(held and all(held) for held in found.secrets.values()):
        raise _broken(WEBHOOKS_FILE, "a secret in it is empty")  # anybody could sign with nothing
    return found.secrets


def _parsed(content: bytes, file: str, kind: type[F]) -> F:
    if len(content) > SOURCES_FILE_BYTES:
        raise _broken(file, "it is too large to be one")
    try:
        found = msgspec.json.decode(content, type=kind)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        raise _broken(file, "it is cut short, or was changed by hand") from None
    if found.format != _FORMAT:
        raise _broken(file, f"it has format {found.format}, this version of mutiny-edge knows {_FORMAT}")
    return found


def _broken(file: str, why: str) -> SourcesError:
    return SourcesError(f"{file} in the data folder cannot be used: {why}; restore it from a backup, or move it away")


def _known(sources: Mapping[str, Source], name: str) -> Source:
    if name not in sources:
        raise SourcesError("there is no source of this name; `mutiny-edge sources list` shows all")
    return sources[name]


def _digest(key: str) -> str:
    return sha256(key.encode()).hexdigest()


def _is_digest(text: str) -> bool:
    try:
        return len(bytes.fromhex(text)) == _DIGEST_BYTES
    except ValueError:
        return False


def _laid_out(file: Struct) -> bytes:
    return msgspec.json.format(msgspec.json.encode(file), indent=2) + b"\n"
