"""The numbers of one process: all that it does is in them, whichever ruleset it did it by."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from engine.node import Node
from engine.settings import Settings
from engine.web.app import build
from engine.web.metrics.families import FAMILIES
from engine.web.metrics.snapshot import Process, Snapshot, added
from engine.words import Decision

WITH_HIT = b'{"visitorId": "v", "page": {"url": "https://www.example.com/"}, "traits": {"employees": 3}}'
WITHOUT = b'{"visitorId": "v", "page": {"url": "https://www.example.com/"}}'


@pytest.fixture
def node(rules: Path, tmp_path: Path) -> Iterator[Node]:
    """A node of its own."""
    node = Node(Settings(rules, tmp_path / "data"))
    yield node
    node.store.close()


def number(snapshot: Snapshot, name: str, *labels: str) -> float:
    """One of them."""
    return dict(snapshot.numbers[f"mutiny_edge_{name}"])[labels]


def test_every_number_has_its_family(node: Node) -> None:
    """In the table, with as many labels."""
    labels = {family.name: len(family.labels) for family in FAMILIES}
    for name, found in Process(node).snapshot().numbers.items():
        assert all(len(names) == labels[name] for names, _ in found), name


def test_answers_are_counted_on_every_way(node: Node, calling: Any) -> None:
    """With traits of the page's own and without, by POST and GET; refused ones by their code."""
    call = calling(build(node))
    for body in (WITH_HIT, WITHOUT, WITHOUT, WITH_HIT, b"{"):
        call("POST", chunks=(body,), headers=(("content-type", "application/json"), ("content-length", str(len(body)))))
    call("GET", query=b"visitorId=v&url=https://www.example.com/")
    call("GET", query=b"visitorId=v&url=https://elsewhere.example/")
    found = Process(node).snapshot()
    assert number(found, "decide_requests", "matched") == 2
    assert number(found, "decide_requests", "unmatched") == 4
    assert number(found, "decide_requests", "degraded") == 0
    assert number(found, "decisions", "site", "small", "personalized") == 2
    assert number(found, "decisions", "site", "small", "control") == 0
    assert sum(times for _, times in found.numbers["mutiny_edge_refusals"]) == 1


def test_counts_outlive_their_ruleset(node: Node, calling: Any, rules: Path, rules_of: Any) -> None:
    """Also those of answers that were begun before it was replaced and end after; an experience that is gone stays."""
    process, call = Process(node), calling(build(node))
    call("POST", chunks=(WITH_HIT,))
    before = node.held.decider
    (rules / "site.yaml").write_text(
        rules_of(2).replace("site:", "other:").replace("experience: site", "experience: other")
    )
    while node.held.decider is before:
        node.rules.step()
    process.adopt()
    call("POST", chunks=(WITH_HIT,))
    before.tally.note(Decision("v1", before.ruleset.version, (), ()))  # was begun before
    for _ in range(3):
        found = process.snapshot()
        assert number(found, "decide_requests", "matched") == 2
        assert number(found, "decide_requests", "unmatched") == 1
        assert number(found, "decisions", "site", "small", "personalized") == 1
        assert number(found, "decisions", "other", "small", "personalized") == 1


def test_gauges_say_what_is_now(node: Node) -> None:
    """Rules, jobs, load."""
    version = node.held.decider.ruleset.version
    with node.load.waiting():
        found = Process(node).snapshot()
    assert number(found, "ruleset_info", version) == 1
    assert number(found, "requests_in_flight") == 1
    assert number(found, "ruleset_age_seconds") >= 0
    assert number(found, "workers") == 1


def test_of_several_the_sum_or_the_largest() -> None:
    """By the table; a family that an older worker still writes and nobody knows is left out."""
    some = Snapshot(
        {
            "mutiny_edge_event_loop_lag_seconds": [((), 0.5)],
            "mutiny_edge_connections": [((), 2)],
            "mutiny_edge_decisions": [(("e", "s", "control"), 1)],
            "mutiny_edge_unheard_of": [((), 1)],
        },
        {},
    )
    found = added([(some, True), (some, True), (some, False)])
    assert number(found, "event_loop_lag_seconds") == 0.5
    assert number(found, "connections") == 4
    assert number(found, "decisions", "e", "s", "control") == 3
    assert "mutiny_edge_unheard_of" not in found.numbers
