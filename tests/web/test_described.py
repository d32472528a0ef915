"""`/openapi.json` and `/docs`: what a service says of itself, kept by caches for a while."""

import json
from typing import Any

import brotli

from engine.web.described import DOCS, OPENAPI


def get(call: Any, path: str, **headers: str) -> Any:
    """A GET with these headers."""
    return call("GET", path, [b""], [(name.replace("_", "-"), value) for name, value in headers.items()])


def test_anybody_may_read_it(call: Any) -> None:
    """JSON, for pages of other websites too, kept for some minutes and asked about by its tag."""
    said = get(call, OPENAPI)
    assert (said.status, said.headers["content-type"]) == (200, "application/json")
    assert said.headers["access-control-allow-origin"] == "*"
    assert said.headers["cache-control"].startswith("public, max-age=")
    again = get(call, OPENAPI, if_none_match=said.headers["etag"])
    assert (again.status, again.body) == (304, b"")


def test_it_is_packed(call: Any) -> None:
    """In a tenth of its size."""
    plain, packed = get(call, OPENAPI), get(call, OPENAPI, accept_encoding="gzip, br")
    assert brotli.decompress(packed.body) == plain.body
    assert len(packed.body) < len(plain.body) / 8


def test_it_describes_itself(call: Any) -> None:
    """Both addresses stand in it, and nothing for admins where nobody is one."""
    paths = json.loads(get(call, OPENAPI).body)["paths"]
    assert {OPENAPI, DOCS, "/v1/decide"} < paths.keys()
    assert not any("/v1/explain" in path for path in paths)


def test_the_page_is_made_of_it(call: Any) -> None:
    """The same operations; no other website may read or frame it."""
    page = get(call, DOCS)
    text = page.body.decode()
    for methods in json.loads(get(call, OPENAPI).body)["paths"].values():
        for operation in methods.values():
            assert f'id="{operation["operationId"]}"' in text
    assert "access-control-allow-origin" not in page.headers
