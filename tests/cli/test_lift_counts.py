"""`lift --counts`: what a warehouse answered, in whatever case and order; what cannot be read is told with its line."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from engine import limits
from engine.cli.lift_counts import read_counts
from engine.cli.screen import CannotRun
from engine.lift.asking import Asking
from engine.lift.figures import Pair
from engine.lift.statistics import Group
from engine.rules.folder import load

HEAD = "experience,audience_segment,goal,personalized,visitors,converters"
RULES = """\
segments: {all: {name: Everybody, when: "true"}}
experiences:
  home:
    name: Homepage
    pages: ["https://www.example.com/"]
    audiences: [{segment: all, control: 20%, variants: [{key: a, changes: [{selector: h1, text: A}]}]}]
conversions:
  paid: {event: Paid}
  other: {event: Other}
"""


@pytest.fixture
def read(tmp_path):
    """`read(csv)`: the figures in it."""
    (tmp_path / "rules").mkdir()
    (tmp_path / "rules" / "all.yaml").write_text(RULES)
    ruleset = load(tmp_path / "rules").ruleset
    goals = tuple(goal for goal in ruleset.goals.values() if goal.key == "paid")

    def read(text, experiences=None):
        file = tmp_path / "counts.csv"
        file.write_text(text, encoding="utf-8")
        return read_counts(file, Asking(ruleset, goals, datetime(2026, 11, 25, tzinfo=UTC), experiences)).figures

    return read


def test_all_columns(read):
    """As Snowflake prints them, with a mark in front as spreadsheets put it; the control share is that of the rules."""
    head = (
        "\ufeffGOAL,EXPERIENCE,AUDIENCE_SEGMENT,PERSONALIZED,VISITORS,CONVERTERS,OPEN_VISITORS,OPEN_CONVERTERS,SAW_BOTH"
    )
    rows = [
        "paid,Homepage,Everybody,0,200,10,5,1,2,2026-11-01 00:00:07.776 UTC,2026-11-09",
        "paid,Homepage,Everybody,true,800,60,20,2,3,2026-11-02 00:00:00.000 +0200,NULL",
        "other,Homepage,Everybody,0,1,1,1,1,1,,",
    ]
    [line] = read("\n".join([f"{head},FIRST_EXPOSURE,LAST_EXPOSURE", *rows, ""]))
    assert (line.experience, line.segment, line.goal, line.window_s) == ("Homepage", "Everybody", "paid", 604_800)
    assert line.control_share == 0.2
    assert line.closed == Pair(Group(200, 10), Group(800, 60))
    assert line.open == Pair(Group(5, 1), Group(20, 2))
    assert line.saw_both == 5
    assert line.since == datetime(2026, 11, 1, 0, 0, 7, 776_000, tzinfo=UTC)
    assert line.until == datetime(2026, 11, 9, tzinfo=UTC)


def test_only_what_is_needed(read):
    """Columns that are not there are not known; a group without a row is nobody; other experiences are left out."""
    [line] = read(f"{HEAD}\nHomepage,Everybody,paid,1,80,6\n")
    assert line.closed == Pair(Group(0, 0), Group(80, 6))
    assert (line.open, line.saw_both, line.since, line.until) == (Pair(), 0, None, None)
    assert read(f"{HEAD}\nHomepage,Everybody,paid,1,80,6\n", ("Another",)) == ()


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (
            "",
            "counts.csv:1: no column experience, audience_segment, goal, personalized, visitors, converters; expected",
        ),
        ("goal,visitors\n", "no column experience, audience_segment, personalized, converters"),
        (f"{HEAD}\nHomepage,Everybody,paid,2,80,6\n", "counts.csv:2: personalized: expected 0 or 1, got '2'"),
        (
            f"{HEAD}\nHomepage,Everybody,paid,1,80.5,6\n",
            "counts.csv:2: visitors: expected a whole number of at most 12 digits, got '80.5'",
        ),
        (f"{HEAD}\nHomepage,Everybody,paid,1,{'9' * 5_000},6\n", "counts.csv:2: visitors: expected a whole number of"),
        (f"{HEAD.replace(',', ';')}\n", "; columns are parted by commas here, not by semicolons"),
        (f"{HEAD.replace(',', chr(9))}\n", "; columns are parted by commas here, not by tabs"),
        (f"{HEAD}\n{'x' * 200_000},Everybody,paid,1,80,6\n", "counts.csv:1: field larger than field limit"),
        (f"{HEAD}\nHome\0page,Everybody,paid,1,80,6\n", "counts.csv: no text; expected what"),
        (
            f"{HEAD},open_visitors,open_converters\nHomepage,Everybody,paid,1,80,6,1,2\n",
            "counts.csv:2: open_converters: expected at most the 1 visitors, got 2",
        ),
        (
            f"{HEAD},first_exposure\nHomepage,Everybody,paid,1,80,6,yesterday\n",
            "counts.csv:2: first_exposure: expected a time as 2026-11-01 00:00:07+00:00, or nothing, got 'yesterday'",
        ),
        (
            f"{HEAD}\nHomepage,Everybody,paid,1,5,6\n",
            "counts.csv:2: converters: expected at most the 5 visitors, got 6",
        ),
        (f"{HEAD}\nHomepage,Everybody,paid,1\n", "counts.csv:2: expected 6 columns as in the head line"),
        (
            f"{HEAD}\n{'Homepage,Everybody,paid,1,80,6' + chr(10)}Homepage,Everybody,paid,1,8,6\n",
            "counts.csv:3: a second row",
        ),
    ],
)
def test_what_cannot_be_read(read, text, told):
    """With file and line, and what would be right."""
    with pytest.raises(CannotRun) as failed:
        read(text)
    assert told in failed.value.message


def test_what_is_no_text(read, tmp_path, monkeypatch):
    """UTF-16 as spreadsheets save it; more than there can be, as from /dev/zero."""
    for content, told in (("a".encode("utf-16"), "not UTF-8; expected"), (b"a" * 101, "more than 0 MB; expected")):
        (tmp_path / "odd.csv").write_bytes(content)
        monkeypatch.setattr(limits, "LIFT_COUNTS_BYTES", 100)
        with pytest.raises(CannotRun, match=told):
            read_counts(tmp_path / "odd.csv", None)


def test_a_goal_that_the_rules_do_not_have(read, capsys):
    """Its rows are left out, and that is told; those of one that was not asked for are not."""
    rows = "".join(f"Homepage,Everybody,{goal},1,80,6\n" for goal in ("paid", "other", "payd"))
    assert len(read(f"{HEAD}\n{rows}")) == 1
    assert capsys.readouterr().err == "left out: rows of payd, which the rules name no goal\n"


def test_a_file_that_is_not_there(read):
    """Is told by the verb, as every file is."""
    with pytest.raises(FileNotFoundError):
        read_counts(Path("/nowhere/counts.csv"), Asking(None, (), datetime(2026, 11, 25, tzinfo=UTC)))
