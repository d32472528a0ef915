"""GoRules' ZEN engine (Rust): the rules as expressions, or as the rows of one decision table.

Prepared once: compiled expressions, or a table in a static loader, which compiles it. Comparing what is missing is an
error there, so an expression first asks whether it is; a table's cell does so by itself. The table is its fastest way
by far: it is indexed, and a visitor is one call. A table holds what the tests of a row can say, of one field each; CEL
says more.
"""

import json
from collections.abc import Sequence
from typing import Any

import zen

from bench.audiences import Match, Rule, Traits

PACKAGE = "zen-engine"


def expression(rule: Rule) -> str:
    """The rule in ZEN's own language."""
    return (
        f"employees != null and employees >= {rule.low} and employees < {rule.high}"
        f' and industry == "{rule.industry}" and plan in {json.dumps(list(rule.plans))}'
    )


def compiled_expressions(rules: Sequence[Rule]) -> Match:
    """A call for every expression."""
    compiled = [zen.compile_expression(expression(rule)) for rule in rules]
    return lambda traits: [number for number, asked in enumerate(compiled) if asked.evaluate(traits)]


def decision_table(rules: Sequence[Rule]) -> Match:
    """One call for the whole table, which collects the rows that hold."""
    engine = zen.ZenEngine({"loader": {"type": "static", "content": {"rules": graph(rules)}}})

    def match(traits: Traits) -> list[int]:
        return [row["number"] for row in engine.evaluate("rules", traits)["result"]]

    return match


def graph(rules: Sequence[Rule]) -> dict[str, Any]:
    """Input, table, output."""
    columns = [{"id": name, "name": name, "type": "expression", "field": name} for name in ("employees", "industry")]
    columns.append({"id": "plan", "name": "plan", "type": "expression", "field": "plan"})
    rows = [
        {
            "_id": str(number),
            "employees": f"[{rule.low}..{rule.high})",
            "industry": json.dumps(rule.industry),
            "plan": ", ".join(json.dumps(plan) for plan in dict.fromkeys(rule.plans)),
            "number": str(number),
        }
        for number, rule in enumerate(rules)
    ]
    output = {"id": "number", "name": "number", "type": "expression", "field": "number"}
    table = {"hitPolicy": "collect", "inputs": columns, "outputs": [output], "rules": rows}
    nodes = [
        node("in", "inputNode"),
        {**node("table", "decisionTableNode"), "content": table},
        node("out", "outputNode"),
    ]
    return {"nodes": nodes, "edges": [edge("in", "table"), edge("table", "out")]}


def node(name: str, kind: str) -> dict[str, Any]:
    """A node of the graph."""
    return {"id": name, "name": name, "type": kind, "position": {"x": 0, "y": 0}}


def edge(source: str, target: str) -> dict[str, str]:
    """An arrow of the graph."""
    return {"id": f"{source}-{target}", "type": "edge", "sourceId": source, "targetId": target}


WAYS = {"compiled expressions": compiled_expressions, "decision table": decision_table}
