"""`/v1/explain`: the reasoning for the question that `/v1/decide` answers."""

import asyncio
import json
from collections.abc import Callable, Iterator
from hashlib import sha256
from pathlib import Path
from typing import Any

import httpx
import pytest

from engine.node import Node
from engine.profiles.ids import key
from engine.profiles.record import Change
from engine.settings import Settings
from engine.web.admin import Keys
from engine.web.app import build

KEY = "0123456789abcdef"
BEARER = ("authorization", f"Bearer {KEY}")
QUERY = b"visitorId=v1&url=https%3A%2F%2Fwww.example.com%2Fpricing"
BODY = b'{"visitorId": "v1", "page": {"url": "https://www.example.com/pricing"}}'
RULES_ON_PLACES = """\
segments:
  german: {name: German, when: 'geo.country == "DE"'}
experiences:
  site:
    name: Site
    pages: ["/**"]
    audiences: [{segment: german, control: 0%, variants: [{key: v, changes: [{selector: h1, remove: true}]}]}]
"""


@pytest.fixture
def node(tmp_path: Path, rules: Path) -> Iterator[Node]:
    """A node that knows of visitor v1 how large their company is."""
    node = Node(Settings(rules, tmp_path / "data"))
    node.store.apply([Change(key("visitor", "v1"), 1, {"employees": 12})])
    yield node
    node.store.close()


@pytest.fixture
def explain(node: Node, calling: Callable[..., Any]) -> Callable[..., Any]:
    """`explain(method, chunks, query)`: asked with a key."""
    call = calling(build(node, admin_keys=Keys((sha256(KEY.encode()).digest(),))))
    return lambda method="POST", chunks=(b"",), query=b"": call(method, "/v1/explain", chunks, [BEARER], query)


def without_now(said: Any) -> dict[str, Any]:
    """The explanation but for its time."""
    return {name: value for name, value in said.json.items() if name != "now"}


def test_it_tells_why(explain: Callable[..., Any], node: Node) -> None:
    """What came of each experience, of a visitor who is stored, by the rules in use."""
    said = explain(chunks=[BODY])
    assert (said.status, said.headers["content-type"]) == (200, "application/json")
    assert (said.json["visitorId"], said.json["ruleset"]) == ("v1", node.held.decider.ruleset.version)
    assert (said.json["agrees"], said.json["degraded"]) == (True, False)
    [site] = said.json["experiences"]
    assert (site["outcome"], site["segment"], site["shown"]["variant"]) == ("personalized", "small", "hero")
    [step] = site["audiences"][0]["when"]
    assert (step["truth"], step["facts"][0]["path"], step["facts"][0]["value"]) == ("true", "traits.employees", 12)


def test_get_tells_the_same(explain: Callable[..., Any]) -> None:
    """The question in the query string."""
    assert without_now(explain("GET", query=QUERY)) == without_now(explain(chunks=[BODY]))


def test_what_is_no_url_is_told_by_its_name(explain: Callable[..., Any]) -> None:
    """That of the query, or that of the body."""
    assert "Expected `url` as" in explain("GET", query=b"visitorId=v1&url=nope").json["detail"]
    assert "Expected `page.url` as" in explain(chunks=[b'{"visitorId": "v1", "page": {"url": "x"}}']).json["detail"]


def test_traits_of_the_page_lie_under_the_stored_ones(explain: Callable[..., Any]) -> None:
    """As for a decision: the page cannot contradict what is stored, and can add for whom nothing is."""
    body = json.loads(BODY) | {"traits": {"employees": 5000}}
    stored, unknown = (explain(chunks=[json.dumps(body | {"visitorId": v}).encode()]) for v in ("v1", "v2"))
    values = [said.json["experiences"][0]["audiences"][0]["when"][0]["facts"][0]["value"] for said in (stored, unknown)]
    assert values == [12, 5000]


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        (b"{", 400, "not-json"),
        (b"{}", 400, "missing-visitor-id"),
        (BODY.replace(b"https://www.example.com", b""), 400, "bad-url"),
        (b" " * 20_000, 413, "body-too-large"),
    ],
)
def test_what_decide_refuses_is_refused_here(explain: Callable[..., Any], body: bytes, status: int, code: str) -> None:
    """The same reading, the same codes."""
    said = explain(chunks=[body])
    assert (said.status, said.json["code"], said.headers["content-type"]) == (status, code, "application/problem+json")


def test_it_changes_nothing(explain: Callable[..., Any], node: Node) -> None:
    """Neither the store nor the ruleset."""
    before = list(node.store.scan()), node.held.decider
    for visitor in ("v1", "never-heard-of"):
        assert explain(chunks=[BODY.replace(b"v1", visitor.encode())]).status == 200
    assert (list(node.store.scan()), node.held.decider) == before


def test_a_place_counts_from_trusted_proxies_alone(tmp_path: Path, calling: Callable[..., Any]) -> None:
    """As for a decision."""
    (tmp_path / "rules").mkdir()
    (tmp_path / "rules" / "a.yaml").write_text(RULES_ON_PLACES)
    node = Node(Settings(tmp_path / "rules", tmp_path / "data"))
    app = build(node, trusted_proxies=["10.0.0.0/8"], admin_keys=Keys((sha256(KEY.encode()).digest(),)))
    headers = [BEARER, ("cf-ipcountry", "DE")]
    outcomes = [
        calling(app)("POST", "/v1/explain", [BODY], headers, peer=peer).json["experiences"][0]["outcome"]
        for peer in ("10.1.2.3", "192.0.2.1")
    ]
    assert outcomes == ["personalized", "no-match"]
    node.store.close()


async def _many(node: Node, requests: int) -> set[int]:
    transport = httpx.ASGITransport(build(node, admin_keys=Keys((sha256(KEY.encode()).digest(),))))
    async with httpx.AsyncClient(transport=transport, base_url="http://test", headers=[BEARER]) as client:
        answers = await asyncio.gather(*(client.post("/v1/explain", content=BODY) for _ in range(requests)))
    return {answer.status_code for answer in answers}


def test_many_at_once_are_answered_one_after_the_other(node: Node) -> None:
    """Nobody is turned away."""
    assert asyncio.run(_many(node, 20)) == {200}
