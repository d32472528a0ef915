"""Where Segment's libraries and its webhooks send to. No message is read here.

1. `INGEST` are the addresses of Segment's HTTP Tracking API, each with the call that it is; browsers and phones use the
   short ones. The body goes on as bytes: unpacking, reading and writing are done in the thread that writes.
2. The write key stands in `Authorization: Basic`, in the body, or in both and then is the same. It says which source
   sends; an unknown one is 401, and nothing of the request is kept.
3. Segment's answers: 200 `{"success": true}` as soon as one message is acceptable, once it is durable. 400 where none
   is, with the first reason; 429 when too much waits, 503 for trouble of ours, both with `Retry-After`.
4. Segment as the hub sends by webhook to `/v1/webhook/NAME`, signed with a secret that the source NAME shares with it.
5. `settings` is what analytics.js asks before it sends.
"""

import logging
from base64 import b64decode
from collections.abc import Callable, Mapping
from typing import Final, NoReturn

from engine import limits
from engine.events.disk import LogError
from engine.intake import TooBusy
from engine.node import Node, utc_now
from engine.profiles.store import StoreError
from engine.segment.accept import CALLS, Delivery, accept, opened
from engine.segment.reasons import Unacceptable
from engine.segment.settings import settings
from engine.segment.unpacking import unpacked
from engine.segment.webhook import opened_webhook
from engine.web.door import Answer, Reply
from engine.web.refusal import Refused
from engine.web.request import Request
from engine.web.surroundings import Proxies

INGEST: Final[Mapping[str, str]] = {f"/v1/{name}": call for name, call in CALLS.items()}
METRICS: Final = "/v1/m"
WEBHOOK: Final = "/v1/webhook/"
SETTINGS: Final = "/v1/projects/"

_SUCCESS: Final = Reply(b'{"success": true}')
_BASIC: Final = b"basic "
_TROUBLE_PAUSE_S: Final = 2  # a store that restarts, or a disk that somebody makes room on, takes seconds


def endpoint(node: Node, call: str) -> Answer:
    """What answers where libraries send this call."""

    async def answer(request: Request) -> Reply:
        shown = _basic(request)
        encoding = request.headers.get(b"content-encoding", b"")
        body = await request.body(limits.BATCH_BYTES)

        def deliver() -> Delivery:
            envelope = opened(unpacked(body, encoding), call)
            key = envelope.write_key.encode(errors="replace") if envelope.write_key is not None else None
            return accept(envelope, _source(node, request.peer, shown, key), utc_now(), node.rest)

        size = min(limits.BATCH_BYTES, len(body) * limits.PACKED_RATIO) if encoding else len(body)
        return await _taken(node, deliver, size)

    return answer


def webhook(node: Node) -> Answer:
    """What answers where Segment sends as the hub."""

    async def answer(request: Request) -> Reply:
        name = request.params["source"]
        signature = request.headers.get(b"x-signature", b"")
        body = await request.body(limits.BATCH_BYTES)

        def deliver() -> Delivery:
            secrets = node.keys.webhook_secrets(name)
            if not secrets:
                _unknown(node, request.peer, "bad-signature", "This source has no webhook.")
            believed = node.settings.webhook_batches
            return accept(
                opened_webhook(body, signature, secrets, rest_is_believed=believed), name, utc_now(), node.rest
            )

        return await _taken(node, deliver, len(body))

    return answer


async def metrics(request: Request) -> Reply:
    """The browser library's own metrics: nobody here reads them, and an error would only make it try again."""
    await request.body(limits.BATCH_BYTES)
    return _SUCCESS


def library_settings(node: Node, proxies: Proxies) -> Answer:
    """What analytics.js asks before it sends: for a write key, to send here."""

    async def answer(request: Request) -> Reply:
        key = request.params["key"]
        if node.keys.source_of(key.encode(errors="replace")) is None:
            _unknown(node, request.peer, "not-found", "No source has this write key.")
        headers = request.headers
        forwarded = headers.get(b"x-forwarded-proto", b"") if proxies.trust(request.peer) else b""
        # A page that came encrypted may only ask what is encrypted too.
        scheme = forwarded or headers.get(b"origin", b"").partition(b":")[0]
        host = headers.get(b"host", b"").decode("latin-1")
        try:
            return Reply(settings(key, host, encrypted=scheme == b"https"))
        except Unacceptable as bad:
            raise Refused(bad.code, bad.message) from None

    return answer


async def _taken(node: Node, deliver: Callable[[], Delivery], size: int) -> Reply:
    """Segment's answer once the delivery is durable, or why it is not. Raises `Refused`."""
    if node.load.sheds:
        node.counts.shed["ingest"] += 1
        raise Refused("too-busy", "Too much is asked at once.", retry_after_s=limits.SHED_S)
    try:
        delivery = await node.take(deliver, size)
    except Unacceptable as bad:
        raise Refused(bad.code, bad.message) from None
    except TooBusy:
        node.counts.shed["ingest"] += 1
        raise Refused("too-busy", "Too much waits to be stored.", retry_after_s=limits.SHED_S) from None
    except (LogError, StoreError):
        said = "What was sent cannot be stored now."
        raise Refused("storage-trouble", said, retry_after_s=_TROUBLE_PAUSE_S) from None
    counts = node.counts
    counts.taken.update((message.source, message.type) for message in delivery.messages)
    counts.rejected.update((rejection.source, rejection.code) for rejection in delivery.rejected)
    if delivery.rejected and not delivery.messages and not delivery.not_for_us:
        first = delivery.rejected[0]
        raise Refused(first.code, first.reason)
    return _SUCCESS


def _source(node: Node, peer: str | None, shown: bytes | None, in_body: bytes | None) -> str:
    """Whose write key this is. Raises `Refused`."""
    if shown is not None and in_body is not None and shown != in_body:
        raise Refused("bad-write-key", "The write key in Authorization is not the one in the body.")
    key = in_body if shown is None else shown
    if not key:
        raise Refused("bad-write-key", "Expected a write key: the user of `Authorization: Basic`, or `writeKey`.")
    source = node.keys.source_of(key)
    if source is None:
        said = "No source has this write key; `mutiny-edge sources list` shows all sources."
        _unknown(node, peer, "bad-write-key", said)
    return source


def _unknown(node: Node, peer: str | None, code: str, detail: str) -> NoReturn:
    """Refuse a key, unless it may be a good one that we cannot look up: what it brings would be thrown away."""
    if node.keys.trouble is not None:
        node.note_trouble("sources", node.keys.trouble)
        raise Refused("storage-trouble", "Write keys cannot be looked up now.", retry_after_s=_TROUBLE_PAUSE_S)
    # Anybody can send what is refused, so it is no error of ours.
    node.note_trouble("keys", f"what {peer} sends is refused: no source has its key", logging.WARNING)
    raise Refused(code, detail)


def _basic(request: Request) -> bytes | None:
    """The user of `Authorization: Basic`; there is no password, and a library or two leave out its colon."""
    header = request.headers.get(b"authorization", b"")
    if header[: len(_BASIC)].lower() != _BASIC:
        return None
    try:
        return b64decode(header[len(_BASIC) :].strip()).partition(b":")[0]
    except ValueError:
        raise Refused("bad-write-key", "Authorization: expected Basic with the write key in Base64.") from None
