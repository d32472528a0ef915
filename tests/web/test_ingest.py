"""Segment's HTTP API as its libraries speak it: whose key, which answers, what is kept, and bad input of every sort.

The app is called without a server; the real libraries send in `tests/segment_libraries`.
"""

import asyncio
import gzip
import hmac
import json
from base64 import b64encode
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from engine import limits
from engine.events.line import Entry
from engine.events.reading import entries, files
from engine.events.rejected import listing
from engine.node import Node
from engine.segment.sources import Sources
from engine.settings import Settings
from engine.web.app import build
from engine.web.ingest import INGEST
from engine.web.metrics.snapshot import Process

IDENTIFY = {"type": "identify", "userId": "u1", "anonymousId": "a1", "traits": {"employees": 12}}
TRACK = {"type": "track", "userId": "u1", "event": "Signed Up", "properties": {"plan": "pro"}}
NO_PERSON = {"type": "track", "event": "Signed Up"}
JSON = ("content-type", "application/json")


class Engine:
    """An app with two sources, and what it kept."""

    def __init__(self, node: Node, call: Any, keys: dict[str, str]) -> None:
        self.node = node
        self.call = call
        self.keys = keys

    def post(self, path: str, body: Any, *headers: tuple[str, str], key: str | None = "website") -> Any:
        """A POST with the write key of a source as its Basic user, unless None; the body as JSON unless bytes."""
        raw = body if isinstance(body, bytes) else json.dumps(body).encode()
        basic = [] if key is None else [("authorization", basic_of(self.keys.get(key, key)))]
        return self.call("POST", path, [raw], [JSON, *basic, *headers])

    def batch(self, *messages: Any, **more: Any) -> Any:
        """These messages in one request."""
        return self.post("/v1/batch", {"batch": messages, **more})

    @property
    def kept(self) -> list[dict[str, Any]]:
        """The messages of the event log."""
        found = [entry for path in files(self.node.settings.logs.events) for entry in entries(path)]
        return [json.loads(entry.message or b"null") for entry in found if isinstance(entry, Entry)]

    @property
    def rejected(self) -> list[str]:
        """The codes of the rejected log."""
        return [rejected.code for rejected in listing(self.node.settings.logs.rejected)]


def basic_of(key: str) -> str:
    """As libraries write it: the key, a colon, no password."""
    return "Basic " + b64encode(f"{key}:".encode()).decode()


def refusal(said: Any) -> tuple[int, str]:
    """Status and code of an answer in the form that Segment's libraries read."""
    assert said.headers["content-type"] == "application/json"
    assert said.json["success"] is False
    assert said.json["message"]
    assert said.json["error"]
    return said.status, said.json["code"]


@pytest.fixture
def make(tmp_path: Path, rules: Path, calling: Callable[..., Any]) -> Iterator[Callable[..., Engine]]:
    """`make(**settings)`: an app of its own."""
    nodes: list[Node] = []

    def make(trusted_proxies: Sequence[str] = (), **settings: Any) -> Engine:
        data = tmp_path / "data"
        sources = Sources(data)
        keys = {name: sources.add(name, name) for name in ("website", "backend")}  # type: ignore[arg-type]
        nodes.append(Node(Settings(rules, data, **settings)))
        return Engine(nodes[-1], calling(build(nodes[-1], trusted_proxies=trusted_proxies)), keys)

    yield make
    for node in nodes:
        asyncio.run(node.stop())


@pytest.fixture
def engine(make: Callable[..., Engine]) -> Engine:
    """An app with its defaults."""
    return make()


def test_a_batch_is_kept_and_known_at_once(engine: Engine) -> None:
    """Segment's own answer; the event is in the log, the trait in the next decision."""
    said = engine.batch({**IDENTIFY, "traits": {"employees": 12, "mutinyVisitorId": "v1"}}, TRACK)
    assert (said.status, said.json) == (200, {"success": True})
    assert [message["type"] for message in engine.kept] == ["identify", "track"]
    decided = engine.call(chunks=[b'{"visitorId": "v1", "page": {"url": "https://www.example.com/"}}'])
    assert decided.edition == "1"


@pytest.mark.parametrize("path", sorted(INGEST))
def test_every_address_takes_what_it_is_for(engine: Engine, path: str) -> None:
    """Batches at the ones, single messages at the others, whose type is in the path."""
    body: dict[str, Any] = {"userId": "u1", "event": "E", "previousId": "a1", "groupId": "g1"}
    if INGEST[path] in {"batch", "import"}:
        body = {"batch": [{"type": "track", **body}]}
    assert engine.post(path, body).json == {"success": True}
    assert len(engine.kept) == 1


