"""`lift` for programs: one shape, whatever is known."""

import csv
import io
import json
from datetime import UTC, datetime, timedelta, timezone

from engine.cli.lift_data import as_json, print_csv, print_json
from engine.lift.figures import Figures, Pair
from engine.lift.statistics import Group
from engine.lift.verdict import judge

KNOWN = judge(
    Figures(
        "Homepage",
        "Small, é",
        "g",
        60,
        0.5,
        Pair(Group(2_000, 400), Group(2_000, 500)),
        Pair(Group(1, 0), Group(2, 1)),
        3,
        datetime(2026, 11, 1, 2, tzinfo=timezone(timedelta(hours=2))),
        datetime(2026, 11, 9, 0, 0, 0, 5_000, tzinfo=UTC),
    ),
    0.1,
)
UNKNOWN = judge(Figures("Homepage", "Small", "g", 60, None, Pair(), Pair(), 0, None, None), 0.1)


def test_json(capsys):
    """Fractions; times with milliseconds and `Z`; null for what nobody knows."""
    print_json([KNOWN, UNKNOWN], open_=False)
    known, unknown = json.loads(capsys.readouterr().out)
    assert known.keys() == unknown.keys()
    assert known["personalized"] == {"visitors": 2_000, "converters": 500, "rate": 0.25}
    assert known["open"]["personalized"] == {"visitors": 2, "converters": 1, "rate": 0.5}
    assert known["lift"] == 0.25
    assert known["interval"][0] < known["fixedHorizon"][0] < 0.25
    assert (known["firstExposure"], known["lastExposure"]) == ("2026-11-01T00:00:00.000Z", "2026-11-09T00:00:00.005Z")
    assert unknown["sampleRatio"] == {"expected": None, "observed": None, "p": None, "ok": None}
    assert unknown["interval"] is unknown["firstExposure"] is unknown["daysNeeded"] is None


def test_csv(capsys):
    """A row a line, every field a column; the head stands there even if nothing else does."""
    print_csv([KNOWN, UNKNOWN], open_=False)
    known, unknown = csv.DictReader(io.StringIO(capsys.readouterr().out))
    assert known["audienceSegment"] == "Small, é"
    assert float(known["interval.low"]) == as_json(KNOWN)["interval"][0]
    assert known["open.personalized.rate"] == "0.5"
    assert unknown["interval.low"] == unknown["sampleRatio.ok"] == ""
    print_csv([], open_=False)
    assert capsys.readouterr().out == ",".join(known) + "\n"
