"""How large a request may be and how long it may take to arrive, by its path; and what it is told beyond that.

What lives here: the table of bounds. What may not: the numbers themselves (`engine/limits.py`), the connection that is
held to them (`guard.py`).
"""

from collections.abc import Mapping
from typing import Final

from msgspec import Struct

from engine import limits
from engine.web.clients import ticks
from engine.web.door import FORMS, Who
from engine.web.ingest import INGEST, METRICS, SETTINGS, WEBHOOK
from engine.web.ofrep.addresses import UNDER
from engine.web.refusal import Form, Refused


class Bounds(Struct, frozen=True):
    """How large a body may be, and how long after its first byte a request must be complete; `who` may call."""

    body_bytes: int
    request_ticks: int
    who: Who = "anybody"

    @property
    def form(self) -> Form:
        """The one in which its clients read refusals."""
        return FORMS.get(self.who, "problem")


DECIDE_PATH: Final = b"/v1/decide"
OTHER: Final = Bounds(limits.DECIDE_BODY_BYTES, ticks(limits.DECIDE_S))
_INGEST: Final = Bounds(limits.BATCH_BYTES, ticks(limits.INGEST_S), who="source")
_BOUNDS: Final[Mapping[bytes, Bounds]] = {
    DECIDE_PATH: Bounds(limits.DECIDE_BODY_BYTES, ticks(limits.DECIDE_S), who="page"),
    **dict.fromkeys((path.encode() for path in (*INGEST, METRICS)), _INGEST),
}
_SEGMENT: Final = (WEBHOOK.encode(), SETTINGS.encode())
_OFREP: Final = UNDER.encode()
_FLAGS: Final = Bounds(limits.DECIDE_BODY_BYTES, ticks(limits.DECIDE_S), who="flags")


def of_url(url: bytes) -> Bounds:
    """The bounds of a request with this address; what is not in the table has those of a decision."""
    path = url.partition(b"?")[0]
    if path.startswith(_OFREP):
        return _FLAGS
    return _BOUNDS.get(path) or (_INGEST if path.startswith(_SEGMENT) else OTHER)


def url_too_long() -> Refused:
    """The address is longer than any."""
    return Refused("url-too-long", f"Expected an address of at most {limits.URL_BYTES} bytes; a body may be longer.")


def head_too_large() -> Refused:
    """Too many headers, or too large ones."""
    return Refused(
        "headers-too-large", f"Expected at most {limits.HEADERS} headers of {limits.HEAD_BYTES} bytes in all."
    )


def body_too_large(bounds: Bounds) -> Refused:
    """By its length, or by what came of it."""
    return Refused("body-too-large", f"Expected a body of at most {bounds.body_bytes} bytes.")
