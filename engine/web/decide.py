"""`/v1/decide`: the decision for one page view. The hot path of the service.

1. `answer` is the whole of it: bytes in, bytes out, `Refused` for a client's mistake. It awaits nothing, so that
   whoever has a body (this endpoint, the command line, a protocol class) can call it where it stands.
2. `endpoint` is the same for a request over HTTP, whose question may also stand in the query.
"""

from engine.decide.decider import NotAUrl
from engine.decide.wire import to_json
from engine.node import Node
from engine.web import ask, preview
from engine.web.door import Answer, Reply
from engine.web.request import Headers, Request
from engine.web.surroundings import Proxies


def answer(body: bytes, node: Node, headers: Headers, peer: str | None, proxies: Proxies) -> bytes:
    """The decision for a JSON body, as JSON. Raises `Refused` for what the client got wrong."""
    return _answered(ask.from_body(body), node, headers, peer, proxies)


def _answered(asked: ask.Asked, node: Node, headers: Headers, peer: str | None, proxies: Proxies) -> bytes:
    visit = ask.visit(asked, node.held.reads, headers, peer, proxies)
    try:
        if asked.preview is not None:
            return preview.answer(asked, visit, node)
        return to_json(node.decide(asked.visitor_id, asked.page, visit, asked.traits))
    except NotAUrl:
        raise ask.not_a_url() from None


def endpoint(node: Node, proxies: Proxies) -> Answer:
    """What answers at `/v1/decide`."""

    async def answered(request: Request) -> Reply:
        return Reply(_answered(await ask.read(request), node, request.headers, request.peer, proxies))

    return answered
