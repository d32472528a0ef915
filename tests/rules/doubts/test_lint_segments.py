"""Doubts about `when` and `except`: each mistake once, at its place."""

from collections.abc import Callable

import pytest

from engine.rules.folder import Loaded

FILE = """segments:
  s:
    name: S
    when: {when}
    except: {leaves_out}
traits: {{d: {{default: free}}}}
conversions: {{g: {{event: G, where: '{where}'}}}}
experiences: {{e: {{name: E, pages: [/], audiences: [{{segment: s, variants: [{{key: v, changes: []}}]}}]}}}}
"""


def file(when: str = "traits.a == 1", leaves_out: str = "traits.b", where: str = "properties.x == 1") -> str:
    """A file of which nothing is doubtful but what is put in."""
    return FILE.format(when=when, leaves_out=leaves_out, where=where)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (file("1 < 2"), "4:11 always-true `1 < 2` is always true: it asks for nothing"),
        (file("[traits.a, has(traits.d)]"), "4:22 always-true `has(traits.d)` is always true, of every visitor"),
        (
            file("traits.a == 1 || true"),
            "4:28 always-true `true` is always true, and so is everything that it is joined",
        ),
        (file("traits.a != 1 || traits.a != 2"), "4:11 always-true this is true of every visitor whose `traits.a` is"),
        (file("page.url != 3"), "4:11 always-true `page.url != 3` is always true, of every visitor"),
        (file(where="1 == 1"), "7:37 always-true `1 == 1` is always true"),
        (
            file(leaves_out="true"),
            "5:13 always-true `true` is always true: it asks for nothing: everybody is left out, the",
        ),
        (
            file(leaves_out="traits.b != 1 || traits.b != 2"),
            "5:13 always-true this is true of every visitor whose `traits.b` is known, whatever the value: all of them",
        ),
        (file("traits.a < 5", "traits.a < 9"), "5:13 never-true this leaves out everybody whom `when` lets in"),
        (file("traits.a && traits.b", "traits.b"), "5:13 never-true this leaves out everybody whom `when` lets in"),
        (file("traits.a == 1 && traits.a == 2", "traits.a == 1"), "4:28 never-true `traits.a == 2` can never be true"),
        (file("traits.a != 1"), "4:11 unknown-surprise visitors without `traits.a` do not match here"),
        (file("traits.a > duration('1d')"), "4:31 doubtful `1d` is no duration"),
    ],
)
def test_each_mistake_is_said_once(
    said: Callable[..., list[str]], loaded: Callable[..., Loaded], text: str, expected: str
) -> None:
    """As a warning, and nothing else is said of the same part."""
    (line,) = said(text)
    assert line.startswith(expected)
    assert loaded(text).ruleset is not None


@pytest.mark.parametrize("text", [file(), file("true"), file("[true, traits.a == 1]"), file(where="true")])
def test_no_doubt(said: Callable[..., list[str]], text: str) -> None:
    """Everybody is an audience, too."""
    assert said(text) == []
