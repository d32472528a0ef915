"""Law: whatever a trait holds, it stays where the template put it: in text, HTML, attribute and URL (DESIGN 4, 11)."""

from collections.abc import Iterator
from typing import Any
from urllib.parse import unquote, urlsplit
from xml.etree.ElementTree import Element

import html5lib
import msgspec
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from engine.decide import render
from engine.rules.notation import templates
from engine.words import Change, Insert, Slot, Template, Variant

HARMLESS = "harmless"
SCHEMES = ("http://", "https://", "mailto:", "tel:")

texts = st.text(st.characters(exclude_categories=["Cs"]))
marks = st.lists(
    st.sampled_from(["<", ">", '"', "'", "`", "&", "=", "/", "<b", "</p", "-->", "<!--", " x=", "a", " ", ":"])
).map("".join)
values = texts | marks


def slot(spot: Any, path: str = "traits.x", default: str | None = None) -> Slot:
    """A slot for trait `x`."""
    return Slot(tuple(path.split(".")), default, spot)


def fill(change: Change, traits: dict[str, Any] | None = None, **roots: Any) -> dict[str, Any]:
    """The first change of the rendered entry, read back."""
    entry = render.personalized("E", "S", Variant("v", 1, (change,)))
    body = entry.fill((traits or {}, roots.get("account", {}), roots.get("salesforce", {}), {}, {}, {}, {}, None))
    changes = msgspec.json.decode(body)["changes"]
    assert isinstance(changes[0], dict)
    return changes[0]


def fill_text(template: Template, value: Any) -> str:
    """A text change with this template, filled with trait `x`."""
    return str(fill(Change(selector="p", text=template), {"x": value})["text"])


def fill_html(template: Template, value: Any) -> Element:
    """An HTML change with this template, filled with trait `x`, as a browser parses it."""
    html = fill(Change(selector="p", html=template), {"x": value})["html"]
    fragment = html5lib.parseFragment(html, treebuilder="etree", namespaceHTMLElements=False)
    assert isinstance(fragment, Element)
    return fragment


def structure(fragment: Element) -> list[tuple[Any, list[str]]]:
    """Every element (and comment) with the names of its attributes, in the order of the document."""
    return [(element.tag, sorted(element.attrib)) for element in fragment.iter()]


def parsed(value: str) -> str:
    """What an HTML parser makes of line ends; NUL is not sent."""
    return value.replace("\0", "").replace("\r\n", "\n").replace("\r", "\n")


def visible(value: str) -> bool:
    """Is there anything to show?"""
    return bool(value.strip())


def test_an_entry_is_as_designed() -> None:
    """Personalized and control entries are byte for byte as DESIGN 4 shows them, names and not keys, in its order."""
    change = Change(selector="h1", text=("Made for Acme",))
    seen = b'"experience":"Corporate Website Experiment","audienceSegment":"Small company","personalized":'
    track = b'"track":{"event":"Mutiny Experience Viewed","properties":{' + seen
    names = ("Corporate Website Experiment", "Small company")
    assert render.personalized(*names, Variant("hero", 1, (change,))).constant == (
        b"{"
        + seen
        + b'true,"variant":"hero","changes":[{"selector":"h1","text":"Made for Acme"}],'
        + track
        + b"true}}}"
    )
    assert render.control(*names) == b"{" + seen + b'false,"variant":null,"changes":[],' + track + b"false}}}"


def test_names_are_json_text() -> None:
    """Names and keys may hold quotes and any letter."""
    body = render.personalized('E "1" \\ é', "S\n</script>", Variant('k"', 1, ())).constant
    assert body is not None
    entry = msgspec.json.decode(body)
    assert (entry["experience"], entry["audienceSegment"], entry["variant"]) == ('E "1" \\ é', "S\n</script>", 'k"')
    assert entry["track"]["properties"] == {
        name: entry[name] for name in ("experience", "audienceSegment", "personalized")
    }


