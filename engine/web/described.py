"""`/openapi.json` and `/docs`: the two addresses at which one reads what a service answers.

What lives here: that they describe all others and themselves. What may not: what is said (`openapi`), the page
(`docs`).
"""

from collections.abc import Iterable
from typing import Final

import msgspec

from engine.web.docs import served
from engine.web.door import Address, Answer, Reply
from engine.web.kept import KEPT_BRIEFLY, packed, reply
from engine.web.openapi.document import document
from engine.web.openapi.operation import JSON, Json
from engine.web.request import Request
from engine.web.surroundings import Proxies

OPENAPI: Final = "/openapi.json"
DOCS: Final = "/docs"
_QUALITY: Final = 5  # every process that begins packs it anew


def addresses(others: Iterable[Address], proxies: Proxies) -> tuple[Address, ...]:
    """Where the description of these addresses is read, and of itself. Raises `Undescribed`."""

    def rows(description: Answer, page: Answer) -> tuple[Address, ...]:
        return Address(OPENAPI, "page", ("GET",), description), Address(DOCS, "anybody", ("GET",), page)

    said = document((*others, *rows(_nothing, _nothing)))
    return rows(_description(said), served.endpoint(said, proxies))


def _description(said: Json) -> Answer:
    kept = packed(msgspec.json.encode(said), JSON.encode(), quality=_QUALITY)

    async def answer(request: Request) -> Reply:
        return reply(kept, request.headers, KEPT_BRIEFLY)

    return answer


async def _nothing(_: Request) -> Reply:
    """What an address answers that is only described."""
    return Reply(b"")
