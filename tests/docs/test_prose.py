"""Sentences on a page are whole: what a cut or a paste leaves behind is found by its marks."""

import re2

BLOCK = re2.compile(r"(?ms)^ *```.*?^ *```$")
SPAN = re2.compile(r"`[^`\n]*(?:\n[^`\n]*)?`")
GOES_ON = ("- ", "1. ", "|", "<!--", "![", "[BLOCK]")


def paragraphs(page):
    """What stands between blank lines; a block of code is one word, a piece of code in a sentence nothing."""
    text = SPAN.sub("", BLOCK.sub("[BLOCK]", page.read_text(encoding="utf-8")))
    return [part.strip() for part in text.split("\n\n")]


def test_a_colon_has_something_behind_it(page):
    """A paragraph that ends with one is followed by a list, a table, a picture or a block."""
    told = paragraphs(page)
    pairs = zip(told, [*told[1:], ""], strict=True)
    assert [(one, after) for one, after in pairs if one.endswith(":") and not after.startswith(GOES_ON)] == []


def test_what_is_quoted_ends(page):
    """A paragraph has an even number of quotes."""
    assert [one for one in paragraphs(page) if one.count('"') % 2] == []


def test_there_are_no_gaps(page):
    """Two blank lines are where something is gone."""
    assert "\n\n\n" not in BLOCK.sub("[BLOCK]", page.read_text(encoding="utf-8"))
