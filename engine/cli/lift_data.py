"""`lift` for programs and spreadsheets: the same figures and verdicts as JSON and as CSV.

1. Shares and lifts are fractions, not percent; what cannot be computed is null, in CSV empty.
2. The first fields are those that others script against (DESIGN 7); what came later stands behind them.
"""

import csv
import io
import json
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, Final

import click

from engine.lift.figures import Pair
from engine.lift.statistics import Group
from engine.lift.verdict import Judgement

_FIGURES: Final = ("visitors", "converters", "rate")
_GROUPS: Final = tuple(f"{group}.{figure}" for group in ("control", "personalized") for figure in _FIGURES)
_COLUMNS: Final = (
    "experience",
    "audienceSegment",
    "goal",
    *_GROUPS,
    "lift",
    "interval.low",
    "interval.high",
    "probabilityBetter",
    *(f"sampleRatio.{field}" for field in ("expected", "observed", "p", "ok")),
    "verdict",
    "text",
    "fixedHorizon.low",
    "fixedHorizon.high",
    "p",
    "daysNeeded",
    "sawBoth",
    *(f"open.{column}" for column in _GROUPS),
    "windowSeconds",
    "firstExposure",
    "lastExposure",
)


def print_json(judged: Sequence[Judgement], open_: bool) -> None:  # noqa: ARG001 - all of it
    """A list with an object for each line."""
    click.echo(json.dumps([as_json(one) for one in judged], indent=2, ensure_ascii=False))


def as_json(one: Judgement) -> dict[str, Any]:
    """One line for programs."""
    figures, ratio = one.figures, one.sample_ratio
    return {
        "experience": figures.experience,
        "audienceSegment": figures.segment,
        "goal": figures.goal,
        **_pair(figures.closed),
        "lift": one.lift,
        "interval": one.interval,
        "probabilityBetter": one.probability_better,
        "sampleRatio": {"expected": ratio.expected, "observed": ratio.observed, "p": ratio.p, "ok": ratio.ok},
        "verdict": one.verdict,
        "text": one.text,
        "fixedHorizon": one.fixed_horizon,
        "p": one.p,
        "daysNeeded": one.days_needed,
        "sawBoth": figures.saw_both,
        "open": _pair(figures.open),
        "windowSeconds": figures.window_s,
        "firstExposure": _moment(figures.since),
        "lastExposure": _moment(figures.until),
    }


def print_csv(judged: Sequence[Judgement], open_: bool) -> None:  # noqa: ARG001 - all of it
    """A row for each line; nested fields become one column each, `control.visitors`, `interval.low`."""
    rows = [_flat(as_json(one)) for one in judged]
    written = io.StringIO()
    writer = csv.DictWriter(written, _COLUMNS, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    click.echo(written.getvalue(), nl=False)


def _pair(pair: Pair) -> dict[str, Any]:
    return {"control": _group(pair.control), "personalized": _group(pair.personalized)}


def _group(group: Group) -> dict[str, Any]:
    return {"visitors": group.visitors, "converters": group.converters, "rate": group.rate}


def _moment(moment: datetime | None) -> str | None:
    return None if moment is None else moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _flat(fields: dict[str, Any], above: str = "") -> dict[str, Any]:
    """Every value under its path; a pair of bounds as `low` and `high`."""
    made: dict[str, Any] = {}
    for name, value in fields.items():
        path = f"{above}{name}"
        if name in {"interval", "fixedHorizon"}:
            low, high = value or (None, None)
            made |= {f"{path}.low": low, f"{path}.high": high}
        elif isinstance(value, dict):
            made |= _flat(value, f"{path}.")
        else:
            made[path] = value
    return made