def test_changes_are_written_as_ops_wrote_them() -> None:
    """Every action has the shape of the rule file, and what was not said is left out."""
    assert fill(
        Change(
            selector="#a",
            html=("<b>x</b>",),
            attributes={"href": ("/a",), "title": ("t",)},
            classes_add=("on",),
            classes_remove=("off", "old"),
            style={"color": "red"},
            insert=Insert("before", ("<i>y</i>",)),
        )
    ) == {
        "selector": "#a",
        "html": "<b>x</b>",
        "attributes": {"href": "/a", "title": "t"},
        "classes": {"add": ["on"], "remove": ["off", "old"]},
        "style": {"color": "red"},
        "insert": {"position": "before", "html": "<i>y</i>"},
    }
    assert fill(Change(selector="#a", remove=True)) == {"selector": "#a", "remove": True}
    assert fill(Change(selector="#a", classes_add=("on",))) == {"selector": "#a", "classes": {"add": ["on"]}}
    assert fill(Change(redirect=("https://example.com/",))) == {"redirect": "https://example.com/"}
    assert fill(Change(selector="p", text=())) == {"selector": "p", "text": ""}


def test_slots_are_filled_wherever_templates_stand() -> None:
    """Text, html, attributes, inserted html and redirect all have slots; an entry with one is no constant."""
    change = Change(
        text=(slot("text"),),
        html=(slot("html"),),
        attributes={"title": (slot("attribute"),)},
        insert=Insert("after", (slot("html"),)),
        redirect=("/", slot("url-part")),
    )
    assert fill(change, {"x": "a&b"}) == {
        "text": "a&b",
        "html": "a&amp;b",
        "attributes": {"title": "a&b"},
        "insert": {"position": "after", "html": "a&amp;b"},
        "redirect": "/a%26b",
    }
    assert render.personalized("E", "S", Variant("v", 1, (change,))).constant is None


@pytest.mark.parametrize(
    ("path", "shown"),
    [
        ("traits.company", "Acme"),
        ("traits.address.city", "Köln"),
        ("traits.address.city.name", "-"),
        ("traits.address.zip", "-"),
        ("traits.missing.city", "-"),
        ("account.plan", "pro"),
        ("salesforce.lead.Industry", "SaaS"),
        ("salesforce.contact.Industry", "-"),
    ],
)
def test_a_path_leads_to_its_value(path: str, shown: str) -> None:
    """Paths lead through nested maps of traits, account and Salesforce; what is not there has the default."""
    change = Change(selector="p", text=(slot("text", path, "-"),))
    traits = {"company": "Acme", "address": {"city": "Köln"}}
    assert fill(change, traits, account={"plan": "pro"}, salesforce={"lead": {"Industry": "SaaS"}})["text"] == shown


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        *[
            ("Acme", "Acme"),
            (" a ", " a "),
            (12, "12"),
            (-1, "-1"),
            (1.0, "1"),
            (1.5, "1.5"),
            (True, "true"),
            (False, "false"),
        ],
        *[(value, "-") for value in ("", "  ", "\n", [], ["a"], {}, {"a": "b"}, None, float("nan"), "\ud800")],
    ],
)
def test_values_are_shown_in_words(value: Any, shown: str) -> None:
    """Text as it is, numbers without a trailing .0, booleans; lists, maps, blanks and half characters are not shown."""
    assert fill_text((slot("text", default="-"),), value) == shown


def test_defaults_are_escaped_like_values() -> None:
    """A default is text, too: escaped for its spot, refused where it is no URL; without a default there is nothing."""
    assert fill(Change(html=("<b>", slot("html", default="<i>"), "</b>")))["html"] == "<b>&lt;i&gt;</b>"
    assert fill(Change(redirect=("/", slot("url-part", default="a b"))))["redirect"] == "/a%20b"
    assert fill(Change(attributes={"href": (slot("url-start", default="javascript:x"),)}))["attributes"] == {"href": ""}
    assert fill(Change(text=("a", slot("text"), "b")))["text"] == "ab"
    assert fill(Change(text=("a", slot("text", default=""), "b")))["text"] == "ab"


