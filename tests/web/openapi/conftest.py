"""A service in this process with the example rules, the demo's visitors, a source and an admin key, asked as its own
description says.
"""

import asyncio
import hmac
import io
import json
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from typing import Any

import httpx
import jsonschema
import pytest

from engine.cli.demo import crowd_lines, example_rules
from engine.node import Node, utc_now
from engine.profiles.importing import import_lines
from engine.segment.sources import Sources
from engine.settings import Settings
from engine.web.admin import Keys
from engine.web.app import build

ADMIN_KEY = "an-admin-key-for-tests"


class Described:
    """The service, and its description of itself."""

    def __init__(self, data: Path) -> None:
        sources = Sources(data)
        self.write_key = sources.add("www", "website")
        self.secret = sources.rotate_webhook("www")
        self.node = Node(Settings(example_rules(), data))
        import_lines(io.BytesIO(crowd_lines(20)), self.node.store, utc_now())
        self.app = build(self.node, admin_keys=Keys((sha256(ADMIN_KEY.encode()).digest(),)))
        self.document = self.ask("GET", "/openapi.json").json()

    def ask(self, method: str, path: str, **how: Any) -> httpx.Response:
        """One request."""

        async def asked() -> httpx.Response:
            transport = httpx.ASGITransport(self.app)
            async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:8080") as client:
                return await client.request(method, path, **how)

        return asyncio.run(asked())

    def operations(self) -> Iterator[tuple[str, str, dict[str, Any]]]:
        """Method, path and description of each."""
        for path, methods in self.document["paths"].items():
            for method, operation in methods.items():
                yield method, path, operation

    def example(self, method: str, path: str, operation: dict[str, Any], body: Any = None) -> httpx.Response:
        """Ask as the examples say; what is secret is put in."""
        query, headers = {}, {}
        for parameter in operation.get("parameters", ()):
            value = str(parameter.get("example", ""))
            if parameter["in"] == "path":
                path = path.replace(f"{{{parameter['name']}}}", value.replace("YOUR_WRITE_KEY", self.write_key))
            elif parameter["in"] == "query" and value:
                query[parameter["name"]] = value
        raw = b"" if body is None else json.dumps(body).encode()
        schemes = [scheme for one in operation.get("security", ()) for scheme in one]
        if "adminKey" in schemes:
            headers["authorization"] = f"Bearer {ADMIN_KEY}"
        if "signature" in schemes:
            headers["x-signature"] = hmac.new(self.secret.encode(), raw, "sha1").hexdigest()
        auth = httpx.BasicAuth(self.write_key, "") if "writeKey" in schemes else None
        if raw:
            headers["content-type"] = "application/json"
        return self.ask(method.upper(), path, params=query, headers=headers, content=raw, auth=auth)

    def check(self, response: httpx.Response, operation: dict[str, Any]) -> None:
        """The answer is one that is described, and has no member that is not."""
        described = operation["responses"][str(response.status_code)]
        content = described["content"][response.headers["content-type"].partition(";")[0]]
        schema = closed({**content["schema"], "components": self.document["components"]})
        body = response.json() if "json" in response.headers["content-type"] else response.text
        jsonschema.Draft202012Validator(schema, format_checker=jsonschema.FormatChecker()).validate(body)


def closed(schema: Any) -> Any:
    """The same, but an object that names members has no others."""
    if isinstance(schema, list):
        return [closed(part) for part in schema]
    if not isinstance(schema, dict):
        return schema
    more = {"additionalProperties": False} if "properties" in schema and schema.get("type") == "object" else {}
    return {key: closed(part) for key, part in schema.items()} | more


def shape(value: Any) -> Any:
    """What a value is made of."""
    if isinstance(value, dict):
        return {name: shape(member) for name, member in value.items()}
    if isinstance(value, list):
        return [shape(element) for element in value]
    return type(value)


@pytest.fixture(scope="session")
def described(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Described]:
    """The service; whatever a test sends there stays."""
    service = Described(tmp_path_factory.mktemp("described") / "data")
    yield service
    asyncio.run(service.node.stop())


@pytest.fixture(scope="session")
def shape_of() -> Any:
    """`shape_of(value)`: the types in it, with the names of members."""
    return shape
