"""One identity, asked about and deleted over HTTP: afterwards nothing anywhere holds a value of that person."""

import asyncio
import json
from collections.abc import Callable, Iterator
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from engine import limits
from engine.cli.main import main
from engine.events import archive, parquet
from engine.events.disk import LogFull
from engine.events.line import Entry
from engine.events.reading import entries, files
from engine.lift.log import EXPOSURE
from engine.node import Node
from engine.profiles.encoding import facts
from engine.profiles.ids import key
from engine.profiles.store import StoreFull
from engine.segment.sources import Sources
from engine.settings import Settings
from engine.web.admin import Keys
from engine.web.app import build

ADMIN_KEY = "an-admin-key-0123456789"
ADMIN = ("authorization", f"Bearer {ADMIN_KEY}")
JSON = ("content-type", "application/json")
PERSON = [
    {"type": "identify", "anonymousId": "a1", "traits": {"mutinyVisitorId": "v1", "color": "Unmistakable mauve"}},
    {"type": "identify", "userId": "u1", "anonymousId": "a1", "traits": {"email": "ada@unmistakable.example"}},
    {"type": "track", "userId": "u1", "event": "Bought", "properties": {"what": "Unmistakable hat"}},
    {"type": "group", "userId": "u1", "groupId": "g1", "traits": {"name": "Northbank"}},
    {"type": "track", "userId": "u1", "properties": {"what": "Unmistakable mistake"}},
]
OTHERS = [
    {"type": "identify", "userId": "u2", "anonymousId": "a2", "traits": {"employees": 12, "mutinyVisitorId": "v2"}},
    {"type": "group", "userId": "u2", "groupId": "g1"},
]


class Engine:
    """An app with an admin's key and a source, and its data folder."""

    def __init__(self, rules: Path, data: Path, key: str, calling: Callable[..., Any]) -> None:
        self.rules = rules
        self.data = data
        self._key = key
        self._calling = calling
        self.begin()

    def begin(self) -> None:
        """Let it be there, over what its data folder holds."""
        self.node = Node(Settings(self.rules, self.data))
        self._app = self._calling(build(self.node, admin_keys=Keys((sha256(ADMIN_KEY.encode()).digest(),))))

    def end(self) -> None:
        """Nobody writes any more."""
        asyncio.run(self.node.stop())

    def command(self, *arguments: str) -> str:
        """What `mutiny-edge …` prints about this data folder."""
        asked = [*arguments, "--data", str(self.data)]
        return CliRunner().invoke(main, asked, catch_exceptions=False).stdout

    def personalized(self) -> int:
        """How many visitors lift counts as those who saw something, long after."""
        asked = ("lift", "--rules", str(self.rules), "--at", "2099-01-01T00:00:00Z", "--format", "json")
        return sum(line["personalized"]["visitors"] for line in json.loads(self.command(*asked)))

    def shown(self) -> list[str]:
        """The anonymous ids of all exposures in the log, be they lines or Parquet."""
        folder = self.data / "events"
        lines = [one for path in files(folder) for one in entries(path) if isinstance(one, Entry)]
        rows = [one for path in archive.parts(folder).parquet for one in parquet.entries(path)]
        bodies = [json.loads(one.message) for one in (*lines, *rows) if one.message]
        return sorted(body["anonymousId"] for body in bodies if body.get("event") == EXPOSURE)

    def send(self, *messages: dict[str, Any]) -> int:
        """A batch; its status."""
        body = json.dumps({"batch": messages, "writeKey": self._key}).encode()
        status: int = self._app("POST", "/v1/batch", [body], [JSON]).status
        return status

    def admin(self, method: str, path: str) -> Any:
        """A request with the admin's key."""
        return self._app(method, path, headers=[ADMIN])

    def edition(self, visitor: str) -> Any:
        """Which edition of the rules a visitor sees."""
        body = {"visitorId": visitor, "page": {"url": "https://www.example.com/"}}
        return self._app(chunks=[json.dumps(body).encode()]).edition

    def files_with(self, text: str) -> list[str]:
        """The files of the data folder with this text; a database keeps what it deleted until it is overwritten."""
        files = [path for path in self.data.rglob("*") if path.is_file() and path.suffix != ".mdb"]
        return [path.name for path in files if text.encode() in path.read_bytes()]

    def bodies_with(self, text: str) -> list[bytes]:
        """The keys of records that hold this text."""
        return [name for name, body in self.node.store.scan() if text.encode() in (body or b"")]  # type: ignore[operator]


