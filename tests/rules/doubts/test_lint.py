"""Doubts: each said at its place, none of them false, none of them an error."""

from collections.abc import Callable

import pytest

from engine.rules.folder import Loaded

EXPERIENCE = (
    "  {key}: {{name: {key}, pages: [{page}], audiences: [{{segment: s, control: {control}, "
    "variants: [{{key: v, changes: [{{selector: h1, text: {text}}}]}}]}}]}}\n"
)


def file(when: str = "traits.a == 1", text: str = "Hi", more: str = "", control: str = "50%") -> str:
    """One segment and one experience, about which there is no doubt but what is put in."""
    experience = EXPERIENCE.format(key="e", page="/a", control=control, text=f"'{text}'")
    return f"segments:\n  s:\n    name: S\n    when: {when}\ninsertable: [traits.x]\nexperiences:\n{experience}{more}"


def test_no_doubt(loaded: Callable[..., Loaded]) -> None:
    """A plain file raises none."""
    assert loaded(file()).problems == ()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (file('traits.plan != "x"'), "4:11 unknown-surprise visitors without `traits.plan` do not match"),
        (file("|\n      traits.a\n      && !traits.b\n"), "6:10 unknown-surprise visitors without `traits.b`"),
        (file("traits.a == 1 && traits.a == 2"), "4:28 never-true `traits.a == 2` can never be true together with"),
        (file("[traits.a == 1, traits.a == 2]"), "4:27 never-true `traits.a == 2`"),
        (
            file("page.query.page == 2"),
            "4:11 never-true `page.query.page == 2` can never be true: what a query holds is text",
        ),
        (file("traits.a == 1\n    except: traits.b == 1 && traits.b == 2"), "5:30 never-true `traits.b == 2`"),
        (file("traits.a == 1 && traits.b\n    except: traits.a == 1"), "5:13 never-true this leaves out everybody"),
        (file(text="Hi {{ traits.x }}"), "no-default visitors without `traits.x` see nothing here"),
        (file(control="100%"), "7:3 all-control every audience of `e` is 100% control"),
        (
            file(more="\nconversions: {}\ntraits: {a: {type: string}}\n"),
            "4:11 never-true `traits.a == 1` can never be true: `traits.a` is declared as text",
        ),
        (
            file(more=EXPERIENCE.format(key="f", page="/*", control="10%", text="Ho")),
            "8:109 collision `f` and `e` (a.yaml:7) change `h1` on the same page",
        ),
        (
            file().replace("  s:\n", "  t: {name: T, when: traits.t}\n  s:\n"),
            "2:3 unused-segment no experience uses the segment `t`",
        ),
    ],
)
def test_doubts(loaded: Callable[..., Loaded], said: Callable[..., list[str]], text: str, expected: str) -> None:
    """Each doubt once, as a warning, and the ruleset is there."""
    (line,) = said(text)
    assert expected in line
    result = loaded(text)
    assert [problem.severity for problem in result.problems] == ["warning"]
    assert result.ruleset is not None


def test_same_names(said: Callable[..., list[str]]) -> None:
    """Names go out with exposures; two segments of one name could not be told apart."""
    other = "segments: {t: {name: S, when: traits.t}}\n"
    (line,) = [line for line in said(file(), other) if "same-name" in line]
    assert line.startswith("1:22 same-name `s` (a.yaml:3) has the same name")


@pytest.mark.parametrize(
    "text",
    [
        file('traits.plan != "x"') + "traits: {plan: {default: free}}\n",
        file(text='Hi {{ traits.x | default: "you" }}'),
        file(text="Hi {{ traits.x }}") + "traits: {x: {default: you}}\n",
        file('traits.a == 1\n    except: traits.plan != "x"'),
        file(more=EXPERIENCE.format(key="f", page="/b", control="10%", text="Ho")),
        file(more=EXPERIENCE.format(key="f", page="/a", control="100%", text="Ho")).replace(
            "name: f", "name: f, status: draft"
        ),
    ],
)
def test_no_false_alarms(loaded: Callable[..., Loaded], text: str) -> None:
    """Defaults, `except`, other pages and drafts are no doubt."""
    assert [problem.message for problem in loaded(text).problems] == []


def test_nothing_is_unused_where_something_could_not_be_read(said: Callable[..., list[str]]) -> None:
    """What uses a segment may stand in the part that is broken or misspelled."""
    unused = "segments: {t: {name: T, when: traits.t}}\n"
    assert not any("unused" in line for line in said(unused, "experiences: ["))
    assert not any("unused" in line for line in said(unused + "experience: {}\n"))
    assert any("unused" in line for line in said(unused))


def test_many_that_meet(loaded: Callable[..., Loaded]) -> None:
    """An experience that meets several is spoken of once, with some of them by name."""
    more = "".join(EXPERIENCE.format(key=f"f{number}", page="/a", control="10%", text="Ho") for number in range(5))
    last = loaded(file(more=more)).problems[-1]
    assert last.message.startswith("`f4` and `e` (a.yaml:7), `f0` (a.yaml:8), `f1` (a.yaml:9), 2 more change `h1`")
    assert len(loaded(file(more=more)).problems) == 5