def places() -> Iterator[tuple[str, str, Template]]:
    """Where a value stands in HTML: a name, the tag that shows it, the template."""
    text, attribute = slot("html"), slot("html-attribute")
    yield "between tags", "text", ("<p>Hi <b>", text, "</b>, <i>welcome</i></p>")
    yield "in double quotes", "title", ('<p title="', attribute, '" id="x">a</p><br>')
    yield "in single quotes", "title", ("<p id='x' title='", attribute, "'>a</p><br>")


PLACES = list(places())


def stands(fragment: Element, where: str) -> str | None:
    """The value in its place."""
    if where == "text":
        return fragment.findtext("p/b")
    paragraph = fragment.find("p")
    return None if paragraph is None else paragraph.get(where)


@pytest.mark.parametrize(("where", "template"), [place[1:] for place in PLACES], ids=[place[0] for place in PLACES])
def test_known_attacks_stay_in_their_place(where: str, template: Template, xss: list[str]) -> None:
    """With any known attack string the page has the same elements and attributes; the string stands in its place."""
    expected = structure(fill_html(template, HARMLESS))
    for value in filter(visible, xss):
        fragment = fill_html(template, value)
        assert structure(fragment) == expected, value
        assert stands(fragment, where) == parsed(value)


@given(st.sampled_from(PLACES), values.filter(visible))
def test_any_text_stays_in_its_place(place: tuple[str, str, Template], value: str) -> None:
    """The same holds for any text."""
    _, where, template = place
    fragment = fill_html(template, value)
    assert structure(fragment) == structure(fill_html(template, HARMLESS))
    assert (stands(fragment, where) or "") == parsed(value)


@pytest.mark.parametrize(
    "source",
    [
        "<p>Hi {{ traits.x }}, <b>{{ traits.x }}{{ traits.x }}</b></p>",
        "<a title='{{ traits.x }}' href=\"/p/{{ traits.x }}?q={{ traits.x }}#{{ traits.x }}\">a</a>",
        '<a href="{{ traits.x }}">a</a> <a href="{{ traits.x }}/b">b</a>',
        '<img alt="{{ traits.x }}" src="https://cdn.example.com/{{ traits.x }}.png"><br>',
        "<table><tbody><tr><td>{{ traits.x }}</td></tr></tbody></table>",
        "<select><option value='{{ traits.x }}'>{{ traits.x }}</option></select>",
        "<svg><text>{{ traits.x }}</text><a xlink:href='{{ traits.x }}'></a></svg><i>after</i>",
        "<!-- a --><ul><li data-x=\"{{ traits.x | default: 'y' }}\">a<li>{{ traits.x }}</ul>",
        "{{ traits.x }}",
    ],
)
def test_templates_as_written_hold_known_attacks(source: str, xss: list[str]) -> None:
    """With the spots that `rules.templates` finds in HTML as ops write it, the page keeps its structure, too."""
    template, mistakes = templates.html(source, [("traits", "x")])
    assert not mistakes
    expected = structure(fill_html(template, HARMLESS))
    for value in xss:
        fragment = fill_html(template, value)
        assert structure(fragment) == expected, value
        for element in fragment.iter():
            for name in ("href", "src", "{http://www.w3.org/1999/xlink}href"):
                assert_harmless(element.get(name, ""))


def assert_harmless(url: str) -> None:
    """A URL that begins as it should, or holds neither scheme nor host."""
    plain = "".join(c for c in url if c > " ").lower()
    head = plain.replace("\\", "/").split("/")[0].split("?")[0].split("#")[0]
    assert plain.startswith(SCHEMES) or (":" not in head and not plain.replace("\\", "/").startswith("//")), url


