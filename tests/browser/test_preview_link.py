"""A preview link in a browser: the variant, a badge, and nothing that is counted."""

from collections.abc import Callable
from typing import Any

import pytest

from engine.web.preview import Ticket, key_made, signed

BADGE = "document.getElementById('mutiny-edge-preview')?.shadowRoot.textContent ?? null"

TRUSTED = "require-trusted-types-for 'script'; trusted-types mutiny-edge"


@pytest.fixture(scope="module")
def token(edge: Any) -> str:
    """The token in the link that the command prints for the draft."""
    words = (
        "preview",
        "draft",
        "--variant",
        "new",
        "--rules",
        str(edge.rules),
        "--url",
        "https://www.example.com/draft",
    )
    return edge.command(*words).partition("mutiny_preview=")[2]


def test_a_draft_is_shown(browser: Any, write: Callable[..., str], edge: Any, token: str) -> None:
    """The variant of an experience that nobody sees yet, and a badge, also under a strict policy. Nothing is said."""
    policy = f"default-src 'none'; script-src 'nonce-abc'; connect-src {edge.url}; {TRUSTED}"
    tag = f'nonce="abc" data-write-key="{edge.key}"'
    address = write("/draft", tag=tag, headers={"Content-Security-Policy": policy})
    page = browser.page()
    page.open(f"{address}?mutiny_preview={token}")
    assert page.text("h1") == "New for you"
    page.until(f"({BADGE})?.includes('Draft: new for Named company')")
    page.do("mutiny.client.trackConversion({name: 'Signed Up'})")
    page("goto", "about:blank")
    assert page.requests("/v1/batch") == []
    assert browser("cookies") == []
    assert page.errors == []
    page.open(address)
    assert page.text("h1") == "Hello"


def test_it_is_filled_with_what_is_known(browser: Any, write: Callable[..., str], edge: Any, token: str) -> None:
    """Whoever opens it is decided for by nothing else: no draw, no segment, no privacy signal; nothing is tracked."""
    edge.know({"previewer": {"company": "Northbank"}})
    browser.before("Object.defineProperty(navigator, 'globalPrivacyControl', {value: true})")
    page = browser.page()
    page("goto", write("/plain"))
    page.js("document.cookie = 'mutiny_edge=previewer'")
    page.open(f"{write('/draft')}?mutiny_preview={token}")
    assert page.text("h1") == "New for Northbank"


def test_a_link_that_is_none(browser: Any, write: Callable[..., str], edge: Any, token: str) -> None:
    """The page shows as it is, and the badge says why."""
    page = browser.page()
    page.open(write("/draft") + f"?mutiny_preview={token[:-3]}abc")
    page.until(f"({BADGE})?.includes('The link was not made here')")
    assert page.text("h1") == "Hello"
    page.open(write("/home") + f"?mutiny_preview={token}")
    page.until(f"({BADGE})?.includes('not for this page')")
    assert page.text("h1") == "Hello"


def test_a_link_that_has_ended(browser: Any, write: Callable[..., str], edge: Any, token: str) -> None:
    """The badge says when, as people there write it."""
    ended = signed(Ticket("draft", "named", "new", 1_700_000_000), key_made(edge.data))
    page = browser.page()
    page.open(f"{write('/draft')}?mutiny_preview={ended}")
    page.until(f"({BADGE})?.includes('The link ended at')")
    local = page.js("new Date(1.7e12).toLocaleString([], {dateStyle: 'medium', timeStyle: 'short'})")
    assert f"The link ended at {local}; ask for a new one." in page.js(BADGE)
    assert page.text("h1") == "Hello"