@pytest.fixture
def engine(
    tmp_path: Path, rules: Path, calling: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> Iterator[Engine]:
    """An app with one person and somebody else in it; nobody else writes, so a deletion need not wait for them."""
    monkeypatch.setattr(limits, "ERASURE_PAUSE_S", 0.0)
    data = tmp_path / "data"
    write_key = Sources(data).add("website", "website")
    engine = Engine(rules, data, write_key, calling)
    assert engine.send(*PERSON, *OTHERS) == 200
    yield engine
    engine.end()


def test_a_profile_with_its_origins(engine: Engine) -> None:
    """Every trait, where it comes from, the way from the visitor to the user and the account."""
    said = engine.admin("GET", "/v1/profiles/visitor/v1")
    assert said.status == 200
    assert [record["kind"] for record in said.json["records"]] == ["visitor", "anonymous", "user", "group"]
    [email] = [trait for trait in said.json["traits"] if trait["name"] == "email"]
    assert (email["value"], email["source"], email["event"]) == ("ada@unmistakable.example", "website", "identify")
    assert email["record"] == {"kind": "user", "id": "u1"}


def test_what_is_not_there(engine: Engine) -> None:
    """404 for an id that nobody has and a kind that there is not; 400 for what is no id."""
    for path in ("/v1/profiles/user/nobody", "/v1/profiles/animal/u1"):
        assert (engine.admin("GET", path).status, engine.admin("GET", path).json["code"]) == (404, "not-found")
    assert engine.admin("GET", f"/v1/profiles/user/{'x' * 1_000}").json["code"] == "bad-id"
    assert engine.admin("DELETE", "/v1/profiles/group/g1").json["code"] == "not-found"
    for path in ("visitor/a b", "visitor/\u00e9", f"user/{'x' * 1_000}"):
        assert engine.admin("DELETE", f"/v1/profiles/{path}").json["code"] == "bad-id"
    assert not (engine.data / "erasures").exists()


@pytest.mark.parametrize("identity", ["user/null", "anonymous/0", "visitor/null", "user/\ufffd"])
def test_whoever_has_a_strange_id_can_be_deleted(engine: Engine, identity: str) -> None:
    """An import may have called them so."""
    assert engine.admin("DELETE", f"/v1/profiles/{identity}").status == 200
    assert engine.node.upkeep.unfinished() == 0


def test_an_id_is_all_of_the_address(engine: Engine) -> None:
    """A newline in it is part of it, also at its end."""
    odd = {"type": "identify", "userId": "u\n2", "traits": {"email": "bob@example.com"}}
    assert engine.send(odd) == 200
    assert engine.admin("DELETE", "/v1/profiles/user/u1\n").status == 200
    for path, email in (("u1", "ada@unmistakable.example"), ("u\n2", "bob@example.com")):
        traits = engine.admin("GET", f"/v1/profiles/user/{path}").json["traits"]
        assert email in [trait["value"] for trait in traits]


@pytest.mark.parametrize("identity", ["user/u1", "anonymous/a1", "visitor/v1"])
def test_afterwards_nothing_holds_a_value_of_theirs(engine: Engine, identity: str) -> None:
    """By whichever of their ids they are deleted: no record, no line of either log, no example, no decision."""
    assert engine.files_with("nmistakable")
    said = engine.admin("DELETE", f"/v1/profiles/{identity}")
    assert said.status == 200
    assert said.json == {"identities": {"anonymous": 2, "user": 1, "visitor": 1}, "events": 4, "rejected": 1}
    assert engine.files_with("nmistakable") == []
    assert engine.bodies_with("nmistakable") == []
    assert "nmistakable" not in engine.admin("GET", "/v1/traits").body.decode()
    assert engine.admin("GET", "/v1/profiles/visitor/v1").json["traits"] == []
    assert engine.edition("v1") is None


def exposure(visitor: str, message_id: str, **said: str) -> dict[str, Any]:
    """As a server sends it, or `client.js` without analytics.js: under the visitor's own id."""
    seen = {"experience": "Site", "audienceSegment": "Small company", "personalized": True}
    shown = {"type": "track", "event": EXPOSURE, "anonymousId": visitor, "properties": seen}
    return {**shown, "messageId": message_id, **said}


def test_what_was_shown_under_the_visitors_own_id_goes_too(engine: Engine) -> None:
    """From lines and from Parquet, and lift counts it no more; nor what comes late. That of others stays."""
    (engine.rules / "goals.yaml").write_text("conversions:\n  signup: {event: Signed Up}\n")
    assert engine.send(exposure("v1", "m1"), exposure("v2", "m2")) == 200
    engine.end()
    engine.command("events", "compact")
    engine.begin()
    assert engine.send(exposure("v1", "m3")) == 200
    assert (engine.shown(), engine.personalized()) == (["v1", "v1", "v2"], 2)
    assert [*archive.parts(engine.data / "events").parquet]
    assert engine.admin("DELETE", "/v1/profiles/user/u1").json["events"] == 6
    assert (engine.shown(), engine.personalized()) == (["v2"], 1)
    assert engine.send(exposure("v1", "m4", timestamp="2020-01-01T00:00:00Z")) == 200
    assert engine.shown() == ["v2"]
    [kept] = engine.node.store.get([key("anonymous", "v1")])
    assert isinstance(kept, bytes)
    assert (facts(kept).traits, facts(kept).links) == ({}, {})
    assert engine.send(exposure("v1", "m5")) == 200
    assert engine.shown() == ["v1", "v2"]  # it was told after the deletion


def test_others_are_as_they_were(engine: Engine) -> None:
    """The account that both were in, too."""
    before = engine.admin("GET", "/v1/profiles/visitor/v2").json
    engine.admin("DELETE", "/v1/profiles/user/u1")
    assert engine.admin("GET", "/v1/profiles/visitor/v2").json == before
    assert engine.edition("v2") == "1"
    assert engine.bodies_with("Northbank")


def test_what_was_said_before_and_comes_late_changes_nothing(engine: Engine) -> None:
    """From a device that was offline: neither store nor log learns it again; what is said afterwards counts."""
    engine.admin("DELETE", "/v1/profiles/user/u1")
    late = {**PERSON[1], "timestamp": "2026-01-01T00:00:00Z", "sentAt": "2026-01-01T00:00:00Z"}
    assert engine.send({**late, "timestamp": "2020-01-01T00:00:00Z", "sentAt": None}) == 200
    assert engine.files_with("nmistakable") == []
    assert engine.bodies_with("nmistakable") == []
    assert engine.send({"type": "identify", "userId": "u1", "traits": {"plan": "Unmistakably new"}}) == 200
    assert engine.bodies_with("nmistakably new")


def test_a_deletion_is_in_the_audit_log(engine: Engine) -> None:
    """By whom, from where, whom; the id is not in it."""
    engine.admin("DELETE", "/v1/profiles/user/u1")
    line = json.loads((engine.data / "audit.ndjson").read_text())
    assert line["action"] == "delete-profile"
    assert line["by"] == sha256(ADMIN_KEY.encode()).hexdigest()[:8]
    assert line["target"] == f"user {sha256(b'u1').hexdigest()[:12]}"
    assert line["from"] == "192.0.2.1"


def test_a_deletion_that_is_cut_short_is_finished(
    engine: Engine, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """It answers 503, the log says why, and whoever looks next carries it out."""
    with monkeypatch.context() as broken:
        broken.setattr(engine.node.store, "apply", raising(StoreFull("no room")))
        said = engine.admin("DELETE", "/v1/profiles/user/u1")
        assert (said.status, said.json["code"]) == (503, "storage-trouble")
        assert int(said.headers["retry-after"]) >= 1
        assert caplog.messages == ["intake: what comes cannot be taken: no room", "deletion: no room"]
        engine.node.upkeep.finish()
    with monkeypatch.context() as broken:
        broken.setattr("engine.segment.erasure.rewrite", raising(LogFull("no room")))
        engine.node.upkeep.finish()
    assert engine.files_with("nmistakable")
    engine.node.upkeep.finish()
    assert engine.files_with("nmistakable") == []
    assert engine.bodies_with("nmistakable") == []
    assert engine.node.upkeep.unfinished() == 0


def raising(error: Exception) -> Callable[..., Any]:
    """What raises this, whatever it is asked."""

    def refuse(*_: Any, **__: Any) -> Any:
        raise error

    return refuse