@pytest.mark.parametrize(
    "after",
    [
        (),
        ("/pricing",),
        ("?x=", slot("url-part")),
        (":alert(1)",),
        (slot("url-part"), ":alert(1)"),
        ("&colon;alert(1)",),
        (".html",),
    ],
)
def test_a_url_that_a_value_begins_is_harmless(after: Template, xss: list[str]) -> None:
    """No known attack string begins a `javascript:` URL or names a host in disguise, whatever follows it."""
    in_html = tuple(slot("html-url-part") if isinstance(part, Slot) else part for part in after)
    for value in [*xss, "javascript", "JAVASCRIPT", "data", "https", "x"]:
        change = Change(
            attributes={"href": (slot("url-start"), *after)},
            html=('<a href="', slot("html-url-start"), *in_html, '" id="x">a</a>'),
        )
        filled = fill(change, {"x": value})
        fragment = html5lib.parseFragment(filled["html"], treebuilder="etree", namespaceHTMLElements=False)
        assert structure(fragment) == [("DOCUMENT_FRAGMENT", []), ("a", ["href", "id"])]
        for url in (filled["attributes"]["href"], fragment.find("a").get("href")):
            if not url.startswith((":", "&")):  # nothing but what the template itself says
                assert_harmless(url)


@given(st.text(st.sampled_from("javscript:/\\\t\n &#;xhttps.?%")) | values)
@example("java\nscript:x")
def test_no_text_begins_another_scheme(value: str) -> None:
    """The same holds for any text."""
    assert_harmless(fill(Change(attributes={"href": (slot("url-start"), "/x")}), {"x": value})["attributes"]["href"])


@pytest.mark.parametrize(
    ("template", "value", "url"),
    [
        ((slot("url-start"), "/x"), "/", "/x"),
        ((slot("url-start"), "?x"), "/", "/?x"),
        ((slot("url-start"), ".html"), "pricing", "pricing.html"),
        ((slot("url-start"), ":x"), "javascript", ":x"),
        ((slot("url-start"), ":x"), "/a", "/a:x"),
        ((slot("url-start"), slot("url-part"), ":x"), "javascript", ":x"),
        (("/", slot("url-part"), slot("url-part"), ":x"), "a", "/aa:x"),
        ((slot("url-start"), slot("url-part")), "javascript", "javascriptjavascript"),
    ],
)
def test_neighbours_make_a_slot_stricter(template: Template, value: str, url: str) -> None:
    """A value that is harmless alone is refused where scheme or host would grow out of what follows it; only there."""
    assert fill(Change(attributes={"href": template}), {"x": value})["attributes"]["href"] == url


@given(values.filter(visible))
@example("..")
@example("a/../b?c#d&e:f")
def test_a_component_stays_in_its_url(value: str) -> None:
    """A value in a path or query is one component there: nothing before or after it moves."""
    template = (
        "https://example.com/p/",
        slot("url-part", default="d"),
        "/edit?q=",
        slot("url-part", default="d"),
        "#end",
    )
    in_html = tuple(slot("html-url-part", default="d") if isinstance(part, Slot) else part for part in template)
    filled = fill(Change(redirect=template, html=('<a href="', *in_html, '">a</a>')), {"x": value})
    href = (
        html5lib.parseFragment(filled["html"], treebuilder="etree", namespaceHTMLElements=False).find("a").get("href")
    )
    for url in (filled["redirect"], href):
        split = urlsplit(url)
        shown = "d" if value in {".", ".."} else value
        assert (split.scheme, split.netloc, split.fragment) == ("https", "example.com", "end")
        assert [unquote(part) for part in split.path.split("/")] == ["", "p", shown, "edit"]
        assert (split.query.count("="), split.query.count("&"), unquote(split.query)) == (1, 0, f"q={shown}")


@given(values.filter(visible), texts, texts)
def test_entries_are_json_whatever_is_in_them(value: str, before: str, after: str) -> None:
    """Text comes through JSON unchanged, between any literals."""
    assert fill_text((before, slot("text"), after), value) == before + value + after


def test_a_slot_is_filled_alone_as_within_its_entry(make: Any) -> None:
    """`escape_at` and `filler` give one slot of a template as the whole entry has it."""
    template: Template = ("/go?to=", make.slot("traits.x", "url-part"))
    slot = template[1]
    assert isinstance(slot, Slot)
    roots = ({"x": "a b"}, *({} for _ in range(7)))
    assert render.filler(slot, render.escape_at(template, 1))(roots) == b"a%20b"
    with pytest.raises(TypeError):
        render.escape_at(template, 0)
