"""LAW: whatever changes were made to whatever page, undone they leave the page as it was, with the very same elements.

And the other way round: made again, they end in the same page. Changes are generated; decisions come from the test.
"""

import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

BODY = """<main id="x"><p class="a">one</p><p class="a b" title="t">two <i>three</i> four</p><!-- said -->
<div><p>five</p><ul><li class="a">six</li><li style="color: red;">seven</li></ul></div><span></span></main>"""
FAKE = (
    "window.answer = []; window.fetch = async () => ({ok: true, json: async () => ({decisions: JSON.parse(answer)})})"
)
# The order of classes, declarations and attributes, and whether one without a value is there, is seen by nobody.
STATE = """(() => {
  const copy = document.querySelector("#x").cloneNode(true);
  for (const one of [copy, ...copy.querySelectorAll("*")])
    for (const {name, value} of [...one.attributes].sort((a, b) => (a.name < b.name ? -1 : 1))) {
      const cut = {class: " ", style: ";"}[name];
      const parts = cut ? value.split(cut).map((part) => part.trim()).filter(Boolean).sort() : [value];
      one.removeAttribute(name);
      if (parts.length) one.setAttribute(name, parts.join(cut));
    }
  return copy.outerHTML;
})()"""

_selectors = st.sampled_from(
    ["p", ".a", ".b", "i", "li", "div", "span", "#x > *", "p:first-child", "[title]", "b", ".none"]
)
_html = st.sampled_from(
    ["", "text", "<b>bold</b>", '<p class="a">more</p><i>it</i>', "<li>item</li> and", "<div><p>deep</p></div>"]
)
_names = st.lists(st.sampled_from(["a", "b", "c"]), max_size=2, unique=True)
_values = st.sampled_from(["", "t", "v w"])
_styles = st.dictionaries(
    st.sampled_from(["color", "margin-left", "--own"]), st.sampled_from(["red", "5px", "blue !important", "nonsense;"])
)
_actions = st.fixed_dictionaries(
    {},
    optional={
        "text": st.sampled_from(["", "text", "<b>"]),
        "html": _html,
        "attributes": st.dictionaries(st.sampled_from(["title", "href", "data-own"]), _values),
        "style": _styles,
        "insert": st.fixed_dictionaries(
            {"position": st.sampled_from(["before", "after", "prepend", "append"]), "html": _html}
        ),
        "remove": st.just(True),
    },
)
_classes = st.sampled_from([{}, {"add": ["c"]}, {"remove": ["a"]}, {"add": ["b", "c"], "remove": ["a"]}])


@st.composite
def change(draw: st.DrawFn) -> dict[str, Any]:
    """One change, as it goes on the wire."""
    made = {"selector": draw(_selectors), **draw(_actions)}
    classes = draw(_classes)
    return {**made, "classes": classes} if classes else made


_decisions = st.lists(st.lists(change(), max_size=4), min_size=1, max_size=3)


@pytest.fixture(scope="module")
def page(chromium: Any, site: Any, edge: Any) -> Any:
    """A page whose decisions the test gives."""
    script = f'<script>{FAKE}</script><script src="{edge.url}/client.js"></script>'
    site.pages["/undo"] = f"<!doctype html><title>t</title>{script}{BODY}".encode(), {}
    context = chromium.context()
    page = context.page().open(f"{site.url}/undo")
    page.js("window.nodes = () => [...document.querySelector('#x').querySelectorAll('*')]; 1")
    yield page
    context("close")


def undone_and_made_again(page: Any, decisions: list[list[dict[str, Any]]]) -> None:
    """The law, for one page view."""
    page.js("window.answer = '[]'; 1")  # whatever an example before this one left
    page.do("mutinyEdge.refresh()")
    page.js(f"document.body.innerHTML = {json.dumps(BODY)}; window.first = nodes(); 1")
    before = page.js(STATE)
    page.js(f"window.answer = {json.dumps(json.dumps([{'changes': changes} for changes in decisions]))}; 1")
    page.do("mutinyEdge.refresh()")
    changed = page.js(STATE)
    page.do("mutinyEdge.refresh()")
    assert page.js(STATE) == changed
    page.js("window.answer = '[]'; 1")
    page.do("mutinyEdge.refresh()")
    assert page.js(STATE) == before
    assert page.js("nodes().length === first.length && nodes().every((node, index) => node === first[index])")


def _law(examples: int) -> Callable[..., None]:
    @settings(max_examples=examples, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
    @given(decisions=_decisions)
    def law(page: Any, decisions: list[list[dict[str, Any]]]) -> None:
        undone_and_made_again(page, decisions)

    return law


def test_undone_is_as_it_was(page: Any) -> None:
    """A few pages."""
    _law(40)(page)


@pytest.mark.long
def test_undone_is_as_it_was_a_thousand_times(page: Any) -> None:
    """Many pages."""
    _law(1_000)(page)
