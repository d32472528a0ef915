"""The admin keys: read from a file, kept as hashes, asked for in front of every admin address.

What lives here: the key file, `Keys`, `Gate`. What may not: what admins may then do, answers.

1. A key file holds one key, or two while the old one is being replaced by a new one. Line by line:

       file = *( [ key / "sha256:" 64HEXDIG ] [ " #" comment ] NEWLINE )
       key  = 16 to 256 of A-Z a-z 0-9 - . _ ~ + /, and "=" at its end    ; what RFC 6750 lets a Bearer token be

2. The hash is SHA-256 of the key's bytes. A key is a long random word, no password, so one round of it is enough.
   A key that stands there as it is is hashed when the file is read, and the file must be its owner's alone. What is too
   short for a key is none, whatever hash stands there: nobody gets in by the hash of an empty variable.
3. The file is read when the service starts. No message and no log line holds any of its text.
4. Without a key file admin addresses do not exist. With one, a request shows its key as `Authorization: Bearer KEY`;
   digests are compared in constant time, each with every one, whatever bytes the header holds.
5. A method that could change something is refused where the browser says that another website asks
   (`Sec-Fetch-Site`), before its key is looked at.
6. Refusals are counted, and told in one line every `limits.SAME_LOG_S` at most. They read no body.
"""

import logging
import os
import stat
import time
from collections.abc import Iterator
from hashlib import sha256
from hmac import compare_digest
from pathlib import Path
from typing import Final

import re2
from msgspec import Struct, structs

from engine import limits
from engine.problems import Problem, as_text
from engine.web.refusal import Refused
from engine.web.request import Request
from engine.words import Place

log = logging.getLogger("mutiny_edge.admin")

_HASHED: Final = "sha256:"
_HASH = re2.compile(r"[0-9a-fA-F]{64}")
_KEY = re2.compile(r"[A-Za-z0-9._~+/-]+=*")
_EMPTY: Final = sha256().digest()
_MAKE_ONE: Final = "make one with: python3 -c 'import secrets; print(secrets.token_hex(32))'"
_SCHEME: Final = b"bearer "
_SAFE: Final = frozenset({"GET", "HEAD", "OPTIONS"})
_OURS: Final = frozenset({None, b"same-origin", b"none"})  # none: a person typed the address


class KeysUnusable(Exception):  # noqa: N818 - the name says what is wrong
    """A key file that cannot be taken: every problem of it, without a word of its text."""

    def __init__(self, problems: tuple[Problem, ...]) -> None:
        super().__init__("\n".join(map(as_text, problems)))
        self.problems = problems


class Keys(Struct, frozen=True):
    """The digests of the keys that are valid."""

    digests: tuple[bytes, ...]

    def hold(self, key: bytes) -> str | None:
        """The fingerprint of this key if it is one of them. Takes the same time whichever it is, and however much of
        it is right.
        """
        if len(key) < limits.ADMIN_KEY_CHARS_LEAST:
            return None
        digest = sha256(key[: limits.ADMIN_KEY_CHARS + 1]).digest()
        found = False
        for known in self.digests:
            found |= compare_digest(digest, known)
        return _fingerprint(digest) if found else None

    def fingerprints(self) -> str:
        """What tells keys apart in a log."""
        return ", ".join(map(_fingerprint, self.digests))


def _fingerprint(digest: bytes) -> str:
    return digest.hex()[:8]


def read_keys(file: Path) -> Keys:
    """The keys of a file. Raises `KeysUnusable`, `OSError`."""
    with file.open("rb") as opened:
        # Of the open file: what another process puts in its place meanwhile is not what is read.
        mode = stat.S_IMODE(os.fstat(opened.fileno()).st_mode)
        content = opened.read(limits.ADMIN_KEY_FILE_BYTES + 1)
    return Reading(file.as_posix(), mode if os.name == "posix" else 0o600).keys(content)


