"""The last good ruleset, kept as a file. What lives here: writing and reading it. What may not: deciding when.

1. A process that starts while the rule files are broken has nothing to fall back on but this file.
2. It names the rules folder that it came from: another folder's rules are never served.
3. It is replaced atomically, and its bytes are on the disk before its name is: a crash leaves the old or the new one.
4. Whatever is wrong with it (torn, older form, other folder), it reads as absent. It is a copy, nothing is lost.
"""

import os
from pathlib import Path
from tempfile import NamedTemporaryFile

import msgspec

from engine.words import Ruleset

FILE = "last-good-ruleset"
_FORM = 1  # raised whenever `words.Ruleset` changes its shape: an older file must not be read as something else


class _Kept(msgspec.Struct, frozen=True, array_like=True):
    form: int
    folder: str
    ruleset: Ruleset


_decoder = msgspec.msgpack.Decoder(_Kept)


def keep(ruleset: Ruleset, folder: Path, data: Path) -> None:
    """Write `ruleset`, as taken from `folder`, into the data folder. Raises `OSError`."""
    kept = msgspec.msgpack.encode(_Kept(_FORM, str(folder.absolute()), ruleset))
    data.mkdir(parents=True, exist_ok=True)
    with NamedTemporaryFile(dir=data, prefix=f"{FILE}.", delete=False) as file:
        try:
            file.write(kept)
            file.flush()
            os.fsync(file.fileno())
            Path(file.name).replace(data / FILE)
        except OSError:
            Path(file.name).unlink(missing_ok=True)
            raise


def kept(folder: Path, data: Path) -> Ruleset | None:
    """The last good ruleset of `folder`, or `None` where there is none that can be trusted."""
    try:
        found = _decoder.decode((data / FILE).read_bytes())
    except (OSError, msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return None
    if found.form != _FORM or found.folder != str(folder.absolute()):
        return None
    return found.ruleset
