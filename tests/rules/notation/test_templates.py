"""Templates: the spot of every slot, and where none may stand."""

import pytest

from engine.rules.notation import templates
from engine.rules.notation.mistake import Mistake
from engine.words import Slot, Template

KNOWN = {("traits", "x")}
X = "{{ traits.x }}"


def spots(read: templates.Read) -> list[str]:
    """The spots of a template without mistakes."""
    made, mistakes = read
    assert [mistake.message for mistake in mistakes] == []
    return [part.spot for part in made if isinstance(part, Slot)]


def refusals(read: templates.Read) -> list[Mistake]:
    """The mistakes of a template that has some."""
    assert read[0] == ()
    assert read[1]
    return read[1]


def test_text() -> None:
    """In a text a slot may stand anywhere; literals are joined, an empty text is an empty template."""
    made, _ = templates.text("a {{ '{{' }} " + X + "!", KNOWN)
    assert made == ("a {{ ", Slot(("traits", "x"), None, "text"), "!")
    assert templates.text("", KNOWN) == ((), [])


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        (f"<b>{X}</b>", ["html"]),
        (f"1 < 2 {X}", ["html"]),
        (f'<b title="{X}">{X}</b>', ["html-attribute", "html"]),
        (f"<b title='a {X} b'>", ["html-attribute"]),
        (f"<a href='{X}'>", ["html-url-start"]),
        (f"<a href=' {X}/a?b={X}'>", ["html-url-start", "html-url-part"]),
        (f"<a href='/x/{X}'>", ["html-url-part"]),
        (f"<img src='https://a.b/{X}.png'>", ["html-url-part"]),
        (f"<svg><a xlink:href='{X}'/></svg>", ["html-url-start"]),
        (f"<iframe src='https://a.b/{X}'></iframe>", ["html-url-part"]),
        (f"<style>a</style>{X}", ["html"]),
        (f"<form action='https://a.b/{X}'>", ["html-url-part"]),
        (f"<!-- a -->{X}", ["html"]),
    ],
)
def test_html(source: str, expected: list[str]) -> None:
    """Between tags, in a quoted attribute, at the start of a URL or in it."""
    assert spots(templates.html(source, KNOWN)) == expected


@pytest.mark.parametrize(
    ("source", "part"),
    [
        (f"<{X}>", "inside of a tag"),
        (f"<b{X}>", "inside of a tag"),
        (f"<b {X}>", "inside of a tag"),
        (f"<b a{X}=1>", "attribute's name"),
        (f"<b a={X}>", "without quotes"),
        (f"<b a=x{X}>", "without quotes"),
        (f"<style>a{{color:{X}}}</style>", "`<style>`"),
        (f"<textarea>{X}</textarea>", "`<textarea>`"),
        (f"<!-- {X} -->", "comment"),
        (f"<b onclick='f({X})'>", "`onclick`"),
        (f"<b ONCLICK='{X}'>", "`onclick`"),
        (f"<b style='color:{X}'>", "`style`"),
        (f"<iframe srcdoc='{X}'></iframe>", "`srcdoc`"),
        (f"<img srcset='{X}'>", "`srcset`"),
        (f"<link href='{X}'>", "`<link>`"),
        (f"<form action='{X}'>", "where a form is sent"),
        (f"<button formaction='https://{X}/'>", "where a form is sent"),
        (f"<animate values='{X}'/>", "`<animate>`"),
        (f"<a href='&#{X};'>", "character reference"),
        (f"<iframe src='{X}'></iframe>", "choose"),
        (f"<a href='{X}script:x'>", "behind a slot"),
    ],
)
def test_where_no_slot_may_stand_in_html(source: str, part: str) -> None:
    """A slot where its text would be code, load code or end the place it stands in is refused, at its characters."""
    (mistake,) = refusals(templates.html(source, KNOWN))
    assert part in mistake.message
    assert source[mistake.offset : mistake.offset + mistake.width] == X


