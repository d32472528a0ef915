"""Attack strings, for every test of this room."""

from pathlib import Path

import msgspec
import pytest


@pytest.fixture(scope="session")
def xss() -> list[str]:
    """Known attack strings."""
    strings = msgspec.json.decode(Path(__file__).with_name("xss.json").read_bytes())
    assert isinstance(strings, list)
    return strings
