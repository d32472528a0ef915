"""The fields of a message, read one by one as Segment's libraries send them. Pure.

1. **Null is absent**, for every field: `identify(null, traits)` goes out with `"userId": null` present.
2. An id is text, or a number that is made text. Some ids never stand for anybody (Segment's own block list): many
   people share what a bug wrote in their place, and would become one. They count as absent, in any spelling.
3. An empty list is an empty object: PHP has one literal for both.
4. Whatever else is wrong is `Unacceptable`, with the field's name and never with its value.
"""

from collections.abc import Mapping
from typing import Any, Final

from engine.limits import ID_BYTES
from engine.segment.reasons import Unacceptable

PLACEHOLDERS: Final = frozenset({"-1", "null", "anonymous", "void", "undefined", "abc123"})
_FILLING: Final = "-0"  # `^[0-]*$`: nothing, zeroes, the UUID of zeroes
_EXACT: Final = 2**53  # the whole numbers that a float holds exactly
_HALF: Final = "\ufffd"
_KINDS: Final[dict[type, str]] = {
    str: "text",
    bool: "true or false",
    int: "a number",
    float: "a number",
    list: "a list",
    dict: "an object",
}


def id_of(fields: Mapping[str, Any], name: str) -> str | None:
    """The id under this name; None where there is none, or one that stands for nobody. Raises Unacceptable."""
    text = text_of(fields, name)
    return None if text is None or stands_for_nobody(text) else text


def text_of(fields: Mapping[str, Any], name: str) -> str | None:
    """A text or a number as text, None where it is absent or empty. Raises Unacceptable."""
    value = fields.get(name)
    if value is None:
        return None
    kind = type(value)
    if kind is str:
        text = value
    elif kind is int:
        text = str(value)
    elif kind is float:
        text = str(int(value)) if value.is_integer() and abs(value) < _EXACT else repr(value)
    else:
        raise Unacceptable("bad-id", f"{name}: expected text or a number, got {in_words(value)}")
    if len(text) * 4 > ID_BYTES or _HALF in text:
        _refuse(text, name)
    return text or None


def _refuse(text: str, name: str) -> None:
    """Raise Unacceptable for a text that no record could stand under."""
    if _HALF in text:  # two ids cut in the middle of a character would become one person
        raise Unacceptable("bad-id", f"{name}: got half a character, or a replacement of one (U+FFFD), in it")
    if len(text.encode()) > ID_BYTES:
        raise Unacceptable("bad-id", f"{name}: longer than {ID_BYTES} bytes")


def stands_for_nobody(text: str) -> bool:
    """Is this what a bug writes where there is no id?"""
    return not text.strip(_FILLING) or text.lower() in PLACEHOLDERS


def object_of(fields: Mapping[str, Any], name: str, within: str = "") -> dict[str, Any]:
    """The object under this name, empty where there is none. Raises Unacceptable."""
    value = fields.get(name)
    if type(value) is dict:
        return value
    if value is None or value == []:
        return {}
    raise Unacceptable("wrong-type", f"{within}{name}: expected an object, got {in_words(value)}")


def in_words(value: Any) -> str:
    """What kind of JSON a value is, as clients say it."""
    return "null" if value is None else _KINDS[type(value)]
