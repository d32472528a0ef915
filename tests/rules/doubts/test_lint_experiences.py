"""Doubts about experiences: who never wins, who goes round in a circle, what is over."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from engine.rules.folder import Circumstances, load

FILE = """segments:
  small: {{name: Small, when: traits.n < 50}}
  tiny: {{name: Tiny, when: traits.n < 5}}
  large: {{name: Large, when: traits.n >= 50}}
  any: {{name: Any, when: traits.n > 0}}
traits: {{n: {{type: number}}}}
experiences:
  e:
    name: E
    status: {status}
    pages: [/a]
    schedule: {{end: 2026-01-01T00:00:00Z}}
    audiences:
      - {{segment: {first}, variants: [{{key: v, changes: [{{redirect: {target}}}]}}]}}
      - {{segment: {second}, variants: [{{key: v, changes: []}}]}}
      - {{segment: {third}, variants: [{{key: v, changes: []}}]}}
  f:
    name: F
    pages: [/f]
    audiences:
      - {{segment: large, variants: [{{key: v, changes: [{{redirect: /a}}]}}]}}
      - {{segment: {fourth}, variants: [{{key: v, changes: []}}]}}
"""
BEFORE = datetime(2025, 12, 31, tzinfo=UTC)
END = datetime(2026, 1, 1, tzinfo=UTC)


def said(folder: Path, now: datetime | None = BEFORE, **parts: str) -> list[str]:
    """`line:column code message | hint`; only what this file is about."""
    usual = {"status": "live", "first": "tiny", "second": "small", "third": "large", "fourth": "tiny", "target": "/x"}
    (folder / "a.yaml").write_text(FILE.format(**usual | parts), "utf-8")
    found = load(folder, circumstances=Circumstances(now)).problems
    return [
        f"{p.place.line}:{p.place.column} {p.code} {p.message} | {p.hint}" for p in found if p.code != "unused-segment"
    ]


def test_no_doubt(tmp_path: Path) -> None:
    """The narrow ones above the wide ones, a schedule that lasts, redirects that arrive."""
    assert said(tmp_path) == []


@pytest.mark.parametrize("status", ["live", "draft"])
def test_an_audience_that_never_wins(tmp_path: Path, status: str) -> None:
    """It is named with the one that covers it, and where that stands; in drafts, too."""
    (line,) = said(tmp_path, first="small", second="tiny", status=status)
    assert line == (
        "15:19 covered-audience `tiny` never wins here: whoever matches it matches `small` above (line 14) | "
        "put it above `small`, or leave it out"
    )


def test_an_audience_that_never_wins_beside_two(tmp_path: Path) -> None:
    """Two together cover it."""
    (line,) = said(tmp_path, first="small", second="large", third="any")
    assert line.startswith(
        "16:19 covered-audience `any` never wins here: whoever matches it matches one of the segments"
    )


def test_paused_experiences_are_left_in_peace(tmp_path: Path) -> None:
    """What is paused may wait for its repair."""
    assert said(tmp_path, END, first="small", second="tiny", status="paused") == []


def test_a_schedule_that_is_over(tmp_path: Path) -> None:
    """From the very moment on; only a clock tells."""
    (line,) = said(tmp_path, END)
    assert line.startswith(
        "12:21 schedule-over `e` is over since 2026-01-01T00:00:00Z: nobody sees it any more | a later"
    )
    assert said(tmp_path, None) == []


def test_a_circle(tmp_path: Path) -> None:
    """A page of its own, and a circle of two with the place of the other."""
    (line,) = said(tmp_path, target="/a")
    assert line.startswith("14:66 redirect-circle `e` leads to a page of its own: who comes to /a is sent there again")
    (line,) = said(tmp_path, target="/f", first="large", third="tiny", second="any", fourth="small")
    assert line.startswith("14:67 redirect-circle `e` and `f` (")
    assert "send visitors round in a circle: /" in line


def test_half_a_ruleset_is_not_held_against_itself(tmp_path: Path) -> None:
    """Where a file could not be read whole, a segment may look wider than it is."""
    text = FILE.format(status="live", first="small", second="tiny", third="large", fourth="tiny", target="/x")
    (tmp_path / "a.yaml").write_text(text + "nonsense: 1\n", "utf-8")
    assert {problem.code for problem in load(tmp_path).problems} == {"unknown-key"}