def test_the_key_may_stand_in_either_place_or_both(engine: Engine) -> None:
    """Basic alone, the body alone (also of a single message), both the same; a colon may be missing."""
    key = engine.keys["website"]
    assert engine.post("/v1/batch", {"batch": [TRACK]}).status == 200
    assert engine.post("/v1/batch", {"batch": [TRACK], "writeKey": key}, key=None).status == 200
    assert engine.post("/v1/t", {**TRACK, "writeKey": key}, key=None).status == 200
    assert engine.post("/v1/batch", {"batch": [TRACK], "writeKey": key}).status == 200
    bare = ("authorization", "Basic " + b64encode(key.encode()).decode())
    assert engine.post("/v1/batch", {"batch": [TRACK]}, bare, key=None).status == 200
    assert len(engine.kept) == 5
    assert not any(key in json.dumps(message) for message in engine.kept)


def test_a_wrong_key_keeps_nothing(engine: Engine) -> None:
    """No key, an unknown one, two that differ, another source's beside it, and what is no Base64."""
    batch = {"batch": [TRACK]}
    other = {**batch, "writeKey": engine.keys["backend"]}
    for said in (
        engine.post("/v1/batch", batch, key=None),
        engine.post("/v1/batch", batch, key="0" * 32),
        engine.post("/v1/batch", {**batch, "writeKey": "x"}, key=None),
        engine.post("/v1/batch", {**batch, "writeKey": ""}, key=None),
        engine.post("/v1/batch", other),
        engine.post("/v1/batch", batch, ("authorization", "Basic \xff\xfe"), key=None),
        engine.post("/v1/batch", batch, ("authorization", "Basic A"), key=None),
        engine.post("/v1/batch", batch, ("authorization", f"Bearer {engine.keys['website']}"), key=None),
    ):
        assert refusal(said) == (401, "bad-write-key")
    assert engine.kept == []
    assert engine.rejected == []


def test_the_source_is_that_of_the_key(engine: Engine) -> None:
    """Whatever the message says of itself."""
    engine.post("/v1/t", {**TRACK, "source": "website"}, key="backend")
    [path] = files(engine.node.settings.logs.events)
    [entry] = entries(path)
    assert isinstance(entry, Entry)
    assert entry.source == "backend"


def test_a_key_that_was_rotated_or_removed(engine: Engine, tmp_path: Path) -> None:
    """A running service knows at once."""
    sources = Sources(tmp_path / "data")
    engine.keys["new"] = sources.rotate("website")
    assert engine.post("/v1/t", TRACK, key="new").status == engine.post("/v1/t", TRACK).status == 200
    sources.remove("website")
    assert refusal(engine.post("/v1/t", TRACK, key="new")) == (401, "bad-write-key")


def test_sources_that_cannot_be_read_are_our_trouble(engine: Engine, tmp_path: Path) -> None:
    """A good key goes on; an unknown one may be good, and what it brings must not be thrown away."""
    engine.batch(TRACK)
    (tmp_path / "data" / "sources.json").write_text("{")
    assert engine.batch(TRACK).status == 200
    said = engine.post("/v1/batch", {"batch": [TRACK]}, key="0" * 32)
    assert refusal(said) == (503, "storage-trouble")
    assert int(said.headers["retry-after"]) >= 1
    assert "sources.json" in engine.call("GET", "/readyz").json["intake"]["trouble"]


def test_one_bad_message_costs_only_itself(engine: Engine) -> None:
    """It is in the rejected log with its reason, the others in the event log."""
    deep: Any = 1
    for _ in range(500):
        deep = [deep]
    bad = [
        NO_PERSON,
        {"userId": "u1", "type": "levitate"},
        {"type": "track", "userId": "u1"},
        {**IDENTIFY, "traits": [1]},
        {**IDENTIFY, "traits": {"deep": deep}},
        {**IDENTIFY, "traits": {"long": "x" * limits.MESSAGE_BYTES}},
        {**IDENTIFY, "userId": "u" * 1_000},
        "text",
        None,
        7,
    ]
    assert engine.batch(TRACK, *bad, IDENTIFY).status == 200
    assert [message["type"] for message in engine.kept] == ["track", "identify"]
    assert len(engine.rejected) == len(bad)


def test_not_a_number_costs_only_its_message(engine: Engine) -> None:
    """Python's json writes NaN where no JSON has it: the hundred others of its batch are taken all the same."""
    good, bad = json.dumps(TRACK), json.dumps({**IDENTIFY, "traits": {"score": float("nan")}})
    said = engine.post("/v1/batch", f'{{"batch": [{good}, {bad}, {good}]}}'.encode())
    assert said.status == 200
    assert len(engine.kept) == 2
    assert len(engine.rejected) == 1


