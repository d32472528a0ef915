"""From source to a function whose traceback shows the generated lines.

What lives here: `load`, and the lifetime of the entries in `linecache`. What may not: anything about rules.

1. A function's file name is the rule it was made of, `<rules/segments.yaml:12>`, and `linecache` holds its
   source under that name, so that tracebacks and debuggers show it.
2. The entry goes when the function goes: hundreds of reloads leave nothing behind. A newer function under
   the same name takes the entry over.
3. The namespace does not hold the function, so no cycle keeps either alive.
"""

import linecache
from collections.abc import Callable
from typing import Any
from weakref import finalize

from engine.words import Place

_Entry = tuple[int, None, list[str], str]


def load(source: str, name: str, filename: str, namespace: dict[str, Any]) -> Callable[..., Any]:
    """The function `name` that the source defines; the rest of what it names is in the namespace."""
    exec(compile(source, filename, "exec"), namespace)  # noqa: S102 - our own source; what users wrote is bound by name
    function: Callable[..., Any] = namespace.pop(name)
    entry: _Entry = (len(source), None, source.splitlines(keepends=True), filename)
    linecache.cache[filename] = entry
    finalize(function, _forget, filename, entry).atexit = False
    return function


def _forget(filename: str, entry: _Entry) -> None:
    if linecache.cache.get(filename) is entry:
        del linecache.cache[filename]


def file_of(place: Place) -> str:
    """The file name of code that was made of the rule at this place."""
    return f"<{printable(place.file)}:{place.line}>"


def printable(text: str) -> str:
    """On one line, whatever an ops file calls things: fit for comments and file names."""
    return "".join(c if c.isprintable() else "?" for c in text)


def source_of(function: Callable[..., Any]) -> str:
    """The source that the function was loaded from and what its names are bound to, for a failing test."""
    source = "".join(linecache.getlines(function.__code__.co_filename))
    bound = {name: function.__globals__[name] for name in function.__code__.co_names if name in function.__globals__}
    legend = "".join(f"# {name} = {printable(repr(value))}\n" for name, value in bound.items() if name[-1].isdigit())
    return legend + source
