"""Every error that a client can see (RFC 9457, `application/problem+json`). One table of codes, one form.

1. A code is a stable kebab-case word for programs, with its status and title; `detail` is for people.
2. Whatever a client sends gets a status below 500. The one 500 is a fault of ours:
   logged, and answered without a word about why.
"""

from http import HTTPStatus

import msgspec

CODES: dict[str, tuple[int, str]] = {
    "not-http": (400, "The request is not HTTP"),
    "not-json": (400, "The body is not JSON"),
    "wrong-type": (400, "A value is of the wrong type"),
    "missing-visitor-id": (400, "visitorId is missing"),
    "bad-visitor-id": (400, "visitorId is not an id"),
    "missing-url": (400, "page.url is missing"),
    "bad-url": (400, "page.url is not an absolute http or https URL"),
    "bad-query": (400, "The query string cannot be read"),
    "bad-traits": (400, "The traits cannot be used"),
    "bad-length": (400, "Content-Length is not a number"),
    "unauthorized": (401, "An admin key is needed"),
    "cross-site": (403, "Another website may not do this"),
    "not-found": (404, "There is nothing at this address"),
    "method-not-allowed": (405, "This method is not for this address"),
    "request-timeout": (408, "The request did not arrive in time"),
    "body-too-large": (413, "The body is too large"),
    "url-too-long": (414, "The address is too long"),
    "unsupported-media-type": (415, "The body has a type that is not read here"),
    "too-many-requests": (429, "Too many requests wait on one connection"),
    "headers-too-large": (431, "The headers are too large"),
    "internal-error": (500, "Something went wrong on our side"),
}
MEDIA_TYPE = b"application/problem+json"


class Refused(Exception):  # noqa: N818 - it is an answer, not a fault
    """A request that cannot be answered: one of `CODES`, and for people what exactly is wrong."""

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(f"{code}: {detail}")
        self.code = code
        self.detail = detail
        self.status, self.title = CODES[code]

    def body(self) -> bytes:
        """The problem as JSON: `type`, `title`, `status`, `detail`, `code`."""
        return msgspec.json.encode(
            {
                "type": "about:blank",
                "title": self.title,
                "status": self.status,
                "detail": self.detail,
                "code": self.code,
            }
        )


def of_status(status: int) -> Refused:
    """The refusal for a bare HTTP status, as frameworks raise it."""
    for code, (known, title) in CODES.items():
        if known == status and status in {404, 405}:
            return Refused(code, f"{title}.")
    return Refused("not-found" if status < 500 else "internal-error", f"{HTTPStatus(status).phrase}.")
