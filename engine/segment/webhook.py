"""Segment's webhook destination: what it sends, and that it was Segment who sent it. Pure.

1. `X-Signature` is the HMAC-SHA1 of the event's JSON text in hexadecimal digits, under a secret that both sides know.
2. An event comes alone, or several come as a list. **Of a list only the first one is signed.** The text that is signed
   is taken as it stands in the list. A longer list is refused, unless the setting says that the rest is believed.
3. Times in it are computed already; `accept` knows that by the envelope's call.
"""

import hmac
from collections.abc import Sequence
from typing import Final

from engine.limits import BATCH_BYTES, BATCH_MESSAGES
from engine.segment.envelope import Envelope, messages
from engine.segment.reasons import Unacceptable

_BLANKS: Final = b" \t\r\n"


def opened_webhook(
    raw: bytes, signature: bytes, secrets: Sequence[bytes], *, rest_is_believed: bool = False
) -> Envelope:
    """A delivery that was signed with one of these secrets. Raises Unacceptable."""
    if len(raw) > BATCH_BYTES:
        raise Unacceptable("body-too-large", f"expected at most {BATCH_BYTES:,} bytes, got {len(raw):,}")
    text = raw.strip(_BLANKS)
    items = messages(text) if text.startswith(b"[") else [text]
    if not items:
        raise Unacceptable("missing-batch", "expected an event, or a list with one")
    if not _is_signed(items[0], signature, secrets):
        raise Unacceptable("bad-signature", "X-Signature: does not fit the event and the secret of this source")
    if len(items) > 1 and not rest_is_believed:
        raise Unacceptable("unsigned-events", "expected one event, got more: only the first of a list is signed")
    if len(items) > BATCH_MESSAGES:
        raise Unacceptable("batch-too-long", f"expected at most {BATCH_MESSAGES:,} events, got more")
    return Envelope("webhook", items)


def _is_signed(text: bytes, signature: bytes, secrets: Sequence[bytes]) -> bool:
    """Does the signature fit? Takes the same time whichever secret it is, and however much of it is right."""
    found = False
    for secret in secrets:
        expected = hmac.new(secret, text, "sha1").hexdigest().encode()
        found |= hmac.compare_digest(expected, signature.strip().lower())
    return found
