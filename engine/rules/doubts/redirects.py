"""Redirects that lead a visitor in a circle. Pure.

What lives here: from redirects to pages, and the circles among them. What may not: places in files, page patterns
themselves (patterns.py), what a client does.

1. A *hop* is a variant that redirects, of a live experience. It can happen on every page of the experience. A target
   from the root on (`/x`), or a query alone (`?x=1`), is on the page's own host.
2. Of a target with slots only what stands in front of the first is known: behind `?` or `#` that is the whole path, and
   a pattern's pairs count only where they are whole; within the path it is enough only for patterns such as `/blog/**`.
3. The circle has to be one for a single visitor: of an experience always the same audience and variant (the draw does
   not change), segments that do not exclude each other, none that asks for the page (it may let go of who arrives),
   schedules with a common moment, and no experience of the same exclusion group that decides first.
4. A page's own address with a fragment is no new page, so no circle.
5. When in doubt, no circle. At most `limits.REDIRECTS` hops are followed.
"""

from collections.abc import Iterator, Sequence
from urllib.parse import urljoin

from msgspec import Struct

from engine import limits
from engine.rules.doubts.coverage import covers
from engine.rules.doubts.matchers import Matchers, fails, matches
from engine.rules.doubts.proofs import Background, is_impossible
from engine.rules.notation import patterns
from engine.rules.notation.glob import Glob
from engine.rules.notation.patterns import Pattern, Url
from engine.words import Audience, Experience, Slot, Template

HOST = "www.example.com"  # where no rule names a host


class Hop(Struct, frozen=True, eq=False):
    """A redirect: `at` is audience, variant and change as indices."""

    experience: Experience
    at: tuple[int, int, int]
    target: Template

    @property
    def key(self) -> tuple[str, tuple[int, int, int]]:
        """What tells it from every other."""
        return self.experience.key, self.at


class Spot(Struct, frozen=True):
    """A page that somebody is sent to; `open`: of its path only the beginning is known."""

    text: str
    url: Url
    open: bool

    @property
    def page(self) -> tuple[str, tuple[tuple[str, str], ...], bool]:
        """Equal for the same page."""
        return self.url.address, self.url.pairs, self.open


class Circle(Struct, frozen=True, eq=False):
    """Hops that lead back to where they begin: after hop number i the visitor is on page number i."""

    hops: tuple[Hop, ...]
    pages: tuple[str, ...]


def circles(experiences: Sequence[Experience], matchers: Matchers, background: Background) -> Iterator[Circle]:
    """Every circle once."""
    return _Map(experiences, matchers, background).circles()


class _Map:
    def __init__(self, experiences: Sequence[Experience], matchers: Matchers, background: Background) -> None:
        self._matchers = matchers
        self._background = background
        self._live = [one for one in experiences if one.status == "live"]
        self._hops = [hop for one in self._live for hop in self._of(one)]
        hopping = {hop.experience.key for hop in self._hops}
        near = [one for one in self._live if one.key in hopping or one.exclusion_group] if hopping else []
        self._pages = {one.key: [patterns.compile(page) for page in one.pages if page] for one in near}
        self._left = iter(range(limits.REDIRECTS))

    def _of(self, one: Experience) -> Iterator[Hop]:
        """The hops of an experience, up to the first audience that asks for the page."""
        redirecting = [a for a, audience in enumerate(one.audiences) if _redirects(audience)]
        if one.holdout_ppm == limits.PPM or not redirecting:
            return
        for a, audience in enumerate(one.audiences[: redirecting[-1] + 1]):
            if "page" in self._matchers.of(audience.segment).roots:
                return
            for v, variant in enumerate(audience.variants):
                for c, change in enumerate(variant.changes):
                    if change.redirect and variant.weight and audience.control_ppm < limits.PPM:
                        yield Hop(one, (a, v, c), change.redirect)

    def circles(self) -> Iterator[Circle]:
        """Every circle once, from whichever of its pages it is found."""
        found: set[frozenset[tuple[str, tuple[int, int, int]]]] = set()
        for first in self._hops:
            for page in self._bases(first.experience):
                spot = _sent(first.target, page)
                for circle in self._round([first], [spot]) if spot else ():
                    hops = frozenset(hop.key for hop in circle.hops)
                    if hops not in found:
                        found.add(hops)
                        yield circle

    def _bases(self, one: Experience) -> Iterator[Spot]:
        """Some page of every pattern."""
        hosts = {host for pages in self._pages.values() for page in pages if (host := _literal_host(page))}
        for page in self._pages[one.key]:
            for host in [_example(page.host)] if page.host else sorted(hosts) or [HOST]:
                scheme = "https" if "https" in page.schemes else page.schemes[0]
                port = f":{page.port}" if page.port > 0 else ""
                text = f"{scheme}://{host}{port}{_example(page.path, shortest=True) or '/'}"
                url = patterns.parse_url(text)
                if url is not None and (page.pairs or page.matches(url)):
                    yield Spot(text, url, open=False)

    def _round(self, hops: list[Hop], spots: list[Spot]) -> Iterator[Circle]:
        """Circles that close after these hops. `spots[i]` is where `hops[i]` leads."""
        for hop in self._hops:
            if not _is_consistent(hop, hops) or not self._applies(hop.experience, spots[-1]):
                continue
            if next(self._left, None) is None:
                return
            spot = _sent(hop.target, spots[-1])
            if spot is None:
                continue
            back = next((i for i, known in enumerate(spots) if known.page == spot.page), None)
            if back is None:
                yield from self._round([*hops, hop], [*spots, spot])
            elif back == 0 and not (len(spots) == 1 and _has_fragment(hop.target)):
                # `hop` leads from the last spot to the first, every other hop from its forerunner's spot.
                turning = [hop, *hops[1:]]
                if self._is_one_visitors(turning, [spots[-1], *spots[:-1]]):
                    yield Circle(tuple(turning), tuple(map(_shown, turning, spots)))

    def _applies(self, one: Experience, spot: Spot) -> bool:
        return any(_is_surely(page, spot) for page in self._pages[one.key])

    def _is_one_visitors(self, hops: Sequence[Hop], spots: Sequence[Spot]) -> bool:
        """Can it happen to one visitor? `spots[i]` is where `hops[i]` sets out from."""
        claims, choices = [], []
        for hop in hops:
            above = hop.experience.audiences[: hop.at[0]]
            claims += matches(self._matchers.of(hop.experience.audiences[hop.at[0]].segment))
            choices += [fails(self._matchers.of(audience.segment)) for audience in above]
        starts = [hop.experience.start for hop in hops if hop.experience.start]
        ends = [hop.experience.end for hop in hops if hop.experience.end]
        if starts and ends and max(starts) >= min(ends):
            return False
        if any(self._is_forestalled(hop, spot, hops) for hop, spot in zip(hops, spots, strict=True)):
            return False
        return not is_impossible(claims, self._background, one_of=choices)

    def _is_forestalled(self, hop: Hop, spot: Spot, hops: Sequence[Hop]) -> bool:
        """Does another experience of the exclusion group decide first, on the page where the hop sets out?"""
        one = hop.experience
        if one.exclusion_group is None:
            return False
        keys = {other.experience.key for other in hops}
        segment = self._matchers.of(one.audiences[hop.at[0]].segment)
        for other in self._live:
            if other.exclusion_group != one.exclusion_group or _order(other) >= _order(one):
                continue
            if any(page.matches(spot.url) for page in self._pages[other.key]) and (
                other.key in keys
                or any(
                    covers(self._matchers.of(audience.segment), segment, self._background)
                    for audience in other.audiences
                )
            ):
                return True
        return False


