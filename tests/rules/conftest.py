"""What tests of this room share: rule files as text, and what is said of them."""

from collections.abc import Callable

import pytest

from engine.rules.files import RuleText
from engine.rules.folder import Loaded, load_texts


@pytest.fixture
def loaded() -> Callable[..., Loaded]:
    """Rule files by their text; the first is `a.yaml`, the second `b.yaml` …"""

    def load(*texts: str) -> Loaded:
        return load_texts([RuleText(f"{name}.yaml", text.encode()) for name, text in zip("abcd", texts, strict=False)])

    return load


@pytest.fixture
def said(loaded: Callable[..., Loaded]) -> Callable[..., list[str]]:
    """`line:column code message` for everything that is said of rule files."""

    def say(*texts: str) -> list[str]:
        return [f"{p.place.line}:{p.place.column} {p.code} {p.message}" for p in loaded(*texts).problems]

    return say
