"""Generated functions: their tracebacks point at the rule, and they leave nothing behind."""

import linecache
import traceback

from engine.compile.loading import file_of, load, printable, source_of
from engine.words import Place

SOURCE = "def one(a):\n    return a[c0]  # the line\n"
NAME = file_of(Place("rules/segments.yaml", 12, 3))


def test_traceback_shows_the_line() -> None:
    """The file name is the rule's, the text that of the generated line."""
    function = load(SOURCE, "one", NAME, {"c0": "plan"})
    try:
        function({})
    except KeyError as error:
        shown = "".join(traceback.format_exception(error))
    assert 'File "<rules/segments.yaml:12>", line 2, in one' in shown
    assert "return a[c0]  # the line" in shown


def test_source_comes_with_its_names() -> None:
    """For a failing test: what the names are bound to, then the source."""
    assert source_of(load(SOURCE, "one", NAME, {"c0": "pl\nan"})) == f"# c0 = 'pl\\nan'\n{SOURCE}"


def test_lines_go_with_the_function() -> None:
    """The newest function of a name owns the lines; they go when it goes, not when an older one does."""
    old = load(SOURCE, "one", NAME, {})
    new = load(SOURCE + "\n", "one", NAME, {})
    del old
    assert len(linecache.getlines(NAME)) == 3
    del new
    assert NAME not in linecache.cache


def test_printable() -> None:
    """Whatever breaks a line, or the encoding, is a question mark."""
    assert printable("a\nb\r\x0c\u2028\ud800é") == "a?b????é"
