"""What `diff` prints: colours for people, one shape for programs."""

import json
from pathlib import Path

EDITS = Path(__file__).with_name("edits")
SHAPE = {"old", "new", "problems", "changes", "drawnAnew", "visitors"}


def test_one_shape_for_programs(run):
    """The JSON has the same keys whatever was found, errors too."""
    for case in EDITS.iterdir():
        answer = json.loads(run("diff", "old", "new", "--format", "json", cwd=case).stdout)
        assert answer.keys() == SHAPE
        assert bool(answer["problems"]) == (answer["old"] is None)


def test_changes_for_programs(run):
    """Both texts, both places; of a redraw the reason and the share that moves."""
    answer = json.loads(run("diff", "old", "new", "--format", "json", cwd=EDITS / "readme").stdout)
    segment = next(change for change in answer["changes"] if change["kind"] == "segment")
    assert segment["details"] == [
        {
            "what": "when",
            "old": "traits.employees < 50",
            "new": "traits.employees < 80",
            "oldPlace": {"file": "old/homepage.yaml", "line": 2},
            "newPlace": {"file": "new/homepage.yaml", "line": 2},
        }
    ]
    [redraw] = answer["drawnAnew"]
    assert (redraw["experience"], redraw["segment"], redraw["reason"], redraw["moved"]) == (
        "homepage",
        "fintech",
        "control",
        0.1,
    )
    assert redraw["place"] == {"file": "new/homepage.yaml", "line": 10}


def test_colours_where_somebody_sees_them(run, on_terminal):
    """A terminal gets colours, a pipe none."""
    sides = EDITS / "readme" / "old", EDITS / "readme" / "new"
    assert "\x1b[" in on_terminal("diff", *sides)
    assert "\x1b[" not in run("diff", *sides).stdout
