"""CEL in Rust (`common-expression-language`): a program for each rule, the same text as ours.

Prepared once: the compiled programs. Its README hands each call a dict, which is copied into Rust every time; a
`Context` made once a visitor is copied once, and is by far its faster way. A missing trait is an error there, so an
exception: no match.
"""

from collections.abc import Callable, Sequence
from typing import Any

import cel

from bench.audiences import Match, Rule, Traits

PACKAGE = "common-expression-language"


def dict_a_call(rules: Sequence[Rule]) -> Match:
    """As its README shows."""
    return _programs(rules, lambda variables: variables)


def context_a_visitor(rules: Sequence[Rule]) -> Match:
    """What is known is handed over once."""
    return _programs(rules, cel.Context)


def _programs(rules: Sequence[Rule], handed: Callable[[dict[str, Any]], Any]) -> Match:
    programs = [cel.compile(rule.condition) for rule in rules]

    def match(traits: Traits) -> list[int]:
        context = handed({"traits": traits})
        found = []
        for number, program in enumerate(programs):
            try:
                if program.execute(context) is True:
                    found.append(number)
            except KeyError:
                pass
        return found

    return match


WAYS = {"execute(dict)": dict_a_call, "a Context a visitor": context_a_visitor}
