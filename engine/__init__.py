"""mutiny-edge: decides, on every page view, which variant of a page a visitor sees. The rooms: DESIGN section 9.

    from engine import Engine

    with Engine.open(rules="rules", data="data") as engine:
        answer = engine.decide("ada", url="https://www.example.com/")
        answer.variant("homepage")    # None: the page as it is

What a back end needs is here by name; each is imported when it is first asked for, for a room of the engine is imported
a hundred times for every time that somebody asks.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from engine.embedded.answer import Answer, Choice, Track
    from engine.embedded.engine import Engine
    from engine.embedded.guest import News
    from engine.embedded.question import QuestionError
    from engine.embedded.visitor import Visitor
    from engine.holder import RulesBroken

__all__ = ["Answer", "Choice", "Engine", "News", "QuestionError", "RulesBroken", "Track", "Visitor"]

_HOMES = {
    "Answer": "engine.embedded.answer",
    "Choice": "engine.embedded.answer",
    "Engine": "engine.embedded.engine",
    "News": "engine.embedded.guest",
    "QuestionError": "engine.embedded.question",
    "RulesBroken": "engine.holder",
    "Track": "engine.embedded.answer",
    "Visitor": "engine.embedded.visitor",
}


def __getattr__(name: str) -> object:
    """One of `__all__`, from the room where it lives."""
    if name not in _HOMES:
        raise AttributeError(f"module 'engine' has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)
