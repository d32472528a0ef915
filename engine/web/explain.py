"""`/v1/explain`: the question of `/v1/decide`, answered with the reasoning (`engine.decide.explain`). For admins.

1. It changes nothing: nothing is stored, and no page is remembered as one that visitors look at.
2. The profile is read here; the reasoning takes up to seconds on a page of thousands of segments, so it is made in a
   thread, one at a time. Decisions go on meanwhile.
"""

import asyncio
from functools import partial

from engine.decide.decider import NotAUrl
from engine.decide.explain import explain, to_json
from engine.node import Node, utc_now
from engine.web import ask
from engine.web.door import Answer, Reply
from engine.web.request import Request
from engine.web.surroundings import Proxies


def endpoint(node: Node, proxies: Proxies) -> Answer:
    """What answers at `/v1/explain`."""
    one_at_a_time = asyncio.Lock()

    async def answer(request: Request) -> Reply:
        asked = await ask.read(request)
        held = node.held
        visit = ask.visit(asked, held.reads, request.headers, request.peer, proxies)
        profile = await node.patiently(partial(node.profile, asked.visitor_id, asked.traits))
        async with one_at_a_time:
            try:
                told = await asyncio.to_thread(explain, held.decider, profile, asked.page, visit, utc_now())
            except NotAUrl:
                raise ask.not_a_url(asked.names) from None
        return Reply(to_json(told))

    return answer
