"""The version of a ruleset: a hash of what it means. Pure.

What counts: everything that can change an answer, and the tests. What does not: where things stand (`Place`), in
which file and order they were written, and the checked form of a condition, which its text already says.
"""

from collections.abc import Iterator
from datetime import datetime
from hashlib import sha256
from typing import Any

import msgspec

from engine.words import Condition, Place, Ruleset


def version(ruleset: Ruleset) -> str:
    """The first 8 hex digits of the SHA-256 over the meaning; the ruleset's own `version` does not count."""
    # In one step: a checksum that is brought along part by part lets go of the interpreter at each of them, and takes
    # it back before the event loop could wake up (0.14 s, measured).
    return sha256(b"".join(_json(msgspec.structs.replace(ruleset, version="")))).hexdigest()[:8]


def _json(ruleset: Ruleset) -> Iterator[bytes]:
    """The meaning as JSON, in small parts: in one step a large ruleset would keep other threads waiting."""
    yield b'["Ruleset"'
    for value in (getattr(ruleset, name) for name in ruleset.__struct_fields__):
        yield b","
        if isinstance(value, dict):
            yield b"{"
            for number, (name, member) in enumerate(value.items()):
                yield (b"," if number else b"") + msgspec.json.encode(name) + b":"
                yield msgspec.json.encode(_meaning(member))
            yield b"}"
        else:
            yield msgspec.json.encode(_meaning(value))
    yield b"]"


def _meaning(value: Any) -> Any:
    if isinstance(value, Condition):
        return value.text.strip()
    if isinstance(value, msgspec.Struct):
        fields = [getattr(value, name) for name in value.__struct_fields__]
        # The type's name keeps `Slot("x")` and a literal "x" apart.
        return [type(value).__name__, *(_meaning(field) for field in fields if not isinstance(field, Place))]
    if isinstance(value, dict):
        return {str(name): _meaning(member) for name, member in value.items()}
    if isinstance(value, (tuple, list)):
        return [_meaning(member) for member in value]
    if isinstance(value, datetime):
        return value.isoformat()
    return repr(value) if isinstance(value, float) else value
