"""The shapes of OFREP 0.3 (github.com/open-feature/protocol, service/openapi.yaml) as JSON Schema, by what is asked.

Written down by hand, for the protocol's own file cannot hold an answer: its `codeDefaultFlag` fits every flag, so that
`oneOf` fits none with a value. Two more differences: `DEFAULT` is among the reasons, as in its ADR 0006 and in every
client; and `variant` and `errorDetails`, which the Python provider reads without a default, are never left out.
"""

from typing import Any, Final

_TEXT: Final = {"type": "string"}
_METADATA: Final = {"type": "object", "additionalProperties": {"type": ["boolean", "string", "number"]}}

FLAG: Final[dict[str, Any]] = {
    "type": "object",
    "required": ["key", "reason", "variant", "metadata"],
    "properties": {
        "key": _TEXT,
        "reason": {"enum": ["STATIC", "TARGETING_MATCH", "SPLIT", "DISABLED", "UNKNOWN", "DEFAULT"]},
        "variant": _TEXT,
        "value": {"type": ["boolean", "string", "number", "object"]},
        "metadata": _METADATA,
    },
    "additionalProperties": False,
}
_STREAM: Final = {
    "type": "object",
    "required": ["type"],
    "oneOf": [{"required": ["url"]}, {"required": ["endpoint"]}],
    "properties": {
        "type": _TEXT,
        "url": {"type": "string", "format": "uri"},
        "endpoint": {
            "type": "object",
            "required": ["requestUri"],
            "properties": {"requestUri": {"type": "string", "pattern": "^/"}, "origin": _TEXT},
        },
        "inactivityDelaySec": {"type": "integer", "minimum": 1},
    },
}
ALL: Final[dict[str, Any]] = {
    "type": "object",
    "required": ["flags"],
    "properties": {
        "flags": {"type": "array", "items": FLAG},
        "metadata": _METADATA,
        "eventStreams": {"type": "array", "items": _STREAM},
    },
    "additionalProperties": False,
}
EVENT: Final[dict[str, Any]] = {
    "type": "object",
    "required": ["type"],
    "properties": {
        "type": {"const": "refetchEvaluation"},
        "etag": _TEXT,
        "lastModified": {"type": "integer", "minimum": 0},
    },
}


def failure(status: int, *, single: bool) -> dict[str, Any]:
    """The shape of an answer that is no success."""
    codes = (
        ["FLAG_NOT_FOUND"] if status == 404 else ["PARSE_ERROR", "TARGETING_KEY_MISSING", "INVALID_CONTEXT", "GENERAL"]
    )
    key: dict[str, Any] = {"key": _TEXT} if single else {}
    return {
        "type": "object",
        "required": [*key, "errorCode", "errorDetails"],
        "properties": {**key, "errorCode": {"enum": codes}, "errorDetails": _TEXT},
        "additionalProperties": False,
    }
