"""Problems at exact places of a document."""

from engine.rules.document import Document
from engine.rules.read import read
from engine.rules.yaml.compose import compose
from engine.rules.yaml.source import Source
from engine.words import Place

TEXT = """\
segments:
  a:
    name: A
    when:
      - |
        traits.x &&
        traits.y = 1
      - 'it''s = 1'
  b: {name: B, when: "\\u0041 = 1"}
"""


def _document(text: str = TEXT) -> Document:
    source = Source("rules/a.yaml", text)
    return read(source, compose(source))[0]


def test_places_of_values_keys_and_characters() -> None:
    """The value, its key, and a character within the text, in a block and behind escapes."""
    document = _document()
    when = ("segments", "a", "when")
    assert document.place(("segments", "a", "name")) == Place("rules/a.yaml", 3, 11)
    assert document.problem(("segments", "a", "name"), "c", "m", at="key").place == Place("rules/a.yaml", 3, 5)
    for path, offset in (((*when, 0), 21), ((*when, 1), 5), (("segments", "b", "when", 0), 2)):
        problem = document.problem(path, "c", "m", offset=offset)
        assert problem.source[problem.place.column - 1] == "="
        assert problem.place == document.place(path, offset)
        assert problem.width == 1
    assert document.problem((*when, 0), "c", "m", offset=21, width=4).width == 3  # to the end of the line


def test_what_is_left_out_stands_at_the_block_around_it() -> None:
    """A problem of a key that is not there is shown at the key of the nearest block that is."""
    document = _document()
    assert document.place(("segments", "a", "except", 3)) == Place("rules/a.yaml", 2, 3)
    assert document.problem(("experiences", "x"), "c", "m").place == Place("rules/a.yaml", 1, 1)
    assert _document("").problem(("segments", "x"), "c", "m").place == Place("rules/a.yaml", 1, 1)


def test_items_are_the_texts_that_could_be_read() -> None:
    """One text and a list of texts alike; what was reported is left out and the paths stay."""
    document = _document("segments: {a: {name: 1, when: [x, 5, y]}, b: {name: B, when: z}}")
    assert document.items(("segments", "a", "when")) == [
        (("segments", "a", "when", 0), "x"),
        (("segments", "a", "when", 2), "y"),
    ]
    assert document.items(("segments", "b", "when")) == [(("segments", "b", "when"), "z")]
    assert document.items(("segments", "b", "except")) == []


def test_names_are_known_even_where_nothing_could_be_read() -> None:
    """A segment that is wrong is still a segment that exists."""
    document = _document("segments: {a: 1, b: {}}")
    assert document.names("segments") == ["a", "b"]
    assert document.names("experiences") == []


def test_doubtful_is_what_has_an_unread_part() -> None:
    """A block with an unread part, and every part of something unread; not its siblings."""
    document = _document("segments: {a: {name: 1, when: x}, b: {name: B, when: z}, c: 5}")
    assert document.is_doubtful(("segments", "a"))
    assert document.is_doubtful(("segments", "a", "name"))
    assert document.is_doubtful(("segments", "c", "name"))
    assert not document.is_doubtful(("segments", "a", "when"))
    assert not document.is_doubtful(("segments", "b"))