def _redirects(audience: Audience) -> bool:
    return any(change.redirect for variant in audience.variants for change in variant.changes)


def _order(one: Experience) -> tuple[int, str]:
    return -one.priority, one.key


def _is_consistent(hop: Hop, hops: Sequence[Hop]) -> bool:
    """Of an experience, a visitor has one audience and one variant."""
    return all(hop.at == other.at for other in hops if other.experience.key == hop.experience.key)


def _shown(hop: Hop, spot: Spot) -> str:
    """The page as people write it: without a host where the redirect names none."""
    begin = hop.target[0] if isinstance(hop.target[0], str) else ""
    text = spot.text
    if begin.startswith(("/", "?")) and not begin.startswith("//"):
        text = text[text.find("/", text.find("://") + 3) :]
    return f"{text}…" if spot.open else text


def _has_fragment(target: Template) -> bool:
    return any(isinstance(part, str) and "#" in part for part in target)


def _sent(target: Template, page: Spot) -> Spot | None:
    """Where the target leads from this page; `None` where that cannot be told."""
    known = ""
    for part in target:
        if isinstance(part, Slot):
            return _partly(known, page)
        known += part
    return _resolved(known, page, is_open=False)


def _partly(known: str, page: Spot) -> Spot | None:
    """The same where only `known` stands in front of a slot."""
    path, mark, query = known.partition("#")[0].partition("?")
    if "#" in known:
        return _resolved(known, page, is_open=False)
    if mark:
        return _resolved(path + mark + query.rpartition("&")[0], page, is_open=False)
    return _resolved(path, page, is_open=True)


def _resolved(text: str, page: Spot, *, is_open: bool) -> Spot | None:
    if not text or (page.open and text[0] != "/" and ":" not in text):
        return None
    whole = urljoin(page.text, text)
    url = patterns.parse_url(whole)
    return Spot(whole, url, is_open) if url is not None else None


def _is_surely(page: Pattern, spot: Spot) -> bool:
    """Is the spot a page of the pattern, whatever is not known of it?"""
    if not spot.open:
        return page.matches(spot.url)
    steps = page.path.steps
    literal = page.path.prefix
    rest = steps[len(literal) :]
    within = len(rest) == 1 and rest[0].repeat and not rest[0].but and spot.url.path.startswith(literal)
    below = len(rest) == 2 and rest[0].skip == 2 and not rest[1].but and spot.url.path.startswith(f"{literal}/")
    example = patterns.parse_url(f"{spot.text}x")
    return (within or below) and not page.pairs and example is not None and page.matches(example)


def _literal_host(page: Pattern) -> str:
    if page.host is None or not all(step.literal for step in page.host.steps):
        return ""
    return page.host.prefix


def _example(glob: Glob, *, shortest: bool = False) -> str:
    """A text of the glob, with an `x` where any character will do; the shortest leaves out all that may be."""
    text, at = "", 0
    while at < len(glob.steps):
        step = glob.steps[at]
        skipped = step.skip if shortest else 0
        text += "" if skipped else step.literal or "x"
        at += skipped or 1
    return text
