"""What is known of a visitor before any comes."""

import pytest

from engine.rules.doubts.atoms import Atom, Known, Path
from engine.rules.doubts.background import background
from engine.words import TraitDeclaration

OF = background(
    {
        "n": TraitDeclaration("n", "number", None, None),
        "d": TraitDeclaration("d", None, "free", "lower"),
        "b": TraitDeclaration("b", "boolean", False, None),
    }
)


@pytest.mark.parametrize(
    ("path", "known"),
    [
        (("page", "url"), Known(frozenset({"string"}), always=True, breakable=False)),
        (("page", "query"), Known(frozenset({"map"}), always=True, breakable=False)),
        (("page", "query", "utm"), Known(frozenset({"string"}), breakable=False)),
        (("page", "query", "utm", "x"), Known()),
        (("visit", "count"), Known(frozenset({"number"}), breakable=False)),
        (("geo", "country"), Known(frozenset({"string"}), breakable=False)),
        (("now",), Known(frozenset({"timestamp"}), always=True, breakable=False)),
        (("traits", "n"), Known(frozenset({"number"}), breakable=False)),
        (("traits", "d"), Known(None, always=True, breakable=False)),
        (("traits", "b"), Known(frozenset({"boolean"}), always=True, breakable=False)),
        (("traits", "other"), Known(breakable=False)),
        (("traits", "other", "part"), Known()),
        (("account", "n"), Known(breakable=False)),
        (("salesforce", "lead", "Status"), Known()),
        (None, Known()),
    ],
)
def test_what_is_known(path: Path | None, known: Known) -> None:
    """A view has a page, a declared trait its type; of everything else nothing is known."""
    assert OF(Atom("text", path, "holds")) == known
