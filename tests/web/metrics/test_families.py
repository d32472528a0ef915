"""The table of metrics keeps Prometheus' conventions."""

import re2

from engine.web.metrics.families import FAMILIES


def test_names_are_as_prometheus_wants_them() -> None:
    """Ours in front, base units behind, `_total` added by whoever prints; each once, each explained in a sentence."""
    names = [family.name for family in FAMILIES]
    assert len(set(names)) == len(names)
    for family in FAMILIES:
        assert re2.fullmatch("mutiny_edge_[a-z]+(_[a-z]+)*", family.name)
        assert not family.name.endswith(("_total", "_ms", "_count", "_sum"))
        assert family.kind != "histogram" or family.name.endswith("_seconds")
        assert family.help.endswith(".")
        assert family.shown.endswith("_total") == (family.kind == "counter")


def test_no_label_is_a_visitor() -> None:
    """What can be in a label is bounded by the rule files, the sources and the program."""
    known = {"experience", "segment", "group", "result", "source", "type", "code", "what", "why", "version", "job"}
    assert {label for family in FAMILIES for label in family.labels} <= known
