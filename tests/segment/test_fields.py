"""Ids and objects as Segment's libraries send them: null is absent, numbers are text, some ids stand for nobody."""

from typing import Any

import pytest

from engine.limits import ID_BYTES
from engine.segment.fields import id_of, object_of, stands_for_nobody, text_of
from engine.segment.reasons import Unacceptable


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, None),
        ("", None),
        ("u1", "u1"),
        (" u1 ", " u1 "),
        ("é" * (ID_BYTES // 2), "é" * (ID_BYTES // 2)),
        (42, "42"),
        (-7, "-7"),
        (2**80, str(2**80)),
        (42.0, "42"),
        (1.5, "1.5"),
        (1e300, "1e+300"),
    ],
)
def test_text_and_numbers_are_text(value: Any, text: str | None) -> None:
    """Python writes 42.0 where JavaScript writes 42."""
    assert text_of({"id": value}, "id") == text
    assert text_of({}, "id") is None


@pytest.mark.parametrize("value", [True, [], {}, ["u1"], "x" * (ID_BYTES + 1), "é" * (ID_BYTES // 2 + 1), "a\ufffd"])
def test_what_cannot_be_an_id(value: Any) -> None:
    """Told by name, and never shown."""
    with pytest.raises(Unacceptable, match="userId: ") as refused:
        id_of({"userId": value}, "userId")
    assert refused.value.code == "bad-id"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "0",
        "-",
        "00000000-0000-0000-0000-000000000000",
        "-1",
        "null",
        "NULL",
        "anonymous",
        "void",
        "undefined",
        "abc123",
    ],
)
def test_some_ids_stand_for_nobody(text: str) -> None:
    """Segment's own block list; they count as absent."""
    assert stands_for_nobody(text)
    assert id_of({"id": text}, "id") is None


@pytest.mark.parametrize("text", ["1", "-10", "10", "nullable", "anonymous-7", "abc1234", "u0", " "])
def test_others_stand_for_somebody(text: str) -> None:
    """However much they look alike."""
    assert id_of({"id": text}, "id") == text


def test_a_number_may_stand_for_nobody() -> None:
    """Zero is what a database without the user gives."""
    assert id_of({"id": 0}, "id") is None
    assert id_of({"id": -1}, "id") is None


def test_objects() -> None:
    """Null, absent and PHP's empty list are an empty one."""
    assert object_of({"x": {"a": 1}}, "x") == {"a": 1}
    assert object_of({"x": None}, "x") == object_of({"x": []}, "x") == object_of({}, "x") == {}


@pytest.mark.parametrize("value", ["", 0, False, [1], "{}"])
def test_what_is_no_object(value: Any) -> None:
    """Told where it stands."""
    with pytest.raises(Unacceptable, match=r"context\.traits: expected an object, got") as refused:
        object_of({"traits": value}, "traits", "context.")
    assert refused.value.code == "wrong-type"
