"""The two questions of OFREP: one flag, and every flag that a page has.

1. With a URL both answer out of the one decision that `/v1/decide` would make of the same visitor on the same page;
   exclusion groups hold because nothing here decides.
2. Without one, an experience is taken to apply, wherever its pages are, and so are the others of its exclusion group:
   never do two of a group answer. Of the page nothing is known, so conditions on it do not match.
3. One flag is asked for by programs, whose own user agent says nothing of the visitor: there the context alone says
   what the device is. All flags are asked for by browsers and apps: headers count as at `/v1/decide`.
4. The entity tag of all flags is a hash over the answer itself, in which the ruleset has its version: every edit of
   the rules has another tag, and every trait and page that lead to another answer; nothing else has. A client that was
   told of a ruleset (`flagConfigEtag`) which is not in use here is waited for (`changes.py`), and gets no 304.
5. While too much is asked at once it is 429: "nothing applies", as at `/v1/decide`, would take from a client what it
   has. What a whole ruleset decides without a page is compiled when it is first asked for, in a thread.
"""

import asyncio
from hashlib import blake2b
from typing import Final, Literal

import msgspec
from msgspec import Struct

from engine import limits
from engine.breaths import Breaths
from engine.decide.decider import Decider, NotAUrl
from engine.decide.flags import Flag
from engine.decide.pages import View
from engine.holder import Held
from engine.node import Node, utc_now
from engine.profiles.store import Reads
from engine.web import ask
from engine.web.ask import Asked
from engine.web.door import Reply
from engine.web.ofrep import context
from engine.web.ofrep.addresses import CHANGES, RULESET, TOLD_OF, field
from engine.web.ofrep.changes import Changes
from engine.web.refusal import Refused
from engine.web.request import Request
from engine.web.surroundings import Proxies
from engine.words import Decision, Visit

_encode: Final = msgspec.json.Encoder().encode
_PAUSE_S: Final = 1  # as long as providers ask for nothing then
_TAG_BYTES: Final = 8  # two answers to one client that have one tag: once in 10**19


class StreamEndpoint(Struct, frozen=True, rename="camel"):
    """Where it is, under the origin that was asked."""

    request_uri: str  # without the origin: the client knows it, and we need not believe a `Host`


class EventStream(Struct, frozen=True):
    """Where one is told that the rules, or their answers, have changed."""

    endpoint: StreamEndpoint
    type: Literal["sse"] = "sse"


class FlagList(Struct, frozen=True, rename="camel"):
    """Every flag that the page has; of one that did not match, the code's own default stands."""

    flags: list[Flag]
    metadata: dict[str, str | bool]
    event_streams: list[EventStream]


class Evaluation:
    """What answers OFREP's questions. `changes` knows of other rulesets."""

    def __init__(self, node: Node, proxies: Proxies, changes: Changes) -> None:
        self._node = node
        self._proxies = proxies
        self._changes = changes
        self._compiling = asyncio.Lock()

    async def single(self, request: Request) -> Reply:
        """One flag. Raises `Refused`, `Gone`."""
        self._refuse_too_much()
        asked = context.read(await request.json(limits.DECIDE_BODY_BYTES))
        held, key = self._node.held, request.params["key"]
        decider = held.decider
        if key not in decider.ruleset.experiences:
            raise Refused("not-found", f"There is no experience `{key[: limits.KEY_CHARS]}`.")
        view = viewed(decider, key, asked)
        visit = msgspec.structs.replace(self._visit(held, asked, request), device=asked.device)
        decision = await self._decided(decider, view, asked, visit, only=key)
        return Reply(_encode(decider.flags.of(key, decision, utc_now())))

    async def all(self, request: Request) -> Reply:
        """Every flag of the page; 304 to whoever has that answer already. Raises `Refused`, `Gone`."""
        self._refuse_too_much()
        asked = context.read(await request.json(limits.DECIDE_BODY_BYTES))
        told_of = field(request.query, TOLD_OF).removeprefix("W/").strip('"')
        await self._changes.caught_up(told_of)
        held = self._node.held
        decider = held.decider
        if not asked.page.url:
            await self._compiled(decider)
        view = viewed(decider, None, asked)
        decision = await self._decided(decider, view, asked, self._visit(held, asked, request))
        body = self._body(request, decision, decider.flags.on_page(view, decision, utc_now()))
        tag = b'"%b"' % blake2b(body, digest_size=_TAG_BYTES).hexdigest().encode()
        if told_of in {"", decision.ruleset} and tag in _tags(request.headers.get(b"if-none-match", b"")):
            return Reply(b"", 304, headers=[(b"etag", tag)])
        return Reply(body, headers=[(b"etag", tag)])

    def _refuse_too_much(self) -> None:
        """Turn away who asks while too much is asked at once. Raises `Refused`."""
        if self._node.load.sheds:
            self._node.counts.shed["decide"] += 1
            raise Refused("too-busy", "Too much is asked at once.", retry_after_s=_PAUSE_S)

    async def _compiled(self, decider: Decider) -> None:
        """See that what decides on all experiences anywhere is made."""
        async with self._compiling:
            if decider.known_anywhere(None) is None:
                await asyncio.to_thread(decider.anywhere, None, Breaths(limits.BREATH_EVERY_S, limits.BREATH_S))

    def _visit(self, held: Held, asked: Asked, request: Request) -> Visit:
        return ask.visit(asked, held.reads, request.headers, request.peer, self._proxies)

    async def _decided(
        self, decider: Decider, view: View, asked: Asked, visit: Visit, only: str | None = None
    ) -> Decision:
        page = asked.page if asked.page.url else None

        def decided(store: Reads) -> Decision:
            return self._node.decide_on(
                decider, view, asked.visitor_id, page, visit=visit, traits=asked.traits, store=store, only=only
            )

        began = self._node.counts.begun()
        decision = await self._node.patiently(decided)
        self._node.counts.ended(began)
        return decision

    def _body(self, request: Request, decision: Decision, flags: list[Flag]) -> bytes:
        metadata: dict[str, str | bool] = {"version": decision.ruleset}
        if decision.degraded:
            metadata["degraded"] = True
        before = request.headers.get(b"x-forwarded-prefix", b"") if self._proxies.trust(request.peer) else b""
        address = f"{CHANGES}?{RULESET}={decision.ruleset}"
        stream = EventStream(StreamEndpoint(_prefix(before) + address))
        return _encode(FlagList(flags, metadata, [stream]))


def viewed(decider: Decider, key: str | None, asked: Asked) -> View:
    """What decides on the page that was said; where none was, on this experience, or on all. Raises `Refused`."""
    page = asked.page
    if page.url:
        try:
            return decider.view(page.url)
        except NotAUrl:
            raise context.not_a_url() from None
    said = {"referrer": page.referrer, "title": page.title}
    return View({name: value for name, value in said.items() if value}, decider.anywhere(key).match, None)


def _tags(header: bytes) -> set[bytes]:
    """Those of `If-None-Match`; a proxy that packs an answer makes its tag a weak one."""
    return {tag.strip().removeprefix(b"W/") for tag in header.split(b",")}


def _prefix(header: bytes) -> str:
    """The folder under which our proxy has us, without its closing slash."""
    folder = header.decode("latin-1").strip().rstrip("/")
    return folder if folder.startswith("/") and not folder.startswith("//") else ""
