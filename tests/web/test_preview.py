"""Preview links: whom they show what, when they end, and that nobody makes one up."""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from stat import S_IMODE
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.node import Node
from engine.profiles.ids import key
from engine.profiles.record import Change
from engine.settings import Settings
from engine.web.app import build
from engine.web.preview import KEY_FILE, Ticket, checked, key_made, signed
from engine.web.refusal import Refused

RULES = """\
segments:
  known: {name: Known, when: has(traits.company)}
  nobody: {name: Nobody, when: traits.employees < 0}
experiences:
  site:
    name: Site
    status: draft
    pages: ["https://www.example.com/", "/pricing/**"]
    audiences:
      - segment: nobody
        variants: [{key: hero, changes: [{selector: h1, text: "For {{ traits.company | default: 'you' }}"}]}]
      - {segment: known, control: 100%, variants: [{key: hero, changes: [{selector: h1, text: Known}]}]}
insertable: [traits.company]
"""
NEVER = 4_000_000_000
KEY = b"a key"
NOW = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.fixture(scope="module")
def previewed(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """A node with a draft, a known visitor, and the key of its links."""
    folder = tmp_path_factory.mktemp("previewed")
    (folder / "rules").mkdir()
    (folder / "rules" / "site.yaml").write_text(RULES)
    node = Node(Settings(folder / "rules", folder / "data"))
    node.store.apply([Change(key("visitor", "ada"), 1, {"company": "Northbank"})])
    yield node
    node.store.close()


@pytest.fixture(scope="module")
def look(previewed: Node, calling: Callable[..., Any]) -> Callable[..., Any]:
    """`look(ticket, visitor="ada", url=…)`: the answer to a link."""
    call = calling(build(previewed))
    signing = key_made(previewed.settings.data)

    def look(ticket: Ticket | str, visitor: str = "ada", url: str = "https://www.example.com/") -> Any:
        token = ticket if isinstance(ticket, str) else signed(ticket, signing)
        body = {"visitorId": visitor, "page": {"url": url}, "preview": token}
        return call(chunks=[json.dumps(body).encode()])

    return look


def test_a_draft_is_shown_to_whoever_has_the_link(look: Callable[..., Any]) -> None:
    """The variant, filled with what is known of who asks; no draw, no segment, and no call to track."""
    for segment, visitor, text in (
        ("nobody", "ada", "For Northbank"),
        ("nobody", "bob", "For you"),
        ("known", "bob", "Known"),
    ):
        said = look(Ticket("site", segment, "hero", NEVER), visitor)
        [decision] = said.json["decisions"]
        assert (said.status, said.json["preview"], said.json["ends"]) == (200, True, "2096-10-02T07:06:40Z")
        assert decision == {
            "experience": "Site",
            "audienceSegment": segment.capitalize(),
            "personalized": True,
            "variant": "hero",
            "changes": [{"selector": "h1", "text": text}],
        }


def test_a_link_changes_no_other_page(look: Callable[..., Any]) -> None:
    """Only the pages of its experience."""
    ticket = Ticket("site", "known", "hero", NEVER)
    assert look(ticket, url="https://staging.example.com/pricing/teams").json["decisions"]
    other = look(ticket, url="https://www.example.com/about")
    assert (other.status, other.json["decisions"], other.json["preview"]) == (200, [], True)
    assert look(ticket, url="no page").json["code"] == "bad-url"


@pytest.mark.parametrize(
    ("ticket", "status", "code"),
    [
        (Ticket("site", "known", "hero", 1_600_000_000), 410, "preview-expired"),
        (Ticket("site", "known", "gone", NEVER), 400, "bad-preview"),
        (Ticket("site", "gone", "hero", NEVER), 400, "bad-preview"),
        (Ticket("gone", "known", "hero", NEVER), 400, "bad-preview"),
        (signed(Ticket("site", "known", "hero", NEVER), b"another key"), 400, "bad-preview"),
        ("", 400, "bad-preview"),
        ("é.\ud800", 400, "bad-preview"),
        ("x" * 10_000, 400, "bad-preview"),
    ],
)
def test_links_that_show_nothing(look: Callable[..., Any], ticket: Any, status: int, code: str) -> None:
    """Ended, of a variant that is gone, of another service, or made up: told, and nothing is decided."""
    said = look(ticket)
    assert (said.status, said.json["code"]) == (status, code)


def test_by_query(previewed: Node, calling: Callable[..., Any]) -> None:
    """A GET may carry the token as well."""
    token = signed(Ticket("site", "known", "hero", NEVER), key_made(previewed.settings.data))
    query = f"visitorId=ada&url=https://www.example.com/&preview={token}".encode()
    assert calling(build(previewed))("GET", query=query).json["preview"] is True


def test_without_a_key_no_link_is_ours(tmp_path: Path) -> None:
    """Also not one that is signed with nothing."""
    for key_ in (None, b""):
        with pytest.raises(Refused, match="bad-preview"):
            checked(signed(Ticket("site", "known", "hero", NEVER), b""), key_, NOW)


def test_the_key_is_made_once_and_is_its_owners(tmp_path: Path) -> None:
    """Whoever comes second finds the first one's."""
    made = key_made(tmp_path / "data")
    assert key_made(tmp_path / "data") == made
    assert S_IMODE((tmp_path / "data" / KEY_FILE).stat().st_mode) == 0o600
    assert len(made) == 64


_words = st.text(min_size=1, max_size=128)


@given(st.builds(Ticket, _words, _words, _words, st.integers(1_800_000_000, NEVER)), st.data())
def test_a_token_is_what_was_signed_or_refused(ticket: Ticket, data: st.DataObject) -> None:
    """LAW: it comes back as it was; with any character changed, left out or put in, it is refused."""
    try:
        token = signed(ticket, KEY)
    except UnicodeEncodeError:
        return
    assert checked(token, KEY, NOW) == ticket
    at = data.draw(st.integers(0, len(token) - 1))
    other = token[:at] + data.draw(st.text(max_size=2)) + token[at + 1 :]
    if other != token:
        with pytest.raises(Refused):
            checked(other, KEY, NOW)