class Reading:
    """One key file, being read. `mode` are its permissions."""

    def __init__(self, file: str, mode: int) -> None:
        self._file = file
        self._mode = mode
        self._problems: list[Problem] = []

    def keys(self, content: bytes) -> Keys:
        """The keys of this content. Raises `KeysUnusable`."""
        digests = tuple(self._digests(content))
        if not self._problems and not digests:
            self._wrong(1, "admin-key-missing", "there is no key in this file", _MAKE_ONE)
        if len(digests) > limits.ADMIN_KEYS:
            found = f"expected at most {limits.ADMIN_KEYS} keys, got {len(digests)}"
            self._wrong(1, "admin-keys-too-many", found, "one, or an old and a new one while you change over")
        if self._problems:
            raise KeysUnusable(tuple(self._problems))
        return Keys(digests)

    def _digests(self, content: bytes) -> Iterator[bytes]:
        if len(content) > limits.ADMIN_KEY_FILE_BYTES or not content.isascii():
            self._wrong(1, "admin-key-file", "this is no key file: it is large, or holds other than ASCII", _MAKE_ONE)
            return
        for number, line in enumerate(content.decode("ascii").splitlines(), 1):
            word, *more = line.split(maxsplit=1)[:2] or [""]
            if more and not word.startswith("#") and not more[0].startswith("#"):
                self._wrong(number, "admin-key-characters", "expected one key on a line, got more words", _MAKE_ONE)
            elif word and not word.startswith("#"):
                yield self._hashed(number, word) if word.startswith(_HASHED) else self._plain(number, word)

    def _hashed(self, line: int, word: str) -> bytes:
        digits = word.removeprefix(_HASHED)
        if not _HASH.fullmatch(digits):
            how = "what `printf %s KEY | sha256sum` prints first"
            self._wrong(line, "admin-key-hash", "expected 64 hexadecimal digits after `sha256:`", how)
            return b""
        digest = bytes.fromhex(digits)
        if digest == _EMPTY:
            found = "this is the hash of the empty text: the variable was empty when the hash was made"
            self._wrong(line, "admin-key-empty", found, _MAKE_ONE)
        return digest

    def _plain(self, line: int, word: str) -> bytes:
        """The hash of a key that stands here as it is."""
        least, most = limits.ADMIN_KEY_CHARS_LEAST, limits.ADMIN_KEY_CHARS
        if not _KEY.fullmatch(word):
            allowed = "a key has letters, digits and - . _ ~ + / alone, and = at its end"
            self._wrong(line, "admin-key-characters", allowed, _MAKE_ONE)
        elif not least <= len(word) <= most:
            found = f"expected a key of {least} to {most} characters, got {len(word)}"
            self._wrong(line, "admin-key-length", found, _MAKE_ONE)
        elif self._mode & 0o077:
            found = f"this key stands here as it is, and others may read the file (mode {self._mode:04o})"
            instead = f"chmod 600 {self._file}, or write its hash in its place: `sha256:` and what `sha256sum` prints"
            self._wrong(line, "admin-key-readable", found, instead)
        return sha256(word.encode()).digest()

    def _wrong(self, line: int, code: str, message: str, hint: str) -> None:
        self._problems.append(Problem(Place(self._file, line, 1), code, message, hint))


class Gate:
    """Stands in front of the admin addresses."""

    def __init__(self, keys: Keys) -> None:
        self._keys = keys
        self._refused = 0
        self._silent_until = 0.0

    def check(self, request: Request) -> Request:
        """The request, with the fingerprint of whose it is. Raises `Refused` for who may not come in."""
        headers = request.headers
        if request.method not in _SAFE and headers.get(b"sec-fetch-site") not in _OURS:
            raise self._told(request, Refused("cross-site", "Expected a request that no other website's page made."))
        shown = headers.get(b"authorization", b"")
        by = self._keys.hold(shown[len(_SCHEME) :].strip()) if shown[: len(_SCHEME)].lower() == _SCHEME else None
        if by is None:
            raise self._told(
                request, Refused("unauthorized", "Expected `Authorization: Bearer KEY` with an admin key.")
            )
        return structs.replace(request, by=by)

    def _told(self, request: Request, refused: Refused) -> Refused:
        """The refusal, once it is counted; the log hears of it, but not a thousand times a second."""
        self._refused += 1
        now = time.monotonic()
        if now >= self._silent_until:
            self._silent_until = now + limits.SAME_LOG_S
            log.warning("refused %s, from %s (%d so far)", refused.code, request.peer, self._refused)
        return refused
