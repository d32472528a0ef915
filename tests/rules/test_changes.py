"""Page changes: what a change may hold, alone and together."""

from collections.abc import Callable

import pytest

from engine.rules.folder import Loaded
from engine.words import Change, Insert, Slot

FILE = """segments: {s: {name: S, when: traits.a}}
insertable: [traits.x]
experiences:
  e:
    name: E
    pages: [/]
    audiences:
      - segment: s
        variants:
          - key: v
            changes:
"""


def file(*changes: str) -> str:
    """A rule file whose changes these are, from line 12 and column 17 on."""
    return FILE + "".join(f"              - {change}\n" for change in changes)


def test_every_action(loaded: Callable[..., Loaded]) -> None:
    """All that a change can do, as it reaches the decider."""
    result = loaded(
        file(
            "{selector: h1, text: 'Hi {{ traits.x | default: y }}'}".replace("default: y", 'default: "y"'),
            "{selector: a, attributes: {href: /x}, classes: {add: [b, c], remove: [d]}, "
            "style: {background-color: red, --x: '1'}}",
            "{selector: i, insert: {position: before, html: <b>x</b>}}",
            "{selector: p, remove: true}",
            "{selector: q, html: ''}",
        )
    )
    assert result.ruleset is not None, result.problems
    assert result.ruleset.experiences["e"].audiences[0].variants[0].changes == (
        Change(selector="h1", text=("Hi ", Slot(("traits", "x"), "y", "text"))),
        Change(
            selector="a",
            attributes={"href": ("/x",)},
            classes_add=("b", "c"),
            classes_remove=("d",),
            style={"background-color": "red", "--x": "1"},
        ),
        Change(selector="i", insert=Insert("before", ("<b>x</b>",))),
        Change(selector="p", remove=True),
        Change(selector="q", html=()),
    )


def test_a_redirect(loaded: Callable[..., Loaded]) -> None:
    """A redirect stands alone."""
    result = loaded(file("redirect: /x"))
    assert result.ruleset is not None, result.problems
    assert result.ruleset.experiences["e"].audiences[0].variants[0].changes == (Change(redirect=("/x",)),)


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ("{selector: 'h1..x', text: a}", "12:32 selector expected the name of a class"),
        ("{text: a}", "12:17 change the change has no `selector`"),
        ("{selector: a}", "12:17 change the change changes nothing"),
        ("{selector: a, classes: {}}", "12:17 change the change changes nothing"),
        ("{selector: a, classes: {add: []}, attributes: {}}", "12:17 change the change changes nothing"),
        ("{selector: a, classes: {add: ['b {{ traits.x }}']}}", "12:50 class no slot may stand in a class"),
        ("{selector: a, html: '<b onclick=f()>'}", "12:41 template `onclick` would run code"),
        ("{selector: a, insert: {position: after, html: '<script>f()</script>'}}", "12:64 template `<script>` would"),
        ("{selector: a, attributes: {formaction: '{{ traits.x }}'}}", "12:57 template no slot may choose where a form"),
        ("{selector: a, remove: false}", "12:17 change the change changes nothing"),
        ("{selector: a, text: b, html: c}", "12:40 change `text` and `html`"),
        ("{selector: a, remove: true, text: b}", "12:45 change `remove` and `text`"),
        ("{selector: a, redirect: /x}", "12:31 redirect a redirect stands alone, without `selector`"),
        ("{text: a, redirect: /x}", "12:27 redirect a redirect stands alone, without `text`"),
        ("{redirect: 'javascript:x'}", "12:28 template a redirect leads to"),
        ("{selector: a, text: 'b {{ traits.y }}'}", "12:43 template a page may not show `traits.y`"),
        (
            "{selector: a, html: '<b x={{ traits.x }}>'}",
            "12:43 template no slot may stand in an attribute without quotes",
        ),
        ("{selector: a, insert: {position: after, html: '<b'}}", "12:63 template the HTML ends within"),
        ("{selector: a, attributes: {onclick: b}}", "12:44 template `onclick` would run code"),
        ("{selector: a, attributes: {href: 'javascript:x'}}", "12:50 template a `javascript:` URL"),
        ("{selector: a, classes: {add: ['b c']}}", "12:47 class a class has no white space"),
        ("{selector: a, classes: {add: [.b]}}", "12:47 class the class is `b`"),
        ("{selector: a, classes: {add: [b], remove: [b]}}", "12:60 class the class `b` is both"),
        ("{selector: a, style: {backgroundColor: red}}", "12:39 style `backgroundColor` is no CSS property's name"),
        ("{selector: a, style: {color: 'red;'}}", "12:50 style `;` cannot stand"),
        ("{selector: a, style: {color: '{{ traits.x }}'}}", "12:47 style no slot may stand in `style`"),
    ],
)
def test_what_is_no_change(said: Callable[..., list[str]], change: str, expected: str) -> None:
    """Every mistake with its place, and nothing else said."""
    (line,) = said(file(change))
    assert line.startswith(expected)


def test_a_redirect_beside_other_changes(said: Callable[..., list[str]]) -> None:
    """Behind a redirect nothing of the page is left to change."""
    (line,) = said(file("{selector: a, text: b}", "{redirect: /x}"))
    assert line.startswith("13:18 redirect a redirect is the only change of its variant")