def test_half_a_character_is_mended(engine: Engine) -> None:
    """JavaScript cuts text in the middle of an emoji; nobody's event is lost for it."""
    assert engine.post("/v1/t", b'{"userId": "u1", "event": "cut \\ud83d"}').status == 200
    assert engine.kept[0]["event"] == "cut \ufffd"


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"", "not-json"),
        (b"{", "not-json"),
        (b"[]", "wrong-type"),
        (b'"text"', "wrong-type"),
        (b"{}", "missing-batch"),
        (b'{"batch": {}}', "missing-batch"),
        (b'{"batch": 7}', "missing-batch"),
        (b"\xff\xfe", "not-json"),
        (b'{"batch": [%s]}' % json.dumps(NO_PERSON).encode(), "missing-person"),
        (b'{"batch": [%s]}' % b", ".join([b"1"] * (limits.BATCH_MESSAGES + 1)), "batch-too-long"),
        (b"[" * 100_000, "wrong-type"),
        (b'{"batch": ' + b"[" * 100_000, "not-json"),
    ],
    ids=range(12),
)
def test_where_nothing_is_acceptable(engine: Engine, body: bytes, code: str) -> None:
    """400 in the form that even old libraries take for final, and nothing in the event log."""
    assert refusal(engine.post("/v1/batch", body)) == (400, code)
    assert engine.kept == []


def test_too_large_is_400(engine: Engine) -> None:
    """As Segment answers it: a body, and what a small packed one unpacks to."""
    large = json.dumps({"batch": [TRACK], "pad": "x" * limits.BATCH_BYTES}).encode()
    assert refusal(engine.post("/v1/batch", large)) == (400, "body-too-large")
    bomb = gzip.compress(b" " * 50_000_000)
    assert len(bomb) < limits.BATCH_BYTES
    assert refusal(engine.post("/v1/batch", bomb, ("content-encoding", "gzip"))) == (400, "body-too-large")


def test_gzip(engine: Engine) -> None:
    """Packed bodies are taken; what is no gzip, is cut or has something behind it is not."""
    packed = gzip.compress(json.dumps({"batch": [TRACK]}).encode())
    packing = ("content-encoding", "gzip")
    assert engine.post("/v1/batch", packed, packing).status == 200
    assert engine.post("/v1/batch", packed, ("content-encoding", "GZIP ")).status == 200
    for broken in (packed[:-4], packed + b"x", b"plain", b"", packed[:10] + b"\x00" * 20):
        assert refusal(engine.post("/v1/batch", broken, packing)) == (400, "bad-encoding")
    assert refusal(engine.post("/v1/batch", packed, ("content-encoding", "br"))) == (400, "bad-encoding")
    assert len(engine.kept) == 2


def test_an_empty_batch_and_what_is_for_others(engine: Engine) -> None:
    """Nothing is wrong with either; nothing is kept."""
    assert engine.batch().status == 200
    assert engine.batch({**TRACK, "integrations": {"All": False}}).status == 200
    assert engine.batch(TRACK, integrations={"Mutiny": False}).status == 200
    assert engine.kept == []
    assert engine.batch({**TRACK, "integrations": {"All": False, "Mutiny": True}}).status == 200
    assert len(engine.kept) == 1


def test_browsers_send_json_as_text(engine: Engine) -> None:
    """And may send what they need, after a preflight that says so; scripts may read when to come again."""
    key = engine.keys["website"]
    said = engine.call(
        "POST", "/v1/t", [json.dumps({**TRACK, "writeKey": key}).encode()],
        [("content-type", "text/plain"), ("origin", "https://www.example.com")],
    )  # fmt: skip
    assert said.status == 200
    assert said.headers["access-control-allow-origin"] == "*"
    assert said.headers["access-control-expose-headers"] == "retry-after"
    preflight = engine.call("OPTIONS", "/v1/t", headers=[("origin", "https://www.example.com")])
    assert preflight.status == 204
    assert preflight.headers["access-control-allow-methods"] == "POST"
    assert preflight.headers["access-control-allow-headers"] == "authorization, content-type, x-retry-count"
    assert int(preflight.headers["access-control-max-age"]) >= 3_600


