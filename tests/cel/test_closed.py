"""Fields of the closed roots."""

import pytest

from engine.cel.closed import unknown_fields
from engine.cel.parse import expression
from engine.cel.scope import CONVERSION, FIELDS, VISIT, Scope
from engine.cel.wire import read


def told(text: str, scope: Scope = VISIT) -> list[tuple[str, str]]:
    """What is underlined, and what would be right."""
    found = unknown_fields(text, read(expression(text, scope)), scope)
    return [(text[error.offset : error.offset + error.width], error.hint) for error in found]


@pytest.mark.parametrize(
    "text",
    [
        "page.ulr == 'x'",
        "has(page.ulr)",
        "page['ulr'] == 'x'",
        "page.?ulr.hasValue()",
        "page[?'ulr'].hasValue()",
        "'ulr' in page",
        "traits.a.exists(x, x == page.ulr)",
        "page.  ulr == 'é'",
        "'😀' == page.ulr",
    ],
)
def test_every_way_to_ask(text: str) -> None:
    """However a condition asks for it, an unknown field is told at its name."""
    assert told(text) == [("ulr", "did you mean `url`?")]


def test_without_a_near_one_all_are_named() -> None:
    """Where nothing is near, the hint lists what there is."""
    assert told("visit.zzz == 1") == [("zzz", "`visit` has `count`, `first_seen`, `new`")]


def test_the_name_of_the_root_is_not_the_field() -> None:
    """The underline is under the field even where the root's name holds it."""
    assert told("page.age == 1 && visit.vis == 2")[1][0] == "vis"
    text = "page.age == 1"
    assert [e.offset for e in unknown_fields(text, read(expression(text)), VISIT)] == [5]


def test_known_fields_and_open_roots() -> None:
    """Every known field is taken, and of traits and records any field."""
    for root, fields in FIELDS.items():
        for field in fields:
            assert told(f"has({root}.{field})") == []
    assert told("traits.x == account.y || salesforce.contact.Z == page.query.utm_source") == []


def test_bound_names_hide_roots() -> None:
    """A macro's variable of the same name is no root."""
    assert told("traits.pages.exists(page, page.foo == 1)") == []
    assert told("cel.bind(page, {'foo': 1}, page.foo == 1)") == []
    assert told("traits.pages.exists(page, page.foo == 1) && page.foo == 1") == [
        ("foo", "`page` has `url`, `host`, `path`, `query`, `referrer`, `title`")
    ]


def test_other_scopes() -> None:
    """Under a goal nothing is closed."""
    assert told("properties.page.foo == 1", CONVERSION) == []