@pytest.mark.parametrize(
    "source",
    [
        "<a href='javascript:x'>",
        "<a href='&#106;avascript:x'>",
        "<a href='java&Tab;script:x'>",
        "<form action=javascript:x>",
    ],
)
def test_no_static_code_in_html(source: str) -> None:
    """A `javascript:` URL is found behind entities, too, and stands at the attribute's value."""
    (mistake,) = refusals(templates.html(source, KNOWN))
    assert "would run code" in mistake.message
    assert mistake.offset in {source.index("=") + 1, source.index("=") + 2}


@pytest.mark.parametrize("source", [f"<script>{X}</script>", f"<script src='{X}'></script>", f"<base href='{X}'>"])
def test_an_element_that_is_refused_has_no_place_for_a_slot(source: str) -> None:
    """Both are said: the element may not stand there, and no slot in it."""
    element, slot = sorted(refusals(templates.html(source, KNOWN)), key=lambda mistake: mistake.offset)
    assert source[element.offset : element.offset + element.width] in {"<script", "<base"}
    assert source[slot.offset : slot.offset + slot.width] == X


@pytest.mark.parametrize(
    ("source", "part"),
    [("<b", "tag `<b`"), ("<b title='x", "tag `<b`"), ("<!-- x", "a comment"), ("<style>x", "`<style>`")],
)
def test_html_ends_as_text(source: str, part: str) -> None:
    """HTML that ends within a tag, a comment or a raw element would swallow what follows it on the page."""
    (mistake,) = refusals(templates.html(source, KNOWN))
    assert part in mistake.message


@pytest.mark.parametrize(
    ("name", "source", "expected"),
    [
        ("title", X, ["attribute"]),
        ("HREF", X, ["url-start"]),
        ("href", f"/x?{X}", ["url-part"]),
        ("data-x", f"javascript:{X}", ["attribute"]),
        ("srcset", "a 2x", []),
    ],
)
def test_attributes(name: str, source: str, expected: list[str]) -> None:
    """A set attribute is plain, or a URL."""
    assert spots(templates.attribute(name, source, KNOWN)) == expected


@pytest.mark.parametrize(
    ("name", "source", "part"),
    [
        ("onclick", "x", "would run code"),
        ("OnLoad", X, "would run code"),
        ("style", "x", "not set like this"),
        ("srcdoc", "x", "not set like this"),
        ("srcset", X, "no slot may stand in `srcset`"),
        ("a b", "x", "no attribute's name"),
        ("", "x", "no attribute's name"),
        ("href", " javascript:x", "would run code"),
        ("formaction", f"java{X}script:x", "would run code"),
        ("formaction", X, "where a form is sent"),
        ("ACTION", f"https://{X}.example.com/", "where a form is sent"),
    ],
)
def test_attributes_that_are_refused(name: str, source: str, part: str) -> None:
    """What would be code is no attribute's value."""
    assert part in refusals(templates.attribute(name, source, KNOWN))[0].message


def test_redirects() -> None:
    """Slots of a redirect are parts of its path or query."""
    assert spots(templates.redirect(f"https://a.b/{X}?y={X}", KNOWN)) == ["url-part", "url-part"]
    source = f"https://{X}/"
    (mistake,) = refusals(templates.redirect(source, KNOWN))
    assert source[mistake.offset : mistake.offset + mistake.width] == X


def test_all_mistakes_of_a_template() -> None:
    """What is wrong with a slot's grammar and with another's place is said together."""
    assert len(refusals(templates.html(f"<b {X}>{{{{ traits.y }}}}</b><a href='javascript:x'>", KNOWN))) == 3


def test_nothing_is_made_of_a_template_with_mistakes() -> None:
    """No half template leaves this file."""
    nothing: Template = ()
    assert templates.html(f"<b {X}>", KNOWN)[0] == nothing
