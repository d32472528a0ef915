"""What a connection is told whose request cannot be read: why, and the refusal as bytes, head and body.

What lives here: the words. What may not: when they are said, and what happens to the connection then (`guard.py`).

1. A refusal by the protocol itself is worded as one by an address: problem+json with a code of `refusal.CODES`, or in
   Segment's form where its libraries send to.
2. What the parser raises names the fault in its own words; a callback's `Refused` that it wraps is taken out again.
"""

import logging
from collections.abc import Iterable

import httptools
from uvicorn.protocols.http.httptools_impl import STATUS_LINE

from engine.web.bounds import of_url
from engine.web.door import Cors
from engine.web.ofrep.addresses import flag_in
from engine.web.refusal import MEDIA_TYPE, Refused

log = logging.getLogger("mutiny_edge.web")


def response(
    refused: Refused,
    url: bytes,
    headers: Iterable[tuple[bytes, bytes]],
    lines: bytes,
    cors: Cors,
    *,
    without_body: bool = False,
) -> bytes:
    """The refusal as a whole response, the last one on its connection; `lines` are headers that every answer has.

    `url` and `headers` are those of the request, as far as they were read.
    """
    bounds = of_url(url)
    body = refused.body(bounds.form, flag_in(url))
    head = [STATUS_LINE[refused.status_in(bounds.form)], lines]
    head.append(b"content-type: %b\r\ncontent-length: %d\r\n" % (MEDIA_TYPE[bounds.form], len(body)))
    head.append(b"cache-control: no-store\r\nx-content-type-options: nosniff\r\nconnection: close\r\n")
    head.extend(b"%b: %b\r\n" % header for header in cors.readable(bounds.who, dict(headers).get(b"origin")))
    head.append(b"\r\n")
    if not without_body:
        head.append(body)
    return b"".join(head)


def meant(error: httptools.HttpParserError) -> Refused:
    """What is wrong with the request, in the words of the parser or of a callback that it called."""
    cause = error.__context__
    if isinstance(cause, Refused):
        return cause
    if cause is None:
        return Refused("not-http", f"{error}.")
    if isinstance(cause, httptools.HttpParserError | UnicodeDecodeError):
        return Refused("not-http", "The address in the first line cannot be read.")
    log.error("a request could not be read", exc_info=cause)
    return Refused("internal-error", "The fault is logged.")
