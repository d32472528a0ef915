"""JSON Schema of structs: names, null, what is required, and what is put over it."""

from datetime import datetime
from typing import Annotated, Any, Literal

import pytest
from msgspec import UNSET, Meta, Struct, UnsetType

from engine.web.openapi.schemas import Over, of_answers, of_requests


class _Inner(Struct, rename="camel"):
    """Something
    in two lines."""

    properties: str  # a member may have the name of a keyword
    first_seen: Annotated[datetime, Meta(tz=True)] | None = None


class _Outer(Struct):
    inner: _Inner | None = None
    count: Annotated[int, Meta(ge=0)] | None = None
    word: Literal["b", "a"] | None = "a"
    more: dict[str, str] = {}
    examples: list[Any] = []
    left_out: str | UnsetType = UNSET


def test_what_is_sent_to_us() -> None:
    """Nothing is required that has a default, null is a type, and a default of null is not said."""
    made = of_requests([_Outer], {})
    assert made["Outer"] == {
        "type": "object",
        "properties": {
            "inner": {"anyOf": [{"$ref": "#/components/schemas/Inner"}, {"type": "null"}]},
            "count": {"type": ["integer", "null"], "minimum": 0},
            "word": {"type": ["string", "null"], "enum": ["a", "b", None]},
            "more": {"type": "object", "additionalProperties": {"type": "string"}},
            "examples": {"type": "array", "items": {}},
            "left_out": {"type": "string"},
        },
    }
    assert made["Inner"] == {
        "description": "Something\nin two lines.",
        "type": "object",
        "properties": {
            "properties": {"type": "string"},
            "firstSeen": {"anyOf": [{"type": "string", "format": "date-time"}, {"type": "null"}]},
        },
        "required": ["properties"],
    }


def test_what_we_send() -> None:
    """Every member is there, but for those that are left out where there is nothing to say."""
    made = of_answers([_Outer], {})
    assert made["Outer"]["required"] == ["inner", "count", "word", "more", "examples"]
    assert made["Inner"]["required"] == ["properties", "firstSeen"]


def test_what_is_looked_at_afterwards_is_put_over_it() -> None:
    """What must be there, more about a member, another schema in a member's place."""
    over = Over(("count",), {"count": {"maximum": 9}, "inner": {"$ref": "#/components/schemas/Other"}})
    made = of_requests([_Outer], {"Outer": over})["Outer"]
    assert made["required"] == ["count"]
    assert made["properties"]["count"] == {"type": ["integer", "null"], "minimum": 0, "maximum": 9}
    assert made["properties"]["inner"] == {"$ref": "#/components/schemas/Other"}


def test_a_member_that_there_is_not_cannot_be_described() -> None:
    """A typing error is none that a reader would find."""
    with pytest.raises(KeyError, match="cuont"):
        of_requests([_Outer], {"Outer": Over(properties={"cuont": {"maximum": 9}})})
