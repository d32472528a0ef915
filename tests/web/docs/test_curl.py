"""The lines to copy: as a shell takes them, and as the service answers them."""

import os
import subprocess
from collections.abc import Iterator
from shutil import which
from typing import Any

import pytest

from engine.web.docs.curl import ORIGIN, curl
from engine.web.openapi.document import everything

STREAMS = {"flagChanges"}  # an answer without an end


def lines() -> Iterator[tuple[str, str]]:
    """Every line that the page shows, deletions last."""
    found: list[tuple[str, str, str]] = []
    for path, methods in everything()["paths"].items():
        for method, operation in methods.items():
            content = next(iter(operation.get("requestBody", {}).get("content", {}).values()), {})
            bodies = [example["value"] for example in content.get("examples", {}).values()]
            if operation["operationId"] not in STREAMS and (bodies or method != "post"):
                found += [
                    (method, operation["operationId"], curl(method, path, operation, body)) for body in bodies or [None]
                ]
    return ((name, line) for _, name, line in sorted(found, key=lambda one: one[0] == "delete"))


def test_a_question_in_the_query() -> None:
    """In quotes, for `&` and `?` mean something to a shell."""
    operation = {"parameters": [{"name": "q", "in": "query", "example": "a b&c"}, {"name": "r", "in": "query"}]}
    assert curl("get", "/x", operation) == f"curl '{ORIGIN}/x?q=a+b%26c'"
    assert curl("get", "/x", {}) == f"curl {ORIGIN}/x"


def test_what_is_secret_is_a_variable() -> None:
    """A key of either kind, in the header or in the path."""
    path = {"parameters": [{"name": "key", "in": "path", "example": "YOUR_WRITE_KEY"}]}
    assert curl("get", "/x/{key}", path) == f'curl "{ORIGIN}/x/$WRITE_KEY"'
    assert "Bearer $ADMIN_KEY" in curl("delete", "/x", {"security": [{"adminKey": []}]})
    assert '-u "$WRITE_KEY:"' in curl("post", "/x", {"security": [{"writeKey": []}, {}]}, {})


def test_a_body_is_one_word() -> None:
    """Quotes and letters of any language in it are the body's own."""
    line = curl("post", "/x", {}, {"a": "it's 価格"})
    assert line.endswith("""-d '{"a": "it'\\''s 価格"}'""")


@pytest.mark.skipif(not (which("curl") and which("openssl")), reason="curl and openssl are not here")
def test_every_line_is_answered(example: Any) -> None:
    """As it stands on the page, in a real shell, by the real service: with 200."""
    environment = {**os.environ, **example.environment}
    for name, line in lines():
        done = subprocess.run(
            [
                "bash",
                "-c",
                line.replace(ORIGIN, example.service.url).replace("curl ", "curl -sS -w '\n%{http_code}' ", 1),
            ],
            check=False,
            capture_output=True,
            text=True,
            env=environment,
        )
        assert done.stdout.rpartition("\n")[2] == "200", (name, line, done.stdout, done.stderr)
