"""The grammar of `{{ … }}`: what is cut, and what is said of what cannot be."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine import limits
from engine.rules.notation.mistake import Mistake
from engine.rules.notation.slots import Hole, Literal, cut, read_path, shown

KNOWN = {("traits", "company"), ("traits", "job title"), ("salesforce", "contact", "Industry")}


def holes(text: str) -> list[tuple[tuple[str, ...], str | None]]:
    """Path and default of every hole of a text without mistakes."""
    parts, mistakes = cut(text, KNOWN)
    assert mistakes == []
    return [(part.path, part.default) for part in parts if isinstance(part, Hole)]


def test_slots() -> None:
    """A path, with or without a default; blanks do not matter; a quoted `}}` closes nothing."""
    assert holes("a {{ traits.company }}") == [(("traits", "company"), None)]
    assert holes("{{traits.company|default:'you'}}") == [(("traits", "company"), "you")]
    assert holes('{{ traits.company | default : "a}}b" }}') == [(("traits", "company"), "a}}b")]
    assert holes(r"{{ traits.company | default: 'it\'s \\' }}") == [(("traits", "company"), "it's \\")]
    assert holes("""{{ traits["job title"] }}{{ salesforce.contact.Industry }}""")[0] == (("traits", "job title"), None)


def test_literal_braces() -> None:
    """`{{ '{{' }}` is a literal `{{`, and single braces are nothing special."""
    parts, mistakes = cut("a { b } {{ '{{' }} }}", KNOWN)
    assert not mistakes
    assert "".join(part.text for part in parts if isinstance(part, Literal)) == "a { b } {{ }}"


@given(st.lists(st.sampled_from(["x", "é", " { ", "{{ traits.company }}", "{{traits.company | default: 'y'}}", "\n"])))
def test_nothing_is_lost(pieces: list[str]) -> None:
    """Literals and holes, at their offsets, are the whole text."""
    text = "".join(pieces)
    parts, mistakes = cut(text, KNOWN)
    assert not mistakes
    covered = [(part.offset, part.width if isinstance(part, Hole) else len(part.text)) for part in parts]
    assert sum(width for _, width in covered) == len(text)
    assert all(a + width == b for (a, width), (b, _) in pairwise(covered))


@pytest.mark.parametrize(
    ("text", "under", "part"),
    [
        ("Hi {{ traits.company", "{{ traits.company", "never closed"),
        ("Hi {{ traits.company {{ traits.company }}", "{{ traits.company {{ traits.company }}", "never closed"),
        ("Hi {{ traits.compny }}", "traits.compny", "did you mean `traits.company`?"),
        ("Hi {{ traits.email }}", "traits.email", "`insertable: [traits.email]`"),
        ("Hi {{ page.url }}", "page.url", "begins with `traits.`"),
        ("Hi { traits.company }!", "{ traits.company }", "two braces"),
        ("Hi {{ traits.company | upcase }}", "upcase", "unknown filter `upcase`"),
        ("Hi {{ traits.company | defualt: 'x' }}", "defualt", "did you mean `default`?"),
        ("Hi {{ traits.company | default: you }}", "default: you", "`default: 'you'`"),
        ("Hi {{ traits.company | default 'you' }}", "default 'you'", "`default: 'you'`"),
        ("Hi {{ traits.company | default: 'a' | default: 'b' }}", "| default: 'b'", "one default"),
        ("Hi {{ traits.company or 'you' }}", "or 'you'", "expected `|`"),
        ("Hi {{ }}!", "}", "expected a path, got nothing"),
        ("Hi {{ traits. }}", ".", "does not continue a path"),
    ],
)
def test_mistakes_at_their_characters(text: str, under: str, part: str) -> None:
    """Every mistake has its message and stands under the characters that are wrong."""
    _, (mistake, *_) = cut(text, KNOWN)
    assert part in f"{mistake.message} | {mistake.hint}"
    assert text[mistake.offset : mistake.offset + mistake.width] == under


def test_all_mistakes_of_a_text() -> None:
    """One mistake hides no other."""
    _, mistakes = cut("{{ a }} { traits.x } {{ traits.company | up }} {{", KNOWN)
    assert len(mistakes) == 4


def test_a_slot_that_never_ends_is_cheap() -> None:
    """Looking for the end of a slot stops after `limits.SLOT_CHARS`."""
    _, mistakes = cut("{{ '" + "x" * limits.SLOT_CHARS + "' }}", KNOWN)
    assert [mistake.message for mistake in mistakes] == ["`{{` is never closed"]


@given(st.text("{}'\" |:.abtraits", max_size=40))
def test_any_text_is_cut(text: str) -> None:
    """Nothing raises, and every mistake lies within the text."""
    _, mistakes = cut(text, KNOWN)
    assert all(0 <= mistake.offset <= len(text) for mistake in mistakes)


@given(st.lists(st.text("ab c.'\"[]", max_size=4), min_size=1, max_size=3))
def test_paths_are_shown_as_they_are_read(names: list[str]) -> None:
    """What `shown` writes is read as the same path."""
    path = ("traits", *names)
    text = shown(path)
    assert read_path(text) == (path, len(text))


def test_what_is_no_path() -> None:
    """A path begins with a name."""
    with pytest.raises(Mistake, match="expected a path"):
        read_path("'x'")
