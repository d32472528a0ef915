"""A request as an address sees it. What lives here: method, headers, peer, and the body, read within its bounds.

What may not: what a body says (`ask.py`), answers.
"""

from collections.abc import Mapping
from typing import TypeAlias

from msgspec import Struct
from starlette.types import Receive

from engine.web.refusal import Refused

Headers: TypeAlias = Mapping[bytes, bytes]

_LENGTH_DIGITS = 18  # a length of more digits is too large whatever they are, and Python reads no number of 5,000
_CODING_CHARS = 32  # of it in a message
_AS_IT_IS = frozenset({b"", b"identity"})
TYPES = frozenset({b"application/json", b"text/plain", b"", b"text/plain;charset=UTF-8"})  # the last as browsers say it


class Gone(Exception):  # noqa: N818 - a state of the client, not a fault
    """The client went away before its body was complete; nobody waits for an answer."""


class Request(Struct, frozen=True, gc=False):
    """One request. `headers` are in lower case; of two with one name the last counts. `peer` is who is connected.

    `params` are the parts of the path that stand in braces in the table of addresses; `by` tells apart admins.
    """

    method: str
    headers: Headers
    query: bytes
    peer: str | None
    receive: Receive
    params: Mapping[str, str] = {}
    by: str = ""

    async def json(self, most: int) -> bytes:
        """The body, which says that it is JSON, or text that is JSON (browsers send that without a preflight).

        Raises `Gone`, and `Refused` as soon as it is known that the body has more than `most` bytes.
        """
        self._check_media_type()
        self._check_coding()
        return await self.body(most)

    async def body(self, most: int) -> bytes:
        """The body as it came, packed or not.

        Raises `Gone`, and `Refused` as soon as it is known that the body has more than `most` bytes: before it is read
        where Content-Length says so.
        """
        length = self.headers.get(b"content-length")
        if length is not None:
            _check_size(int(length[:_LENGTH_DIGITS]) if length.isdigit() else -1, most)
        parts: list[bytes] = []
        size, more = 0, True
        while more:
            message = await self.receive()
            if message["type"] == "http.disconnect":
                raise Gone
            part = message.get("body", b"")
            size += len(part)
            _check_size(size, most)
            parts.append(part)
            more = message.get("more_body", False)
        return parts[0] if len(parts) == 1 else b"".join(parts)

    def _check_media_type(self) -> None:
        """A request without a type is taken at its word."""
        value = self.headers.get(b"content-type", b"")
        if value not in TYPES and value.split(b";", 1)[0].strip().lower() not in TYPES:
            raise Refused("unsupported-media-type", "Expected `Content-Type: application/json` or `text/plain`.")

    def _check_coding(self) -> None:
        """What is packed is not unpacked: a few bytes could be gigabytes."""
        coding = self.headers.get(b"content-encoding", b"").strip().lower()
        if coding not in _AS_IT_IS:
            shown = coding[:_CODING_CHARS].decode("ascii", "replace")
            raise Refused("unsupported-media-type", f"Expected a body as it is, got `Content-Encoding: {shown}`.")


def _check_size(size: int, most: int) -> None:
    if size < 0:
        raise Refused("bad-length", "Expected a Content-Length of digits alone.")
    if size > most:
        raise Refused("body-too-large", f"Expected a body of at most {most} bytes.")
