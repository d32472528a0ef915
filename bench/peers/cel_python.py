"""CEL in Python (`cel-python`): a program for each rule, the same text as ours.

Prepared once: the programs, with its `CompiledRunner`, which writes Python for them and is five times as fast as its
default. A visitor's traits become CEL values once. A missing trait is an error, so an exception: no match; its log of
such errors is switched off.
"""

import logging
from collections.abc import Sequence

import celpy

from bench.audiences import Match, Rule, Traits

PACKAGE = "cel-python"


def compiled_programs(rules: Sequence[Rule]) -> Match:
    """A call for every program."""
    logging.getLogger("celpy").setLevel(logging.CRITICAL)
    environment = celpy.Environment(runner_class=celpy.CompiledRunner)
    programs = [environment.program(environment.compile(rule.condition)) for rule in rules]

    def match(traits: Traits) -> list[int]:
        context = {"traits": celpy.json_to_cel(traits)}
        found = []
        for number, program in enumerate(programs):
            try:
                if program.evaluate(context):
                    found.append(number)
            except celpy.CELEvalError:
                pass
        return found

    return match


WAYS = {"CompiledRunner": compiled_programs}
