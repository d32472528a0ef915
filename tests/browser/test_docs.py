"""`/docs` in real Chromium: nothing is asked for elsewhere, nothing is an error, and it is readable on any screen."""

from typing import Any

import pytest

NARROW = {"width": 360, "height": 700}
WIDE = {"width": 1400, "height": 900}


def opened(chromium: Any, edge: Any, **options: Any) -> Any:
    """The page in a profile with these options."""
    page = chromium.context(**options).page()
    page("goto", f"{edge.url}/docs")
    return page


def test_it_asks_for_nothing_else(chromium: Any, edge: Any) -> None:
    """One request, to the service itself; no error, and no rule of its policy is broken."""
    page = opened(chromium, edge)
    page.until("document.readyState === 'complete'")
    assert [(method, address, end) for method, address, _, end in page.requests("")] == [
        ("GET", f"{edge.url}/docs", 200)
    ]
    assert page.errors == []
    assert page.js("document.querySelectorAll('main article').length") > 50


@pytest.mark.parametrize("screen", [NARROW, WIDE])
@pytest.mark.parametrize("colours", ["light", "dark"])
def test_it_fits_any_screen(chromium: Any, edge: Any, screen: Any, colours: str) -> None:
    """Nothing hangs out at the side; text stands out from its ground, in both colours."""
    page = opened(chromium, edge, viewport=screen, colorScheme=colours)
    assert page.js("document.documentElement.scrollWidth") <= screen["width"]
    assert page.js("document.querySelector('nav details').open") == (screen is WIDE)
    for selector in ("main p", "main table", "pre.curl", "pre.answer", "nav a", ".must", ".status", "small"):
        assert page.js(CONTRAST % selector) >= 4.5, selector


# The contrast of an element's text with the ground that it stands on (WCAG 2).
CONTRAST = """(() => {
  const parsed = (text) => text.match(/[\\d.]+/g).map(Number);
  const linear = (c) => (c <= 0.03928 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4);
  const light = (text) => {
    const [r, g, b] = parsed(text).map((c) => linear(c / 255));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  let ground = document.querySelector("%s");
  const ink = getComputedStyle(ground).color;
  const colour = () => getComputedStyle(ground).backgroundColor;
  while (parsed(colour())[3] === 0) ground = ground.parentElement;
  const [less, more] = [light(ink), light(colour())].sort((a, b) => a - b);
  return (more + 0.05) / (less + 0.05);
})()"""


def test_a_line_is_copied_with_the_origin_that_the_browser_knows(chromium: Any, edge: Any) -> None:
    """By its button, whatever name the service was given behind its proxy."""
    page = opened(chromium, edge, permissions=["clipboard-read", "clipboard-write"])
    page("click", "#health pre.curl button")
    page.until("document.querySelector('#health button').textContent === 'Copied'")
    page.do("navigator.clipboard.readText().then((text) => { window.copied = text })")
    assert page.js("window.copied") == f"curl {edge.url}/healthz"
    assert page.errors == []


def test_without_javascript_it_is_the_same_reference(chromium: Any, edge: Any) -> None:
    """Every operation, example and line; only the buttons are missing."""
    page = opened(chromium, edge, javaScriptEnabled=False)
    assert f"curl {edge.url}/healthz" in page("content").replace('<span class="origin">', "").replace("</span>", "")
    assert '<button type="button">' not in page("content")
