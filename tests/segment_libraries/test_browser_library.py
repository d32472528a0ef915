"""What @segment/analytics-next sends from a page on another origin ends in the profile.

1.70 posts without asking; the newest sends `Authorization`, so that the browser asks first, by a preflight.
"""

from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest

WAYS = {
    "browser-1.70": {},
    "browser-newest": {},
    "browser-newest by the snippet": {"snippet": True},
    "browser-newest in batches": {"delivery": {"strategy": "batching", "config": {"size": 3, "timeout": 200}}},
}


class Page:
    """A page with one visitor on it, and who has been said to be there."""

    def __init__(self, way: str, edge: Any, stage: Any, until: Any) -> None:
        self.source = way.partition(" ")[0]
        self.visitor = way.replace(" ", "-")
        self.ids: list[str] = []
        self._before = len(edge.stored(self.source))
        self._edge, self._until = edge, until
        self._in_batches = "delivery" in WAYS[way]
        self.browser = stage.browser(self.source, edge, **WAYS[way])

    def call(self, method: str, *words: object) -> None:
        """A call of the library that ends in one message."""
        message = self.browser.call(method, *words)
        assert message is not None
        self.ids.append(message)

    def view(self) -> None:
        """What the client says on every page view."""
        self.call("identify", None, {"mutinyVisitorId": self.visitor})
        self.call("page")

    def stored(self) -> list[dict[str, Any]]:
        """What the log holds of this page, in the order of the calls, once all of it is there."""
        self._until(lambda: len(self._edge.stored(self.source)) - self._before >= len(self.ids))
        kept = self._edge.stored(self.source)[self._before :]
        assert Counter(message["messageId"] for message in kept) == Counter(self.ids)
        return sorted(kept, key=lambda message: self.ids.index(message["messageId"]))

    def shows(self, text: str | None) -> bool:
        """Whether the visitor is shown that; batches are sent later, so what they bring has to be waited for."""
        if self._in_batches:
            self._until(lambda: self._edge.shown(self.visitor) == text)
        return self._edge.shown(self.visitor) == text


@pytest.fixture(params=WAYS)
def page(request: pytest.FixtureRequest, edge: Any, stage: Any, until: Any) -> Iterator[Page]:
    """The page of a customer, with one version of the library, had in one way."""
    page = Page(request.param, edge, stage, until)
    yield page
    page.browser.close()


def test_a_page_is_understood(page: Page) -> None:
    """Who is there is in the very next decision; whoever comes after them is shown nothing of theirs."""
    ada, bob = f"ada-{page.visitor}", f"bob-{page.visitor}"
    page.view()
    page.call("track", "Seen")
    assert page.shows(None)  # nothing is known of them yet
    page.call("identify", ada, {"plan": "pro", "firstName": "Ada"})
    page.call("group", f"group-{page.visitor}", {"industry": "SaaS"})
    assert page.shows("pro/Ada/SaaS")

    page.call("track", "Left")  # in batches, it is still in the page when that is left
    page.browser.ask("open", "/pricing")
    page.call("identify", bob, {"plan": "free"})
    page.view()
    assert page.shows("free/-/-")

    assert page.browser.call("reset") is None
    page.view()
    assert page.shows(None)

    ids = [(message["type"], message.get("userId")) for message in page.stored()]
    first = [("identify", None), ("page", None), ("track", None), ("identify", ada), ("group", ada), ("track", ada)]
    then = [("identify", bob), ("identify", bob), ("page", bob)]
    assert ids == [*first, *then, ("identify", None), ("page", None)]
    devices = [message["anonymousId"] for message in page.stored()]
    assert [len(set(devices[start:end])) for start, end in ((0, 6), (6, 9), (9, 11))] == [1, 1, 1]
    assert len(set(devices)) == 3  # another user, and a reset, is another anonymous id

    assert {end for _, _, end in page.browser.network()} <= {200, 204}  # nothing was blocked, nothing tried again
