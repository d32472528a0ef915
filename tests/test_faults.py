"""What of an exception may be told: where, always; its message, where it is ours or the machine's."""

import pytest

from engine.faults import in_short, told
from engine.profiles.store import StoreFull


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (OSError(28, "Disk full", "data/events"), "OSError: [Errno 28] Disk full: 'data/events'"),
        (ValueError("ada@example.com"), "ValueError"),
        (StoreFull("data/profiles: full"), "StoreFull: data/profiles: full"),
    ],
)
def test_only_what_is_ours_or_the_machines_is_told(error: Exception, said: str) -> None:
    """A strange message may hold a visitor's value."""
    assert in_short(error) == said


def test_the_machine_may_say_what_it_refused() -> None:
    """A path and a reason are no visitor's; of a group every member is told."""
    group = ExceptionGroup("two", [OSError(28, "No space left on device", "data/events"), KeyError("plan")])
    said = told(group)
    assert "No space left on device: 'data/events'" in said
    assert "KeyError: its message is left out" in said
    assert "plan" not in said
