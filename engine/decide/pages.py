"""From a URL to the experiences that apply, and to the one function that matches them (DESIGN section 4, 1 and 2).

What lives here: the index over page patterns, the memo of URLs, the page functions. What may not: visitors, draws,
how a pattern or a condition is read.

1. Only live experiences enter. Their deciding order is fixed here, once: priority descending, then key.
2. Equal patterns are one. A pattern stands in the index under its host (or under "any host") and under the literal
   folders in front of its first wildcard; one without any wildcard under its whole path. So a new URL tries only the
   patterns that stand on its own way down, whatever their number elsewhere.
3. What a URL has is remembered under the URL as given. What is remembered is dropped whole when it is too many, or too
   large: everything in it can be had again.
4. A page function belongs to a *set* of experiences, not to a URL (`functions`). What is foreseen, or was asked for of
   the ruleset before, is made ready (`warm`), and taken over where nothing has changed.
5. Threads: only finished values are put into dicts. Two threads that miss at once do the same work twice.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from itertools import chain
from typing import Any, Final, TypeAlias

from msgspec import Struct

from engine.compile.pieces import Rest
from engine.decide import reads
from engine.decide.coerce import Coercions
from engine.decide.functions import Functions, PageFunction, Places
from engine.decide.reads import Readings
from engine.decide.usual import Usual
from engine.limits import MEMO_EXPERIENCES, PAGE_MEMO
from engine.profiles.read import Reader
from engine.rules.notation import patterns
from engine.rules.notation.patterns import Pattern, Url
from engine.words import Experience, Segment

ANY_HOST: Final = ""
_AROUND: Final = frozenset({"device", "geo"})
_BESIDE_URL: Final = frozenset({"referrer", "title"})


class NotAUrl(ValueError):  # noqa: N818  (the name says what is wrong, not that it is wrong)
    """A page URL that is no absolute http(s) URL."""


class Match(Struct, frozen=True):
    """What decides on the pages that have one and the same set of experiences, in deciding order.

    `function` takes the roots by position and gives the winners as indices into `order` and their audiences. `order`
    are the experiences, or more than these.
    `reader` reads what of a profile is looked at, `coercions` are those of traits that are. `page`, `visit` and `now`:
    is more of the page looked at than its URL, anything of the visit, the time? `around`: of device or place?
    """

    experiences: tuple[Experience, ...]
    order: tuple[Experience, ...]
    function: PageFunction
    reader: Reader
    coercions: Coercions
    page: bool
    visit: bool
    now: bool
    around: bool


Short: TypeAlias = Callable[[Match | None], Usual | None]


class View(Struct, frozen=True):
    """What a URL has: the fields of the `page` root that it alone decides, and the match, if anything applies.

    `usual` is the short way to the answer (`usual.py`), where there is one.
    """

    fields: dict[str, Any]
    match: Match | None
    usual: Usual | None


class Pages:
    """The live experiences of a ruleset, found by URL."""

    __slots__ = (
        "_anywhere",
        "_coercions",
        "_experiences",
        "_functions",
        "_index",
        "_matches",
        "_readings",
        "_remembered",
        "_segments",
        "_short",
        "_usuals",
        "_views",
        "known",
        "known_anywhere",
    )

    def __init__(
        self,
        experiences: Iterable[Experience],
        segments: Mapping[str, Segment],
        coercions: Coercions,
        short: Short = lambda _: None,
    ) -> None:
        """`short` makes the `usual` of views. Raises `rules.mistake.Mistake` for a page that is no pattern."""
        self._short = short
        self._coercions = coercions
        self._experiences = deciding_order(e for e in experiences if e.status == "live")
        self._segments = segments
        self._index = PatternIndex([experience.pages for experience in self._experiences])
        self._views: dict[str, View] = {}
        self._anywhere: dict[str | None, View] = {}
        # A view that is remembered, or None.
        self.known: Callable[[str], View | None] = self._views.get
        self.known_anywhere: Callable[[str | None], View | None] = self._anywhere.get
        self._matches: dict[Places, Match] = {}
        self._usuals: dict[Places, Usual | None] = {}
        self._remembered = 0  # experiences in `_matches`
        self._functions = Functions(self._experiences, segments)
        self._readings = Readings()

    def warm(self, urls: Iterable[str], before: "Pages | None" = None, rest: Rest = lambda: None) -> None:
        """Make ready for these URLs and for what `before` was asked for, with its functions where nothing changed.

        `rest` is called often meanwhile.
        """
        if before is not None:
            self._readings = Readings(before._readings)
            urls = chain(before.urls(), urls)
        self._functions.begin(None if before is None else before._functions, rest)
        for url in urls:
            rest()
            with suppress(NotAUrl):
                self._views.get(url) or self._first_view(url, rest)
        there = {None, *(experience.key for experience in self._experiences)}
        for key in [key for key in before._anywhere if key in there] if before is not None else ():
            self.anywhere(key, rest)
        self._functions.end()
        self._readings.alone()

    def patterns(self) -> Iterator[str]:
        """The page patterns of live experiences, each once."""
        yield from dict.fromkeys(page for experience in self._experiences for page in experience.pages)

    def parts(self) -> Iterator[object]:
        """What its functions are made of (`Decider.parts`)."""
        yield from self._functions.parts()
        yield from self._readings.parts()

    def view(self, url: str) -> View:
        """What this URL has. Raises `NotAUrl`."""
        return self._views.get(url) or self._first_view(url, lambda: None)

    def anywhere(self, key: str | None, rest: Rest = lambda: None) -> View:
        """What decides where no page is known: on this experience and those of its exclusion group; None: on all.

        Each is taken to apply.
        """
        known = self._anywhere.get(key)
        if known is None:
            found = tuple(self._competing(key))
            known = View({}, self._match(found, rest) if found else None, None)
            _remember(self._anywhere, key, known)
        return known

    def _competing(self, key: str | None) -> Iterator[int]:
        group = next((e.exclusion_group for e in self._experiences if e.key == key), None)
        for number, experience in enumerate(self._experiences):
            if key in {None, experience.key} or (group is not None and experience.exclusion_group == group):
                yield number

    def urls(self) -> tuple[str, ...]:
        """The URLs that are remembered."""
        return tuple(self._views)

    def _first_view(self, text: str, rest: Rest) -> View:
        url = patterns.parse_url(text)
        if url is None:
            raise NotAUrl(f"expected an absolute http(s) URL, got {text[:200]!r} - at page.url")
        applying = self._index.find(url)
        match = self._match(applying, rest) if applying else None
        view = View(
            fields={"url": url.text, "host": url.host, "path": url.path, "query": url.query},
            match=match,
            usual=self._usual(applying, match),
        )
        _remember(self._views, text, view)
        return view

    def _match(self, applying: Places, rest: Rest) -> Match:
        known = self._matches.get(applying)
        if known is not None:
            return known
        experiences = tuple(self._experiences[index] for index in applying)
        paths = self._readings.of(experiences, self._segments)
        wanted = reads.wanted(experiences, paths)
        page, visit = reads.members(paths, ("page",)), reads.members(paths, ("visit",))
        matching = self._functions.of(applying, rest)
        match = Match(
            experiences=experiences,
            order=matching.order,
            function=matching.function,
            reader=Reader(wanted),
            coercions=self._coercions.only(wanted.traits),
            page=page is None or bool(page & _BESIDE_URL),
            visit=visit is None or bool(visit),
            now=("now",) in paths or any(experience.start or experience.end for experience in experiences),
            around=any(path[0] in _AROUND for path in paths),
        )
        if len(self._matches) >= PAGE_MEMO or self._remembered + len(applying) > MEMO_EXPERIENCES:
            for memo in (self._views, self._anywhere, self._usuals, self._matches):  # all of them hold matches
                memo.clear()
            self._remembered = 0
        self._remembered += len(applying)
        self._matches[applying] = match
        return match

    def _usual(self, applying: Places, match: Match | None) -> Usual | None:
        if applying not in self._usuals:
            _remember(self._usuals, applying, self._short(match))
        return self._usuals[applying]


def deciding_order(experiences: Iterable[Experience]) -> list[Experience]:
    """The order in which experiences are asked: priority descending, then key."""
    return sorted(experiences, key=lambda experience: (-experience.priority, experience.key))


def applies(experience: Experience, text: str) -> bool:
    """Is this URL one of the experience's pages?"""
    return bool(matching(experience, text))


