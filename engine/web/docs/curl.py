"""A line for the shell that really asks: `curl`, with the origin of the service that shows it.

What lives here: the line of one operation and one example. What may not: HTML.

1. What is secret stands in variables of the shell: `$ADMIN_KEY`, `$WRITE_KEY`, `$SECRET`.
2. `ORIGIN` stands for the service; whoever shows the line puts the real one there.
3. A webhook's signature is made of the body by openssl, in the same line.
"""

import json
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import quote, urlencode

from engine.web.openapi import admin, segment
from engine.web.openapi.operation import JSON, Json

ORIGIN: Final = "\0origin\0"
_SIGNATURE: Final = """$(printf %s "$BODY" | openssl dgst -sha1 -hmac "$SECRET" -r | cut -d' ' -f1)"""
_ARGUMENTS: Final[Mapping[str, str]] = {
    admin.KEY: '-H "Authorization: Bearer $ADMIN_KEY"',
    segment.WRITE_KEY: '-u "$WRITE_KEY:"',
    segment.SIGNATURE: f'-H "X-Signature: {_SIGNATURE}"',
}
_WRITE_KEY_SHOWN: Final = "YOUR_WRITE_KEY"


def curl(method: str, path: str, operation: Json, body: Any = None) -> str:
    """The line that asks for this, with this body."""
    words = ["curl" if method in {"get", "post"} else f"curl -X {method.upper()}", _address(path, operation)]
    schemes = [scheme for one in operation.get("security", ()) for scheme in one]
    words += [_ARGUMENTS[scheme] for scheme in schemes if scheme in _ARGUMENTS]
    if body is None:
        return " ".join(words)
    said = _quoted(json.dumps(body, ensure_ascii=False))
    is_signed = segment.SIGNATURE in schemes
    words += [f"-H 'Content-Type: {JSON}'", '-d "$BODY"' if is_signed else f"-d {said}"]
    line = " \\\n  ".join([" ".join(words[:2]), *words[2:]])
    return f"BODY={said}\n{line}" if is_signed else line


def _address(path: str, operation: Json) -> str:
    query: dict[str, str] = {}
    secret = False
    for parameter in operation.get("parameters", ()):
        example = parameter.get("example")
        if example is None:
            continue
        if parameter["in"] == "query":
            query[parameter["name"]] = example
        elif example == _WRITE_KEY_SHOWN:
            path, secret = path.replace(f"{{{parameter['name']}}}", "$WRITE_KEY"), True
        else:
            path = path.replace(f"{{{parameter['name']}}}", quote(example, safe=""))
    asked = f"{ORIGIN}{path}" + (f"?{urlencode(query, safe=':/')}" if query else "")
    return f'"{asked}"' if secret else f"'{asked}'" if query else asked


def _quoted(words: str) -> str:
    """As one word of the shell."""
    return "'" + words.replace("'", "'\\''") + "'"
