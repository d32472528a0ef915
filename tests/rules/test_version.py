"""The version: the same for the same meaning, another for another."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.rules.files import RuleText
from engine.rules.folder import load_texts

SEGMENTS = [
    "  s1:\n    name: One\n    when: traits.a == 1\n",
    "  s2:\n    name: Two\n    when: [traits.b == 2, traits.c]\n",
]
EXPERIENCE = """
experiences:
  e1:
    name: First
    pages: [/a]
    audiences:
      - {segment: s1, variants: [{key: v, changes: [{selector: h1, text: "Hi {{ traits.x | default: 'you' }}"}]}]}
      - {segment: s2, control: 10%, variants: [{key: v, changes: [{selector: h1, text: Hi}]}]}
insertable: [traits.x]
tests:
  - name: t
    given: {traits: {a: 1, f: 1.5}, page: {url: "http://a.b/a"}, now: 2026-01-01T00:00:00Z}
    expect: {experience: e1}
"""


def version(files: dict[str, str]) -> str:
    """The version of a folder."""
    loaded = load_texts([RuleText(name, text.encode()) for name, text in files.items()])
    assert loaded.ruleset is not None, loaded.problems
    return loaded.ruleset.version


def folder(text: str = EXPERIENCE) -> str:
    """The version of everything in one file."""
    return version({"a.yaml": "segments:\n" + "".join(SEGMENTS) + text})


def test_form() -> None:
    """Eight hex digits."""
    assert len(folder()) == 8
    assert int(folder(), 16) >= 0


@given(st.permutations(SEGMENTS), st.permutations(["x.yaml", "teams/b.yaml", "z.yml"]), st.booleans())
def test_files_order_and_comments_do_not_count(segments: list[str], names: list[str], commented: bool) -> None:
    """Other files, another order, comments and blank lines are the same meaning."""
    comment = "# a comment\n\n\n" if commented else ""
    files = {
        names[0]: comment + "segments:\n" + segments[0],
        names[1]: "segments:\n" + segments[1],
        names[2]: comment + EXPERIENCE,
    }
    assert version(files) == folder()


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("name: First", "name: Second"),
        ("e1:", "e2:"),
        ("control: 10%", "control: 10.0001%"),
        ("text: Hi}", "html: Hi}"),
        ("default: 'you'", "default: 'we'"),
        ("[/a]", "[/b]"),
        ("f: 1.5", "f: 1.25"),
        ("a: 1,", "a: true,"),
        ("2026-01-01", "2026-01-02"),
        ("h1, text: Hi", "h2, text: Hi"),
    ],
)
def test_meaning_counts(old: str, new: str) -> None:
    """Whatever changes an answer, or a test, changes the version."""
    assert old in EXPERIENCE
    assert (
        folder(
            EXPERIENCE.replace(old, new).replace(
                "experience: e1", "experience: e2" if new == "e2:" else "experience: e1"
            )
        )
        != folder()
    )


def test_the_order_of_audiences_counts() -> None:
    """The first segment that matches wins, so their order is meaning."""
    first, second = [line for line in EXPERIENCE.splitlines(keepends=True) if "- {segment" in line]
    assert folder(EXPERIENCE.replace(first, "").replace(second, second + first)) != folder()