def test_trouble_is_unreadable_to_old_browser_libraries(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    """Up to 1.71 they take every answer that a page may read for a success; they send no `Authorization`."""
    monkeypatch.setattr(limits, "INTAKE_BYTES", 10)
    origin = ("origin", "https://www.example.com")
    body = {**TRACK, "writeKey": engine.keys["website"]}
    old, new = engine.post("/v1/t", body, origin, key=None), engine.post("/v1/t", body, origin)
    assert old.status == new.status == 429
    assert "access-control-allow-origin" not in old.headers
    assert new.headers["access-control-allow-origin"] == "*"
    assert "access-control-allow-origin" in engine.post("/v1/t", b"{", origin, key=None).headers


def test_the_library_metrics_are_swallowed(engine: Engine) -> None:
    """analytics.js sends figures about itself."""
    assert engine.call("POST", "/v1/m", [b'{"series": []}'], [("content-type", "text/plain")]).status == 200


def test_settings_of_the_browser_library(make: Callable[..., Engine]) -> None:
    """For a key that there is: to send here, encrypted if the page is; else there is nothing."""
    engine = make(trusted_proxies=("10.0.0.1",))
    path = f"/v1/projects/{engine.keys['website']}/settings"

    def segment(*headers: tuple[str, str], peer: str = "192.0.2.1") -> dict[str, str]:
        found = engine.call("GET", path, headers=[("host", "edge.example.com"), *headers], peer=peer)
        assert found.status == 200
        answer: dict[str, str] = found.json["integrations"]["Segment.io"]
        return answer

    plain = {"apiKey": engine.keys["website"], "apiHost": "edge.example.com/v1", "protocol": "http"}
    assert segment() == plain
    assert segment(("x-forwarded-proto", "https")) == plain
    assert segment(("origin", "https://www.example.com"))["protocol"] == "https"
    assert segment(("x-forwarded-proto", "https"), peer="10.0.0.1")["protocol"] == "https"
    assert refusal(engine.call("GET", "/v1/projects/0/settings", headers=[("host", "a")])) == (404, "not-found")
    assert refusal(engine.call("GET", path, headers=[("host", "a b<c")])) == (400, "bad-host")


def test_a_webhook_is_signed(engine: Engine, tmp_path: Path) -> None:
    """With the secret of its source, over the text of the event; a source without a secret has no webhook."""
    secret = Sources(tmp_path / "data").rotate_webhook("backend")
    event = json.dumps({**TRACK, "timestamp": "2026-11-01T00:00:00Z", "messageId": "m1"}).encode()

    def sent(body: bytes, signature: str, source: str = "backend") -> Any:
        return engine.call("POST", f"/v1/webhook/{source}", [body], [JSON, ("x-signature", signature)])

    good = hmac.new(secret.encode(), event, "sha1").hexdigest()
    assert sent(event, good).json == {"success": True}
    assert sent(b"[" + event + b"]", good).status == 200
    assert engine.kept[0]["timestamp"] == "2026-11-01T00:00:00.000Z"
    assert refusal(sent(event, good[:-1] + "x")) == (401, "bad-signature")
    assert refusal(sent(event, "")) == (401, "bad-signature")
    assert refusal(sent(event.replace(b"u1", b"u2"), good)) == (401, "bad-signature")
    assert refusal(sent(event, good, "website")) == (401, "bad-signature")
    assert refusal(sent(event, good, "nobody")) == (401, "bad-signature")
    assert refusal(sent(b"[" + event + b"," + event + b"]", good)) == (400, "unsigned-events")
    assert len(engine.kept) == 2


def test_a_list_is_believed_where_the_setting_says_so(make: Callable[..., Engine], tmp_path: Path) -> None:
    """Segment signs only the first of a batched delivery."""
    engine = make(webhook_batches=True)
    secret = Sources(tmp_path / "data").rotate_webhook("backend")
    event = json.dumps(TRACK).encode()
    signature = ("x-signature", hmac.new(secret.encode(), event, "sha1").hexdigest())
    said = engine.call("POST", "/v1/webhook/backend", [b"[" + event + b"," + event + b"]"], [JSON, signature])
    assert said.status == 200
    assert len(engine.kept) == 2


def test_too_much_at_once_is_429(
    engine: Engine, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """With a time to come again; nothing is kept, and the log says it, not once a request."""
    monkeypatch.setattr(limits, "INTAKE_BYTES", 10)
    said = engine.batch(TRACK)
    engine.batch(TRACK)
    assert refusal(said) == (429, "too-busy")
    assert int(said.headers["retry-after"]) >= 1
    assert engine.kept == []
    assert Process(engine.node).snapshot().numbers["mutiny_edge_overloaded"] == [((), 1)]
    assert [text.partition(":")[0] for text in caplog.messages] == ["what Segment sends is turned away"]


def test_a_log_that_cannot_be_written_is_503(engine: Engine, tmp_path: Path) -> None:
    """With a time to come again; decisions go on, and it goes on by itself when it can."""
    (tmp_path / "data" / "events").write_text("in the way")
    said = engine.batch(TRACK)
    assert "events" in engine.call("GET", "/readyz").json["intake"]["trouble"]
    assert refusal(said) == (503, "storage-trouble")
    assert Process(engine.node).snapshot().numbers["mutiny_edge_refusals"] == [(("storage-trouble",), 1)]
    assert int(said.headers["retry-after"]) >= 1
    body = b'{"visitorId": "v1", "page": {"url": "https://www.example.com/"}}'
    assert engine.call(chunks=[body]).status == 200
    (tmp_path / "data" / "events").unlink()
    assert engine.batch(TRACK).status == 200
    assert engine.call("GET", "/readyz").json["intake"]["trouble"] is None
