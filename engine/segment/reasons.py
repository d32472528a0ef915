"""Every reason why a request or a message cannot be taken: one table of codes, one exception. Pure.

1. A code is a stable kebab-case word for programs: scripts and `doctor` count by it, and the rejected log keeps it.
2. The message beside it is for people, in a client's words (of JSON, not of Python), and never shows a value.
3. What status a code gets is the web's to know.
"""

from typing import Final

REASONS: Final[dict[str, str]] = {
    "bad-encoding": "The body's Content-Encoding cannot be undone",
    "not-json": "This is not JSON",
    "wrong-type": "A value is of the wrong type",
    "missing-batch": "There is no list of messages under batch",
    "body-too-large": "The body is too large",
    "batch-too-long": "The batch holds too many messages",
    "message-too-large": "The message is too large",
    "too-deep": "The message is nested too deeply",
    "unknown-type": "The message is of no type that is known",
    "bad-id": "An id cannot be one",
    "placeholder-id": "The message's ids stand for nobody",
    "missing-person": "The message names no userId and no anonymousId",
    "missing-user-id": "The message names no userId",
    "missing-previous-id": "The message names no previousId",
    "missing-group-id": "The message names no groupId",
    "missing-event": "The message names no event",
    "bad-traits": "The traits cannot be stored",
    "deletion-not-signed": "A deletion came by a way that anybody could use",
    "bad-signature": "The signature does not fit",
    "unsigned-events": "Only the first event of a list is signed",
    "bad-host": "The host is no host",
}


class Unacceptable(Exception):  # noqa: N818 - it is an answer, not a fault
    """What came cannot be taken: one of `REASONS`, and for people what exactly is wrong."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message
