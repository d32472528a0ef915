"""All numbers of one process at one moment, and several of these added up.

What lives here: reading the numbers, adding. What may not: files, text.

1. A ruleset's tally ends with it, the counts in it do not: what a ruleset that is replaced had counted is carried on.
   It is noticed by whoever looks often enough (`adopt`); answers that were begun before are counted a look later.
2. Added up, counters and histograms are sums; gauges are sums, or the largest (`Family.most`). `living` says whether a
   snapshot's gauges count at all.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import TypeAlias

from msgspec import Struct

from engine.counts import Durations
from engine.decide.tally import Tally
from engine.node import Node, utc_now
from engine.profiles.near.kept import Counts as NearCounts
from engine.web.metrics import families
from engine.web.metrics.families import FAMILIES, Family

Labels: TypeAlias = tuple[str, ...]
Numbers: TypeAlias = dict[str, list[tuple[Labels, float]]]

_NAMED = {family.name: family for family in FAMILIES}


class Snapshot(Struct, frozen=True):
    """Numbers by the name of their family; of histograms the groups and the sum."""

    numbers: Numbers
    durations: dict[str, tuple[list[int], float]]


class Process:
    """The numbers of this process."""

    def __init__(self, node: Node) -> None:
        self._node = node
        self._tally = node.held.decider.tally
        self._leaving: Tally | None = None
        self._results: Counter[str] = Counter()
        self._groups: Counter[Labels] = Counter()
        self._faults: Counter[Labels] = Counter()

    def adopt(self) -> None:
        """See whether another ruleset is in use."""
        tally = self._node.held.decider.tally
        if self._leaving is not None:
            self._results.update(self._leaving.results())
            self._groups.update(_groups(self._leaving))
            self._faults.update(self._leaving.faults)
            self._leaving = None
        if tally is not self._tally:
            self._leaving, self._tally = self._tally, tally

    def snapshot(self) -> Snapshot:
        """All of it, now."""
        self.adopt()
        numbers: Numbers = {}
        for family, labels, number in (*self._counters(), *self._gauges()):
            numbers.setdefault(family.name, []).append((labels, float(number)))
        counts = self._node.counts
        return Snapshot(
            numbers, {families.DURATION.name: _durations(counts.decided), families.READS.name: _durations(counts.read)}
        )

    def _counters(self) -> Iterator[tuple[Family, Labels, float]]:
        counts = self._node.counts
        results, groups, faults = self._results.copy(), self._groups.copy(), self._faults.copy()
        for tally in (self._tally, self._leaving):
            if tally is not None:
                results.update(tally.results())
                groups.update(_groups(tally))
                faults.update(tally.faults)
        yield from ((families.REQUESTS, (result,), number) for result, number in results.items())
        yield families.REQUESTS, ("shed",), counts.shed["decide"]
        yield from ((families.DECISIONS, group, number) for group, number in groups.items())
        yield from ((families.FAULTS, labels, number) for labels, number in faults.items())
        yield from ((families.INGESTED, labels, number) for labels, number in counts.taken.items())
        yield from ((families.REJECTED, labels, number) for labels, number in counts.rejected.items())
        yield from ((families.REFUSALS, (code,), number) for code, number in counts.refused.items())
        yield from ((families.SHED, (what,), counts.shed[what]) for what in ("decide", "ingest"))
        yield from ((families.RESTARTS, (job.name,), job.restarts) for job in self._node.jobs.all)

    def _gauges(self) -> Iterator[tuple[Family, Labels, float]]:
        node, counts, held = self._node, self._node.counts, self._node.held
        yield families.WORKERS, (), 1
        yield families.OVERLOADED, (), node.load.sheds or node.load.piles
        yield families.IN_FLIGHT, (), counts.in_flight
        yield families.CONNECTIONS, (), counts.connections()
        yield families.LAG, (), counts.lag_s
        yield families.STORE_TROUBLE, (), node.store_trouble is not None
        yield families.INTAKE_TROUBLE, (), node.intake_trouble is not None
        yield families.RULESET, (held.decider.ruleset.version,), 1
        yield families.RULESET_AGE, (), (utc_now() - held.since).total_seconds()
        yield families.RULES_BROKEN, (), len(node.problems)
        yield from ((families.JOBS, (job.name,), not job.down) for job in node.jobs.all)
        if node.cache is not None:
            yield from _near(node.cache.counts)


def _near(counts: NearCounts) -> Iterator[tuple[Family, Labels, float]]:
    for result, number in (("hit", counts.hits), ("miss", counts.misses), ("stale", counts.stale)):
        yield families.NEAR_READS, (result,), number
    for why, number in (("invalidated", counts.invalidations), ("evicted", counts.evictions)):
        yield families.NEAR_LEFT, (why,), number
    yield families.NEAR_ENTRIES, (), counts.entries
    yield families.NEAR_BYTES, (), counts.bytes


def _groups(tally: Tally) -> Mapping[Labels, int]:
    return {(experience, segment, group): times for experience, segment, group, times in tally.groups()}


def _durations(of: Durations) -> tuple[list[int], float]:
    return list(of.groups), of.sum_s


def added(parts: Iterable[tuple[Snapshot, bool]]) -> Snapshot:
    """All of them as one; each with whether its process is living."""
    numbers: dict[str, dict[Labels, float]] = {}
    durations: dict[str, tuple[list[int], float]] = {}
    for snapshot, living in parts:
        for name, found in snapshot.numbers.items():
            family = _NAMED.get(name)
            if family is not None and (living or family.kind == "counter"):
                _add(numbers.setdefault(name, {}), found, most=family.most)
        for name, (groups, sum_s) in snapshot.durations.items():
            before, before_s = durations.get(name, ([0] * len(groups), 0.0))
            durations[name] = ([a + b for a, b in zip(before, groups, strict=True)], before_s + sum_s)
    return Snapshot({name: list(found.items()) for name, found in numbers.items()}, durations)


def _add(so_far: dict[Labels, float], found: Iterable[tuple[Labels, float]], *, most: bool) -> None:
    for labels, number in found:
        before = so_far.get(labels, 0.0)
        so_far[labels] = max(before, number) if most else before + number
