"""The demo's website in a browser: visitors, groups, previews, and its own navigation. Screenshots go to $TMPDIR.

`UPDATE=1` keeps one of them for README: engine/web/client.png.
"""

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

KEPT = Path(__file__).resolve().parents[2] / "engine" / "web" / "client.png"


@pytest.fixture(scope="module")
def demo() -> Iterator[str]:
    """The demo, running; its address."""
    program = [sys.executable, "-c", "from engine.cli.main import main; main()"]
    words = ["demo", "--visitors", "20", "--port", "0"]
    process = subprocess.Popen([*program, *words], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    look = next(line for line in process.stdout if "Look:" in line)
    yield look.split()[-1]
    process.terminate()
    process.communicate(timeout=60)


def context(chromium: Any, width: int, height: int) -> Any:
    """A browser that waits for its decisions, however busy this machine is."""
    browser = chromium.context(viewport={"width": width, "height": height})
    browser.before("window.mutinyEdge = {timeoutMs: 20000}")
    return browser


def shot(page: Any, name: str) -> Path:
    """A picture of the page."""
    path = Path(os.environ.get("TMPDIR", tempfile.gettempdir())) / f"mutiny-edge-{name}.png"
    page("screenshot", {"path": str(path)})
    return path


def choose(page: Any, select: str, words: str) -> None:
    """Choose the entry that begins with these words, and wait for the page that comes of it."""
    page.until(find(select, words))
    # At once: the page itself shows again and again who is there.
    chosen = f"{find(select, words)}.selected = true"
    page.js(f"window.old = true; {chosen}; document.querySelector('{select}').dispatchEvent(new Event('change'))")
    page.until("!window.old && window.mutinyEdge?.refresh")
    page.ready()


def find(select: str, words: str) -> str:
    """The entry, as an expression."""
    return f"[...document.querySelectorAll('{select} option')].find((one) => one.text.startsWith('{words}'))"


def test_it_fits_a_phone(chromium: Any, demo: str) -> None:
    """Nothing stands beyond the right edge."""
    browser = context(chromium, 390, 800)
    page = browser.page()
    page.open(demo)
    page.until("document.querySelector('#sent').textContent.includes('Mutiny Experience Viewed')")
    for path in ("/", "/pricing"):
        page.js(f"[...document.querySelectorAll('header a')].find((a) => a.pathname === '{path}').click()")
        assert page.js("document.documentElement.scrollWidth") == 390
    browser("close")


def test_all_of_it_can_be_seen(chromium: Any, demo: str) -> None:
    """Ada is personalized, Alan is control, a stranger sees the page as it is, and all of it is said."""
    browser = context(chromium, 1100, 820)
    page = browser.page()
    page.open(demo)
    assert page.text("h1") == "Books closed before lunch at Northbank"
    page.until("document.querySelector('#sent').textContent.includes('Mutiny Experience Viewed')")
    assert page.text("#group") == "personalized"
    seen = shot(page, "personalized")
    if os.environ.get("UPDATE"):
        KEPT.write_bytes(seen.read_bytes())

    page.js("[...document.querySelectorAll('header a')].at(-1).click()")
    page.until("document.querySelector('h1').textContent === 'Plans' && mutinyEdge.decisions.length === 0")
    page("goBack")
    page.until("document.querySelector('h1').textContent.startsWith('Books closed')")

    choose(page, "#visitor", "Alan")
    page.until("document.querySelector('#group').textContent === 'control'")
    assert page.text("h1") == "Know your numbers"
    page.until("document.querySelector('#sent').textContent.includes('\"personalized\":false')")
    shot(page, "control")

    choose(page, "#preview", "Homepage by Industry: hipaa")
    page.until("document.getElementById('mutiny-edge-preview')")
    assert page.text("h1") == "Analytics that keep patients private"
    page.until("document.querySelector('#group').textContent === 'preview'")
    assert page.text("#sent") == "nothing"
    shot(page, "preview")

    page("goto", demo)
    page.ready()
    choose(page, "#visitor", "a stranger, first visit")
    page.until("document.querySelector('#group').textContent === 'no experience'")
    assert page.text("#sent") == "nothing"
    page.js("document.querySelector('#cta').click()")
    page.until("document.querySelector('#sent').textContent.includes('Signed Up')")
    assert page.errors == []
    browser("close")
