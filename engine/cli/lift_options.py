"""The options of `lift` that are written as rule files write them: shares with a percent sign, times with a zone."""

from collections.abc import Callable
from datetime import datetime
from typing import Any, Generic, TypeVar

import click

from engine.limits import PPM
from engine.rules.notation import scalars
from engine.rules.notation.mistake import Mistake

Read = TypeVar("Read")


class Notation(click.ParamType[Read], Generic[Read]):
    """A small notation of the rule files, with its own words for what is wrong."""

    def __init__(self, name: str, read: Callable[[str], Read]) -> None:
        self.name = name
        self._read = read

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Read:
        """What the text means, or a usage error that says how it is written rightly."""
        try:
            return self._read(str(value))
        except Mistake as mistake:
            self.fail(f"{mistake.message}; {mistake.hint}" if mistake.hint else mistake.message, param, ctx)


def _share(text: str) -> float:
    share = scalars.share(text) / PPM
    if not share:
        raise Mistake("a lift of `0%` is none", "the smallest that is worth having is such as `5%`")
    return share


SHARE = Notation[float]("share", _share)
TIME = Notation[datetime]("time", scalars.timestamp)
