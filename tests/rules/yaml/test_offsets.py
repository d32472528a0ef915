"""Every character of a scalar's text is found where it stands in the file, however it is written."""

from contextlib import suppress

import yaml
from hypothesis import example, given, settings
from hypothesis import strategies as st

from engine.rules.yaml import offsets

_SOFT = "ab é𝒳'#:,\t "


def _scalars(source: str) -> list[yaml.ScalarEvent]:
    found: list[yaml.ScalarEvent] = []
    with suppress(yaml.YAMLError):
        found.extend(e for e in yaml.parse(source, Loader=yaml.CSafeLoader) if isinstance(e, yaml.ScalarEvent))
    return found


def _check(source: str) -> None:
    """A visible character stands at its index; blanks and breaks at a blank or break; what is escaped at its sign."""
    for event in _scalars(source):
        style, text = event.style or "", event.value
        start, end = event.start_mark.index, event.end_mark.index  # type: ignore[union-attr]
        indices = [offsets.index(source, start, end, text, style, n) for n in range(len(text) + 1)]
        assert indices[:-1] == sorted(indices[:-1])
        for character, index in zip(text, indices, strict=False):
            there = source[index : index + 1]
            escaped = (style == '"' and there == "\\") or (style == "'" and there == "'" == character)
            if character in " \n" and not escaped:
                assert there in (" ", "\t", "\n", "")
            else:
                assert escaped or there == character
        if text.strip():
            last = max(n for n, character in enumerate(text) if character.strip())
            assert indices[-1] > indices[last]


@given(
    st.sampled_from(["|", "|-", "|+", ">", ">-", ">+", "|1", ">2", "| # why"]),
    st.lists(st.tuples(st.integers(0, 4), st.text(_SOFT, max_size=6)), max_size=7),
    st.booleans(),
)
@example("|1", [(3, "")], False)
@settings(max_examples=300, deadline=None)
def test_block_scalars(header: str, lines: list[tuple[int, str]], ends: bool) -> None:
    """Literal and folded blocks, with all chompings and indentation indicators."""
    source = f"k: {header}\n" + "\n".join(" " * indent + line for indent, line in lines)
    _check(source + "\nz: 1\n" if ends else source)


@given(st.sampled_from(["", '"', "'"]), st.lists(st.text("ab é'\"\\x41u0n ", max_size=6), max_size=6))
@settings(max_examples=300, deadline=None)
def test_plain_and_quoted_scalars(quote: str, lines: list[str]) -> None:
    """Plain and quoted scalars over several lines, with escapes."""
    _check(f"k: {quote}" + "\n  ".join(lines) + f"{quote}\n")


def test_a_folded_condition_by_hand() -> None:
    """In a folded block, an offset on the second line is on the second line of the file."""
    source = "when: >\n  traits.a &&\n  traits.b ==== 1\n"
    text = "traits.a && traits.b ==== 1\n"
    index = offsets.index(source, 6, len(source), text, ">", text.index("===="))
    assert source[index:].startswith("==== 1")


def test_escapes_by_hand() -> None:
    """Behind escapes of two, four and ten characters the offset is still right."""
    source = r'k: "\"a\" \x41\u00e9\U0001F600 != 1"'
    text = '"a" Aé😀 != 1'
    index = offsets.index(source, 3, len(source), text, '"', text.index("!="))
    assert source[index:].startswith("!= 1")
