"""Law: a flag waits for a shared store as a decision does, and makes do without it."""

import asyncio
import json
from itertools import count
from pathlib import Path
from typing import Any

import httpx
import pytest

from engine.node import Node
from engine.profiles.ids import key
from engine.profiles.record import Change
from engine.settings import Settings
from engine.web.app import build

ALL = "/ofrep/v1/evaluate/flags"
HOME = "https://www.example.com/"


@pytest.mark.parametrize("path", [ALL, f"{ALL}/drawn"])
def test_what_is_stored_elsewhere_is_waited_for(
    valkey_server: Any, flags_node: Node, tmp_path: Path, path: str
) -> None:
    """Until the store is reached answers are degraded; then the first one to each visitor knows what is stored."""
    node = Node(Settings(flags_node.settings.rules, tmp_path, store=valkey_server.url(), read_budget_ms=10_000))
    visitors = [f"v-{number}" for number in range(1_000)]
    node.store.apply(Change(key("visitor", visitor), 1, {"plan": "pro"}) for visitor in visitors)

    async def drawn(client: httpx.AsyncClient, visitor: str) -> dict[str, Any]:
        said = await client.post(path, json={"context": {"targetingKey": visitor, "url": HOME}})
        flags = json.loads(said.content)
        return dict(next(flag for flag in flags.get("flags", [flags]) if flag["key"] == "drawn"))

    async def story() -> None:
        node.start()
        async with httpx.AsyncClient(transport=httpx.ASGITransport(build(node)), base_url="http://test") as client:
            for number in count():
                flag = await drawn(client, visitors[number])
                if "degraded" not in flag["metadata"]:
                    break
                await asyncio.sleep(0.05)
            assert flag["value"] == "calm"
            assert (await drawn(client, "nobody"))["reason"] == "DEFAULT"
        await node.stop()

    asyncio.run(story())
