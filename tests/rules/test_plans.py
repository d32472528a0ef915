"""What all kinds of values share."""

from engine import limits
from engine.rules.plans import Reading, short, shown
from engine.rules.yaml.compose import compose
from engine.rules.yaml.source import Source


def test_paths_and_long_texts() -> None:
    """Paths read as in the files; long texts are cut, and breaks are blanks."""
    assert shown(("a", "b", 0, "c")) == "a.b[0].c"
    assert shown(()) == ""
    assert len(short("x" * 100)) == 58
    assert short("a\nb") == "a b"


def test_a_reading_is_full_at_its_limit() -> None:
    """Behind the limit nothing is added."""
    source = Source("a.yaml", "a: 1")
    root = compose(source).root
    assert root is not None
    reading = Reading(source, root)
    for number in range(limits.RULE_FILE_PROBLEMS + 5):
        assert reading.full == (number >= limits.RULE_FILE_PROBLEMS)
        reading.report(root, "c", "m")
    assert len(reading.problems) == limits.RULE_FILE_PROBLEMS
