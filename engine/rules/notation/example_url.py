"""From a page pattern to a page that it has: where an experience can be tried out. Pure.

1. The shortest way through the pattern's host and path (`rules.glob`), with an `x` where a character has to be.
2. Where the pattern leaves the host open, one that other rules name is taken: that is a page that may exist.
3. The page is tried against the pattern before it is given out.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from itertools import product
from typing import Final
from urllib.parse import urlencode

from engine.rules.notation import patterns
from engine.rules.notation.glob import Step
from engine.rules.notation.patterns import Pattern

ANY: Final = "x"  # stands for any characters
HOST: Final = "www.example.com"  # where no rule names a host


def usual_host(texts: Iterable[str]) -> str:
    """The host that most of these patterns name; of equals the first by name."""
    hosts = Counter(host for text in texts if (host := _spelt(patterns.compile(text))))
    return min(hosts, key=lambda host: (-hosts[host], host), default=HOST)


def example_url(text: str, host: str) -> str | None:
    """A page of this pattern, on `host` if the pattern has no other; None where none is found."""
    pattern = patterns.compile(text)
    for page in _candidates(pattern, host):
        url = patterns.parse_url(page)
        if url is not None and pattern.matches(url):
            return page
    return None


def _candidates(pattern: Pattern, host: str) -> Iterator[str]:
    scheme = "https" if "https" in pattern.schemes else pattern.schemes[0]
    port = f":{pattern.port}" if pattern.port > 0 else ""
    pairs = [(name, ANY if parts is None else ANY.join(parts)) for name, parts in pattern.pairs]
    query = f"?{urlencode(pairs)}" if pairs else ""
    names = [host] if pattern.host is None else [*_ways(pattern.host.steps)]
    for name, path in product(names, _ways(pattern.path.steps)):
        closing = "/" if not path or path.endswith("/") else ""  # the normal form of a path lacks its last slash
        yield f"{scheme}://{name}{port}{path}{closing}{query}"


def _ways(steps: Sequence[Step]) -> Iterator[str]:
    """The shortest text, then the one that leaves nothing out."""
    yield _text(steps, shortest=True)
    yield _text(steps, shortest=False)


def _text(steps: Sequence[Step], *, shortest: bool) -> str:
    text, index = "", 0
    while index < len(steps):
        step = steps[index]
        if shortest and step.skip:
            index += step.skip
            continue
        text += step.literal or ANY
        index += 1
    return text


def _spelt(pattern: Pattern) -> str:
    """The host, where it has no wildcard."""
    if pattern.host is None or not all(step.literal for step in pattern.host.steps):
        return ""
    return "".join(step.literal for step in pattern.host.steps)
