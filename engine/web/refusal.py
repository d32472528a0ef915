"""Every error that a client can see. One table of codes, three forms.

1. A code is a stable kebab-case word for programs, with its status and title; `detail` is for people.
2. Whatever a client sends gets a status below 500. A 500 is a fault of ours: logged, and answered without a word about
   why. 503 is trouble of ours that passes, 429 too much at once; both say when to come again.
3. The form is RFC 9457 (`application/problem+json`). Segment's libraries read another one: JSON with `code` and
   `message` as text, without which older ones send a request again that was refused for good. What is too large is
   400 there, as Segment answers it, and a fault of ours 503, so that nothing is thrown away for it. OpenFeature's
   providers read OFREP's: JSON with one of its few codes, and the key of the flag where one was asked for.
"""

from http import HTTPStatus
from typing import Final, Literal, TypeAlias

import msgspec

from engine.segment.reasons import REASONS

Form: TypeAlias = Literal["problem", "segment", "ofrep"]

_OURS: Final[dict[str, tuple[int, str]]] = {
    "not-http": (400, "The request is not HTTP"),
    "not-json": (400, "The body is not JSON"),
    "wrong-type": (400, "A value is of the wrong type"),
    "missing-visitor-id": (400, "visitorId is missing"),
    "bad-visitor-id": (400, "visitorId is not an id"),
    "missing-url": (400, "The URL of the page is missing"),
    "bad-url": (400, "The URL of the page is not an absolute http or https URL"),
    "bad-query": (400, "The query string cannot be read"),
    "bad-traits": (400, "The traits cannot be used"),
    "bad-preview": (400, "The preview link is none"),
    "bad-length": (400, "Content-Length is not a number"),
    "unauthorized": (401, "An admin key is needed"),
    "bad-write-key": (401, "A write key of a source is needed"),
    "bad-signature": (401, "The signature does not fit"),
    "cross-site": (403, "Another website may not do this"),
    "not-found": (404, "There is nothing at this address"),
    "method-not-allowed": (405, "This method is not for this address"),
    "request-timeout": (408, "The request did not arrive in time"),
    "preview-expired": (410, "The preview link has ended"),
    "body-too-large": (413, "The body is too large"),
    "url-too-long": (414, "The address is too long"),
    "unsupported-media-type": (415, "The body has a type that is not read here"),
    "too-many-requests": (429, "Too many requests wait on one connection"),
    "too-busy": (429, "Too much at once"),
    "headers-too-large": (431, "The headers are too large"),
    "internal-error": (500, "Something went wrong on our side"),
    "storage-trouble": (503, "What was sent cannot be stored now"),
}
# Why a message cannot be taken is in Segment's room; here it is an answer where no message of a request can.
CODES: Final = dict(
    sorted({**{code: (400, title) for code, title in REASONS.items()}, **_OURS}.items(), key=lambda row: row[1][0])
)
MEDIA_TYPE: Final[dict[Form, bytes]] = {
    "problem": b"application/problem+json",
    "segment": b"application/json",
    "ofrep": b"application/json",
}
_SEGMENT_STATUS: Final = {413: 400, 500: 503}
# OFREP's codes; whatever is not here is `GENERAL`.
_OFREP: Final = {
    "not-json": "PARSE_ERROR",
    "wrong-type": "INVALID_CONTEXT",
    "missing-visitor-id": "TARGETING_KEY_MISSING",
    "bad-visitor-id": "INVALID_CONTEXT",
    "bad-url": "INVALID_CONTEXT",
    "bad-traits": "INVALID_CONTEXT",
    "not-found": "FLAG_NOT_FOUND",
}


class Refused(Exception):  # noqa: N818 - it is an answer, not a fault
    """A request that cannot be answered: one of `CODES`, for people what exactly is wrong, and when to come again."""

    def __init__(self, code: str, detail: str, *, retry_after_s: int | None = None) -> None:
        super().__init__(f"{code}: {detail}")
        self.code = code
        self.detail = detail
        self.retry_after_s = retry_after_s
        self.status, self.title = CODES[code]

    def status_in(self, form: Form) -> int:
        """The status that a client of this form understands."""
        return _SEGMENT_STATUS.get(self.status, self.status) if form == "segment" else self.status

    def body(self, form: Form = "problem", flag: str | None = None) -> bytes:
        """The refusal as JSON: `type title status detail code`, Segment's `success code message error`, or OFREP's
        `key errorCode errorDetails`, where `flag` is the key.
        """
        if form == "ofrep":
            of = {} if flag is None else {"key": flag}
            return msgspec.json.encode(
                {**of, "errorCode": _OFREP.get(self.code, "GENERAL"), "errorDetails": self.detail}
            )
        if form == "segment":
            return msgspec.json.encode(
                {"success": False, "code": self.code, "message": self.detail, "error": self.title}
            )
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
