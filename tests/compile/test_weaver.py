"""Several segments in one function."""

from typing import Any

from engine.cel.scope import ROOTS
from engine.compile.loading import source_of
from engine.compile.segments import formula
from engine.compile.source import Writer
from engine.compile.weaver import Weaver


def woven(segment_of: Any, *, asked: tuple[str, ...] = (), **texts: str) -> Any:
    """A function that lists the keys of those that match."""
    segments = {key: segment_of(text, key=key, line=line) for line, (key, text) in enumerate(texts.items(), 1)}
    writer = Writer(ROOTS, "<test of weaver>")
    weaver = Weaver(writer, segments, {key: formula(segment) for key, segment in segments.items()})
    writer.line(1, "found = []")
    weaver.read_shared_terms()
    weaver.ask(asked)
    for key in segments:
        weaver.where_matches(key, 1, [f"found.append({writer.bind('key', key, key)})"])
    writer.line(1, "return found")
    return writer.function("woven")


def test_each_is_asked(segment_of: Any, visitor: Any) -> None:
    """Those that match, in their order; one that never can is not there."""
    function = woven(segment_of, a="traits.n > 1", b="false", c="traits.n > 2 && traits.m", d="true", asked=("a",))
    assert function(*visitor(n=3, m=True)) == ["a", "c", "d"]
    assert function(*visitor()) == ["d"]


def test_what_is_shared_is_read_once(segment_of: Any) -> None:
    """Up front; what one segment alone needs is read after its cheaper tests, and every line says whose it is."""
    lines = source_of(woven(segment_of, a="traits.n > 1", b="traits.n > 2 && traits.m.k == 1")).splitlines()
    reading = [line for line in lines if "traits.get" in line]
    assert len(reading) == 2
    assert "#" not in reading[0].partition("get")[2]
    assert reading[1].endswith("# rules/segments.yaml:2 b")
