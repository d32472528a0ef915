"""Law: what is said to be written is what is written, and its source is where it came from."""

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.cel.scope import ROOTS
from engine.decide.explain_facts import Facts
from engine.decide.explain_slots import shown, templates
from engine.decide.render import personalized
from engine.words import Change, Insert, Slot, Variant

values = st.one_of(
    st.text(st.characters(exclude_categories=[]), max_size=12),
    st.integers(-5, 5), st.floats(), st.booleans(), st.lists(st.just(1)), st.just({}),
    st.sampled_from(["javascript:alert(1)", "https://x.example/", "..", "/", "a b", "<b>"]),
)  # fmt: skip
spots = st.sampled_from(
    ["text", "html", "html-attribute", "attribute", "url-start", "url-part", "html-url-start", "html-url-part"]
)


def inserted(slot: Slot, traits: dict[str, Any], before: str = "", after: str = "") -> Any:
    """What is said of one slot in an attribute."""
    variant = Variant("v", 1, (Change(selector="a", attributes={"href": (before, slot, after)}),))
    roots = (traits, *({} for _ in ROOTS[1:]))
    body = personalized("E", "S", variant).fill(roots)
    made = shown(variant, body, Facts(roots, traits, {}, ()), roots)
    [change] = msgspec.json.decode(made.changes)
    [only] = made.slots
    assert change["attributes"]["href"] == before + only.written + after, "what is said is what goes out"
    return only


@given(values, spots, st.sampled_from([None, "", "plain", "javascript:x"]))
def test_what_is_said_is_written(make: Any, value: Any, spot: Any, default: str | None) -> None:
    """For any value and spot: the written text is in the change; without a value there is a default or nothing."""
    with_value = inserted(make.slot("traits.x", spot, default), {"x": value})
    without = inserted(make.slot("traits.x", spot, default), {})
    assert without.source == ("default" if without.written else "nothing")
    if with_value.source != "value":
        assert with_value.written == without.written
    else:
        assert with_value.written


@pytest.mark.parametrize(
    ("spot", "traits", "source", "written", "words"),
    [
        ("text", {"x": "Acme"}, "value", "Acme", "the visitor's value"),
        ("text", {"x": 45.0}, "value", "45", "the visitor's value"),
        ("text", {}, "default", "you", "the slot's default, since `traits.x` is not known"),
        ("text", {"x": " "}, "default", "you", "the slot's default, since the value is an empty text"),
        ("text", {"x": [1]}, "default", "you", "the slot's default, since the value is a list of 1, which is no text"),
        ("text", {"x": "\ud800"}, "default", "you", "the slot's default, since the value holds half a character"),
        (
            "url-start",
            {"x": "javascript:alert(1)"},
            "default",
            "you",
            'the slot\'s default, since the text "javascript:alert(1)" may not stand in a URL',
        ),
        ("html", {"x": "<b>"}, "value", "&lt;b&gt;", "the visitor's value"),
    ],
)
def test_where_it_came_from(make: Any, spot: str, traits: Any, source: str, written: str, words: str) -> None:
    """Value, default or nothing, with the reason: absent, empty, no text, refused by escaping."""
    slot = inserted(make.slot("traits.x", spot, "you"), traits)
    assert (slot.source, slot.written, slot.words) == (source, written, words)
    assert inserted(make.slot("traits.x", spot), {}).source == "nothing"


def test_where_it_stands_counts(make: Any) -> None:
    """A bare word in front of a colon would be a scheme: there it is refused, elsewhere it is not."""
    assert inserted(make.slot("traits.x", "url-start"), {"x": "data"}, after=":1/a").source == "nothing"
    assert inserted(make.slot("traits.x", "url-start"), {"x": "data"}, after="/1").source == "value"


def test_every_template_of_a_change_is_found(make: Any) -> None:
    """Text, HTML, attributes, inserted HTML and redirects."""
    change = Change(
        text=("a",), html=("b",), attributes={"href": ("c",)}, insert=Insert("after", ("d",)), redirect=("e",)
    )
    assert list(templates(change)) == [
        ("text", ("a",)),
        ("html", ("b",)),
        ("href", ("c",)),
        ("insert after", ("d",)),
        ("redirect", ("e",)),
    ]
