"""`/v1/profiles/{kind}/{id}` and `/v1/traits`: what is known of one identity, its deletion, and what is sent at all.

For admins. What lives here: reading the address, answers. What may not: what is told of a profile (`profiles.origins`),
who is meant by a deletion and what is deleted (`segment.erasure`).

1. GET tells everything that is known where this identity leads, with the origin of each trait.
2. DELETE forgets the person behind it, in the store and in the logs, and answers when nothing is left. It is in the
   audit log first. What it could not finish (a full disk) is finished by a background job; then the answer is 503.
3. A deletion and a catalogue take long on a large store, so they run in threads, one of a kind at a time.
"""

import asyncio
import json
from collections.abc import Callable
from typing import Final, TypeVar, cast, get_args

import msgspec

from engine import limits
from engine.events.disk import LogError
from engine.node import Node, utc_now
from engine.profiles.catalogue import catalogue, to_json
from engine.profiles.ids import BadId, Key, Kind, is_visitor_id, key
from engine.profiles.origins import origins
from engine.profiles.origins import to_json as origins_json
from engine.profiles.store import StoreError
from engine.segment.message import Person
from engine.web import audit
from engine.web.door import Answer, Reply
from engine.web.refusal import Refused
from engine.web.request import Request

T = TypeVar("T")

PEOPLE: Final = frozenset(get_args(Person))
KINDS: Final = PEOPLE | {"group"}
_PAUSE_S: Final = 5  # until a job that went wrong has been tried again


def endpoint(node: Node) -> Answer:
    """What answers about one identity."""
    one_at_a_time = asyncio.Lock()

    async def answer(request: Request) -> Reply:
        kind, id_ = request.params["kind"], request.params["id"]
        asked = _key(kind, id_, PEOPLE if request.method == "DELETE" else KINDS)
        if request.method == "DELETE":
            async with one_at_a_time:
                return await _delete(node, request, asked, audit.target(kind, id_))
        known = await _done(node, "profile", lambda: origins(node.store, asked))
        if not known.known:
            raise Refused("not-found", "Nothing is known under this id.")
        return Reply(msgspec.json.encode(origins_json(known)))

    return answer


def traits(node: Node) -> Answer:
    """What answers about all names of traits and events."""
    one_at_a_time = asyncio.Lock()

    async def answer(_: Request) -> Reply:
        async with one_at_a_time:
            found = await _done(node, "traits", lambda: catalogue(node.store.scan(), limits.VISITORS_SAMPLED))
        return Reply(json.dumps(to_json(found), ensure_ascii=False).encode())

    return answer


async def _delete(node: Node, request: Request, asked: Key, target: str) -> Reply:
    """Forget the person; what was removed, counted."""
    entry = audit.Entry(utc_now(), request.by, request.peer, "delete-profile", target)
    try:
        await asyncio.to_thread(audit.note, node.settings.data, entry)
    except OSError as error:
        node.note_trouble("audit", str(error))
        raise _trouble() from None
    erased = await _done(node, "deletion", lambda: node.erase(asked))
    return Reply(msgspec.json.encode(erased))


async def _done(node: Node, what: str, work: Callable[[], T]) -> T:
    """What it gives, from a thread. Raises `Refused` for trouble of ours, which the log tells."""
    try:
        return await asyncio.to_thread(work)
    except (LogError, StoreError) as error:
        node.note_trouble(what, str(error))
        raise _trouble() from error


def _trouble() -> Refused:
    return Refused("storage-trouble", "The store or the log cannot be used now.", retry_after_s=_PAUSE_S)


def _key(kind: str, id_: str, kinds: frozenset[str]) -> Key:
    """The key of what is asked about. Raises `Refused`."""
    if kind not in kinds:
        raise Refused("not-found", f"Expected one of {', '.join(sorted(kinds))}.")
    if kind == "visitor" and not is_visitor_id(id_):
        raise Refused("bad-id", f"Expected 1 to {limits.VISITOR_ID_CHARS} characters of A-Z a-z 0-9 . _ : -")
    try:
        return key(cast("Kind", kind), id_)
    except BadId as bad:
        raise Refused("bad-id", f"{bad}.") from None
