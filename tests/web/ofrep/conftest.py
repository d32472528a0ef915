"""An app with rules of every kind, asked as providers ask; every answer is held to the shapes of the protocol."""

import json
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from pathlib import Path
from types import ModuleType
from typing import Any, Final

import jsonschema
import pytest
from plain import module_at

from engine.node import Node
from engine.settings import Settings
from engine.web.app import build

HERE: Final = Path(__file__).resolve().parent
ALL: Final = "/ofrep/v1/evaluate/flags"
JSON: Final = ("content-type", "application/json; charset=utf-8")


def _shapes() -> ModuleType:
    return module_at(HERE / "shapes.py")


shapes: Final = _shapes()


class Client:
    """What asks as a provider does."""

    def __init__(self, call: Any) -> None:
        self.call = call

    def post(
        self, path: str, body: bytes, *headers: tuple[str, str], query: bytes = b"", peer: str = "192.0.2.1"
    ) -> Any:
        """A request as it is, and its answer, which has the shape that the protocol says."""
        said = self.call("POST", path, [body], [JSON, *headers], query, peer)
        single = path != ALL
        if said.status == 200:
            jsonschema.validate(said.json, shapes.FLAG if single else shapes.ALL)
        elif said.status == 304:
            assert said.body == b""
        else:
            jsonschema.validate(said.json, shapes.failure(said.status, single=single))
        assert said.headers["access-control-expose-headers"] == "etag, retry-after"
        return said

    def all(self, context: Mapping[str, Any], *headers: tuple[str, str], query: bytes = b"") -> Any:
        """All flags, for this context."""
        return self.post(ALL, json.dumps({"context": context}).encode(), *headers, query=query)

    def flags(self, context: Mapping[str, Any], *headers: tuple[str, str]) -> dict[str, dict[str, Any]]:
        """All flags, by key."""
        said = self.all(context, *headers)
        assert said.status == 200, said.body
        return {flag["key"]: flag for flag in said.json["flags"]}

    def one(self, key: str, context: Mapping[str, Any], *headers: tuple[str, str]) -> Any:
        """One flag, for this context."""
        return self.post(f"{ALL}/{key}", json.dumps({"context": context}).encode(), *headers)

    def flag(self, key: str, context: Mapping[str, Any], *headers: tuple[str, str]) -> dict[str, Any]:
        """The same, which is there."""
        said = self.one(key, context, *headers)
        assert said.status == 200, said.body
        return said.json

    def decisions(self, body: Mapping[str, Any], *headers: tuple[str, str]) -> list[dict[str, Any]]:
        """What `/v1/decide` says."""
        said = self.call("POST", "/v1/decide", [json.dumps(body).encode()], [JSON, *headers])
        assert said.status == 200, said.body
        return said.json["decisions"]


@pytest.fixture(scope="module")
def flags_node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Node]:
    """A node with the rules in rules.yaml."""
    node = Node(Settings(HERE, tmp_path_factory.mktemp("ofrep")))
    yield node
    node.store.close()


@pytest.fixture(scope="module")
def client(flags_node: Node, calling: Callable[..., Any]) -> Client:
    """A provider, and an app with the rules in rules.yaml."""
    return Client(calling(build(flags_node)))


@pytest.fixture(scope="session")
def client_of() -> type[Client]:
    """`client_of(call)`: a provider of another app."""
    return Client


@pytest.fixture(scope="session", name="shapes")
def _of_the_protocol() -> ModuleType:
    """The module `shapes.py`."""
    return shapes


@pytest.fixture
def edited(rules: Path, rules_of: Callable[[object], str]) -> Callable[[int], None]:
    """`edited(2)`: the rule files are another edition."""
    return lambda edition: (rules / "site.yaml").write_text(rules_of(edition)) and None


@pytest.fixture
def dated(rules: Path, rules_of: Callable[[object], str]) -> Callable[..., None]:
    """`dated(moment, …)`: in the rule files an experience begins at each of these moments."""
    audience = "{segment: small, control: 0%, variants: [{key: v, changes: [{selector: p, text: a}]}]}"

    def write(*moments: datetime) -> None:
        begins = [f"pages: [/**], schedule: {{start: {moment.isoformat()}}}" for moment in moments]
        lines = [f"  e{number}: {{name: E, {one}, audiences: [{audience}]}}\n" for number, one in enumerate(begins)]
        (rules / "site.yaml").write_text(rules_of(1).replace("tests:\n", "".join([*lines, "tests:\n"])))

    return write
