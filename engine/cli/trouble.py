"""What can go wrong in the rooms below, in words for whoever typed the command.

What the machine refuses (`OSError`) every verb has in common: `main.py` tells that. Here is what the engine itself
raises, for the verbs that open a node or a store.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from engine.cli.screen import fail
from engine.events.disk import LogError
from engine.holder import RulesBroken
from engine.problems import as_text
from engine.profiles.store import StoreError


@contextmanager
def told() -> Iterator[None]:
    """Broken rule files, stores and logs that cannot be used end the command: exit code 2, what is wrong, and where."""
    try:
        yield
    except RulesBroken as broken:
        places = "\n".join(as_text(problem) for problem in broken.problems)
        fail(f"{broken}\n{places}")
    except (StoreError, LogError) as error:
        fail(str(error))
