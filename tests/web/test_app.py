"""The other addresses, and what nobody caught."""

import asyncio
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from engine.node import Node
from engine.settings import Settings
from engine.web.app import build


def test_healthz_answers(call: Any) -> None:
    """The process is there."""
    said = call("GET", "/healthz")
    assert (said.status, said.json) == (200, {"ok": True})


def test_readyz_says_what_decides(call: Any, node: Node) -> None:
    """The ruleset with its version, age and size, no error, and the jobs."""
    said = call("GET", "/readyz")
    ruleset = said.json["ruleset"]
    assert (said.status, said.json["ready"], said.json["last_error"]) == (200, True, None)
    assert ruleset["version"] == node.held.decider.ruleset.version
    assert ruleset["age_s"] >= 0
    assert (ruleset["experiences"], ruleset["segments"], ruleset["source"]) == (1, 1, "files")
    assert said.json["process"] == os.getpid()
    assert said.json["store"] == {"trouble": None, "degraded_answers": 0}
    assert said.json["intake"] == {"trouble": None, "unfinished_deletions": 0}


def test_readyz_says_in_one_line_what_is_wrong_with_the_store(call: Any, node: Node) -> None:
    """Still ready, for page and visit decide; the line names the file and a way out."""
    path = node.settings.data / "profiles" / "data.mdb"
    path.unlink()
    node.look_at_store()
    said = call("GET", "/readyz")
    trouble = said.json["store"]["trouble"]
    assert (said.status, trouble.count("\n")) == (200, 0)
    assert trouble.startswith(f"{path} was removed while it was in use; restore ")


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "/", 404, "not-found"),
        ("POST", "/v1/decide/", 404, "not-found"),
        ("GET", "/v1/d%00", 404, "not-found"),
        ("GET", "/healthz\n", 404, "not-found"),
        ("POST", "/v1/decide\n", 404, "not-found"),
        ("POST", "/healthz", 405, "method-not-allowed"),
    ],
)
def test_errors_have_one_form(call: Any, method: str, path: str, status: int, code: str) -> None:
    """Problem details, wherever somebody went wrong."""
    said = call(method, path)
    assert (said.status, said.json["code"], said.headers["content-type"]) == (status, code, "application/problem+json")


def test_a_fault_of_ours_is_logged_and_says_nothing(
    tmp_path: Path, rules: Path, calling: Callable[..., Any], caplog: pytest.LogCaptureFixture
) -> None:
    """500 as problem details; the traceback is for the log alone."""
    node = Node(Settings(rules, tmp_path / "data"))
    node.store.close()
    node.near = None  # type: ignore[assignment] # a fault of ours
    said = calling(build(node))("GET", query=b"visitorId=v&url=https://www.example.com/")
    assert (said.status, said.json["code"]) == (500, "internal-error")
    assert "store" not in said.body.decode()
    assert caplog.records[0].exc_info


def test_draining_turns_clients_away_politely(tmp_path: Path, rules: Path, calling: Callable[..., Any]) -> None:
    """Not ready, but still answering; every answer asks the client to come back on another connection."""
    node = Node(Settings(rules, tmp_path / "data"))
    node.draining = True
    call = calling(build(node))
    ready, decision = call("GET", "/readyz"), call("GET", query=b"visitorId=v&url=https://www.example.com/")
    assert (ready.status, ready.json["ready"], decision.status) == (503, False, 200)
    assert ready.headers["connection"] == decision.headers["connection"] == "close"
    node.store.close()


async def _asked_over_httpx(node: Node) -> Any:
    transport = httpx.ASGITransport(build(node))
    async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
        body = {"visitorId": "v1", "page": {"url": "https://www.example.com/"}, "traits": {"employees": 3}}
        answer = await client.post("/v1/decide", json=body)
        return json.loads(answer.content)


def test_any_asgi_server_can_run_it(node: Node) -> None:
    """A client that knows nothing of uvicorn gets the same."""
    assert asyncio.run(_asked_over_httpx(node))["decisions"][0]["variant"] == "hero"


def test_the_lifespan_runs_the_jobs(tmp_path: Path, rules: Path) -> None:
    """Background jobs run between startup and shutdown, and the store is closed then."""
    node = Node(Settings(rules, tmp_path / "data"))
    running: list[list[str]] = []
    messages = iter(["lifespan.startup", "lifespan.shutdown"])

    async def receive() -> dict[str, str]:
        running.append([job.name for job in node.jobs.all])
        return {"type": next(messages)}

    async def send(message: dict[str, Any]) -> None:
        assert message["type"].endswith(".complete")

    asyncio.run(build(node)({"type": "lifespan", "asgi": {"version": "3.0"}, "state": {}}, receive, send))  # type: ignore[arg-type]
    running.append([job.name for job in node.jobs.all])
    names = ["load-watch", "rules-watch", "store-watch", "log-watch", "log-restore", "log-compact", "metrics"]
    assert running == [[], names, []]
