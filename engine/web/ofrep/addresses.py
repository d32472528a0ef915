"""Where OFREP's clients ask, and what their queries say. Two addresses are the protocol's, the third is our own."""

from typing import Final
from urllib.parse import parse_qsl, unquote

from engine.web.refusal import Refused

UNDER: Final = "/ofrep/"
ALL: Final = "/ofrep/v1/evaluate/flags"
SINGLE: Final = ALL + "/{key:path}"
CHANGES: Final = "/ofrep/v1/events"

RULESET: Final = "ruleset"  # of `CHANGES`: the version that the client has
TOLD_OF: Final = "flagConfigEtag"  # of `ALL`: the version that an event told of

_FIELDS: Final = 100  # a client sends two


def flag_in(url: bytes) -> str | None:
    """The key of the flag that is asked for at this address, as far as it was read; None where it is of no flag."""
    path, of_one, key = url.partition(b"?")[0].decode("latin-1").partition(ALL + "/")
    return unquote(key) if of_one and not path else None


def field(query: bytes, name: str) -> str:
    """What the query says under this name; empty where it says nothing. Raises `Refused`."""
    if not query:
        return ""
    try:
        return dict(parse_qsl(query.decode("latin-1"), max_num_fields=_FIELDS)).get(name, "")
    except ValueError:
        raise Refused("bad-query", f"Expected at most {_FIELDS} percent-encoded fields.") from None
