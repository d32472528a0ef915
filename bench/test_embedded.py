"""What the engine inside a program costs beside the node that it asks: the way there, the checks, the answer in words.

1. Both decide the same page views of stored visitors, 200 segments on the page, in turns; of the rounds the median.
2. `variant` is what most back ends ask next; `track` reads the call out of the answer, which nobody pays who does not
   ask for it.
"""

import json
from collections.abc import Callable

from bench import http
from bench.table import duration, row
from bench.turns import in_turns, ratio
from engine import Engine
from engine.words import Page, Visit

STORED, ASKED, ROUNDS = 2_000, 500, 30


def _ways(engine: Engine, visitors: list[str], url: str, experience: str) -> dict[str, Callable[[], object]]:
    node = engine.guest.node
    page, visit = Page(url), Visit()

    def tracked() -> None:
        for visitor in visitors:
            for choice in engine.decide(visitor, url=url).decisions:
                _ = choice.track.properties

    return {
        "node": lambda: [node.decide(visitor, page, visit, {}) for visitor in visitors],
        "engine": lambda: [engine.decide(visitor, url=url).variant(experience) for visitor in visitors],
        "tracked": tracked,
        "node json": lambda: [node.answer(visitor, url) for visitor in visitors],
        "engine json": lambda: [engine.decide_json(visitor, url=url) for visitor in visitors],
    }


def test_embedded(table, tmp_path):
    """A decision, a decision with its tracking calls, and the answer as JSON."""
    http.prepare(tmp_path, STORED)
    said = [json.loads(http.question(number)) for number in range(ASKED)]
    with Engine.open(tmp_path / "rules", tmp_path / "data") as engine:
        url = said[0]["page"]["url"]
        ways = _ways(engine, [one["visitorId"] for one in said], url, engine.experiences[0])
        engine.decide("nobody", url=url)
        took = in_turns(ways, rounds=ROUNDS)

    def time(way: str) -> str:
        return duration(sorted(took[way])[ROUNDS // 2] / ASKED)

    for way, other, what in (
        ("engine", "node", "Engine.decide, and the variant of an experience"),
        ("tracked", "node", "Engine.decide, and all tracking calls"),
        ("engine json", "node json", "Engine.decide_json"),
    ):
        beside = "Node.decide" if other == "node" else "Node.answer"
        table.append(row(what, time(way), beside, time(other), ratio(took[way], took[other])))
