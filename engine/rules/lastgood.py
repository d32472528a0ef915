"""The last good ruleset, kept as a file. What lives here: writing and reading it. What may not: deciding when.

1. A process that starts while the rule files are broken has nothing to fall back on but this file.
2. It names the rules folder that it came from, and each folder has a file of its own: another folder's rules are never
   served, and two services with one data folder do not take each other's away.
3. It is replaced atomically, and its bytes are on the disk before its name is: a crash leaves the old or the new one.
4. It is a row of pieces, each with its length in front: first who it is of, then the ruleset without its segments and
   experiences, then these one by one (all at once would keep other threads waiting), at the end the SHA-256 of it all.
5. Whatever is wrong with it (torn, altered, older form, other folder), it reads as absent: it is only a copy.
"""

import os
import struct
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Any

import msgspec

from engine.words import Experience, Ruleset, Segment

FILE = "last-good-ruleset"
_FORM = 2  # raised whenever `words.Ruleset` changes its shape: an older file must not be read as something else
_LENGTH = struct.Struct(">I")
_FOLDER_DIGITS = 12  # of the SHA-256 of a rules folder, in the name of its file


class _Kept(msgspec.Struct, frozen=True, array_like=True):
    form: int
    folder: str
    segments: int


_Damaged = (OSError, msgspec.MsgspecError, UnicodeDecodeError, RecursionError, struct.error, ValueError)


def file_of(folder: Path, data: Path) -> Path:
    """Where the last good ruleset of `folder` is kept."""
    named = sha256(os.fsencode(folder.absolute())).hexdigest()
    return data / f"{FILE}-{named[:_FOLDER_DIGITS]}"


def keep(ruleset: Ruleset, folder: Path, data: Path) -> None:
    """Write `ruleset`, as taken from `folder`, into the data folder. Raises `OSError`."""
    data.mkdir(parents=True, exist_ok=True)
    with NamedTemporaryFile(dir=data, prefix=f"{FILE}.", delete=False) as file:
        try:
            pieces = (msgspec.msgpack.encode(item) for item in _items(ruleset, folder))
            content = b"".join(part for piece in pieces for part in (_LENGTH.pack(len(piece)), piece))
            file.write(content + sha256(content).digest())
            file.flush()
            os.fsync(file.fileno())
            Path(file.name).replace(file_of(folder, data))
        except OSError:
            Path(file.name).unlink(missing_ok=True)
            raise


def _items(ruleset: Ruleset, folder: Path) -> Iterator[Any]:
    yield _Kept(_FORM, str(folder.absolute()), len(ruleset.segments))
    yield msgspec.structs.replace(ruleset, segments={}, experiences={})
    yield from ruleset.segments.values()
    yield from ruleset.experiences.values()


def kept(folder: Path, data: Path) -> Ruleset | None:
    """The last good ruleset of `folder`, or `None` where there is none that can be trusted."""
    try:
        pieces = _pieces(file_of(folder, data).read_bytes())
        found = msgspec.msgpack.decode(next(pieces), type=_Kept)
        if found.form != _FORM or found.folder != str(folder.absolute()):
            return None
        rest = msgspec.msgpack.decode(next(pieces), type=Ruleset)
        segments = [msgspec.msgpack.decode(next(pieces), type=Segment) for _ in range(found.segments)]
        experiences = [msgspec.msgpack.decode(piece, type=Experience) for piece in pieces]
    except (*_Damaged, StopIteration):
        return None
    return msgspec.structs.replace(
        rest, segments={s.key: s for s in segments}, experiences={e.key: e for e in experiences}
    )


def _pieces(content: bytes) -> Iterator[bytes]:
    """The pieces of a whole file; raises ValueError for any other."""
    end = len(content) - sha256().digest_size
    if end < 0 or sha256(content[:end]).digest() != content[end:]:
        raise ValueError("torn or altered")
    at = 0
    while at < end:
        (length,) = _LENGTH.unpack_from(content, at)
        at += _LENGTH.size
        yield content[at : at + length]
        at += length