def matching(experience: Experience, text: str) -> tuple[str, ...]:
    """Those of the experience's page patterns that this URL fits, as written."""
    url = patterns.parse_url(text)
    found = () if url is None else PatternIndex([page] for page in experience.pages).find(url)
    return tuple(experience.pages[index] for index in found)


class PatternIndex:
    """Lists of page patterns, found by URL without trying them all."""

    __slots__ = ("_depth", "_exact", "_under")

    def __init__(self, lists: Iterable[Iterable[str]]) -> None:
        owners: dict[str, list[int]] = {}
        for number, texts in enumerate(lists):
            for text in dict.fromkeys(texts):
                owners.setdefault(text, []).append(number)
        self._exact: dict[tuple[str, str], list[tuple[Pattern, list[int]]]] = {}
        self._under: dict[tuple[str, str], list[tuple[Pattern, list[int]]]] = {}
        for text, numbers in owners.items():
            pattern = patterns.compile(text)
            host, (path, whole) = _literal_host(pattern), _literal_path(pattern)
            (self._exact if whole else self._under).setdefault((host, path), []).append((pattern, numbers))
        self._depth = max((path.count("/") for _, path in self._under), default=0)

    def find(self, url: Url) -> tuple[int, ...]:
        """The numbers of the lists that hold a pattern of this page, ascending."""
        found: set[int] = set()
        for pattern, numbers in self._candidates(url):
            if not found.issuperset(numbers) and pattern.matches(url):
                found.update(numbers)
        return tuple(sorted(found))

    def _candidates(self, url: Url) -> Iterator[tuple[Pattern, list[int]]]:
        path = url.path.removesuffix("/")
        folders = path.split("/", self._depth + 1)[: self._depth + 1]
        ways = ["/".join(folders[:depth]) for depth in range(1, len(folders) + 1)]
        for host in (url.host, ANY_HOST):
            yield from self._exact.get((host, path), ())
            for way in ways:
                yield from self._under.get((host, way), ())


def _literal_host(pattern: Pattern) -> str:
    """The host where the pattern has one without wildcards, else `ANY_HOST`."""
    if pattern.host is None or not all(step.literal for step in pattern.host.steps):
        return ANY_HOST
    return "".join(step.literal for step in pattern.host.steps)


def _literal_path(pattern: Pattern) -> tuple[str, bool]:
    """The folders in front of the first wildcard (without their closing slash), and whether that is all of the path."""
    literal = ""
    for step in pattern.path.steps:
        if step.literal == "/" and step.skip:  # `/…` or nothing: what came before is whole folders
            return literal, False
        if not step.literal or step.repeat or step.skip:
            return literal.rpartition("/")[0], False
        literal += step.literal
    return literal.removesuffix("/"), True


def _remember(memo: dict[Any, Any], key: object, value: object) -> None:
    if len(memo) >= PAGE_MEMO:
        memo.clear()
    memo[key] = value
