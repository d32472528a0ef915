"""`/metrics`: all workers' numbers as Prometheus reads them. What may not be here: counting, adding up.

1. One worker shows its own numbers. Of several, the one that is asked writes its own anew, so that whoever is asked
   next shows no less, and reads those of the others, which are a second old at most.
2. `watch` is a background job: it looks often enough for rulesets that come and go, and times one read of the store a
   second. `share` is another, where there are several workers: it writes the numbers for the others.
3. As OpenMetrics where that is asked for (`Accept`), as Prometheus' text otherwise.
"""

import asyncio
import time
from collections.abc import Iterator
from contextlib import suppress
from functools import partial
from itertools import accumulate
from typing import Final

from prometheus_client import CollectorRegistry
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.exposition import choose_encoder

from engine import limits
from engine.counts import BOUNDS
from engine.node import Node
from engine.profiles.ids import key
from engine.profiles.store import StoreError
from engine.web.door import Reply
from engine.web.metrics.families import FAMILIES, Family
from engine.web.metrics.snapshot import Process, Snapshot, added
from engine.web.metrics.together import RunFolder
from engine.web.request import Request

_PROBE: Final = key("visitor", "mutiny-edge:metrics")  # nobody: to read nothing takes as long as to read somebody
_ENDS: Final = (*map(str, BOUNDS), "+Inf")


class Metrics:
    """The numbers of this worker, and of those beside it if there is a `folder`; `worker` is its number there."""

    def __init__(self, node: Node) -> None:
        self._node = node
        self._process = Process(node)
        self._folder: RunFolder | None = None
        self._worker = 0

    def join(self, folder: RunFolder, worker: int) -> None:
        """There are others, and this is which one."""
        self._folder, self._worker = folder, worker

    async def answer(self, request: Request) -> Reply:
        """`GET /metrics`."""
        own = self._process.snapshot()
        folder = self._folder
        everybody = [(own, True)] if folder is None else await asyncio.to_thread(self._with_others, folder, own)
        registry = _Registry(added(everybody))
        encode, media_type = choose_encoder(request.headers.get(b"accept", b"").decode("latin-1"))
        return Reply(encode(registry), media_type=media_type.encode())

    def _with_others(self, folder: RunFolder, own: Snapshot) -> list[tuple[Snapshot, bool]]:
        with suppress(OSError):  # the job that shares tells it
            folder.write(self._worker, own)
        return folder.beside(self._worker, own)

    def start(self) -> None:
        """Begin the background jobs. Needs a running event loop."""
        self._node.jobs.start("metrics", self.watch)
        if self._folder is not None:
            self._node.jobs.start("metrics-share", partial(self.share, self._folder))

    async def watch(self) -> None:
        """Look and measure, for ever."""
        looks = 0
        while True:
            await asyncio.sleep(limits.LOOK_INTERVAL_S)
            self._process.adopt()
            looks += 1
            if looks % limits.METRICS_LOOKS == 0:
                await self._measure()

    async def _measure(self) -> None:
        """Time one read of the store. LMDB's takes less than changing the thread would."""
        store, began = self._node.store, time.perf_counter()
        with suppress(StoreError):  # it is told elsewhere
            if store is self._node.near:
                store.one(_PROBE)
            else:
                await asyncio.to_thread(store.one, _PROBE)
            self._node.counts.read.note(time.perf_counter() - began)

    async def share(self, folder: RunFolder) -> None:
        """Write, for ever. Raises OSError."""
        while True:
            await asyncio.to_thread(folder.write, self._worker, self._process.snapshot())
            await asyncio.sleep(limits.LOOK_INTERVAL_S * limits.METRICS_LOOKS)

    def last(self) -> None:
        """Write what was counted since; this worker ends."""
        if self._folder is not None:
            with suppress(OSError):
                self._folder.write(self._worker, self._process.snapshot())


class _Registry(CollectorRegistry):
    """What `prometheus_client` prints: the families, with these numbers."""

    def __init__(self, total: Snapshot) -> None:
        super().__init__(auto_describe=False)
        self._total = total

    def collect(self) -> Iterator[Metric]:
        """Every family of the table, whether it has a number yet or not."""
        for family in FAMILIES:
            yield _metric(family, self._total)


def _metric(family: Family, total: Snapshot) -> Metric:
    numbers = total.numbers.get(family.name, [])
    if family.kind == "histogram":
        of_time = HistogramMetricFamily(family.name, family.help, labels=family.labels)
        groups, sum_s = total.durations.get(family.name, ([0] * len(_ENDS), 0.0))
        of_time.add_metric([], list(zip(_ENDS, accumulate(groups), strict=True)), sum_s)
        return of_time
    kind = CounterMetricFamily if family.kind == "counter" else GaugeMetricFamily
    made = kind(family.name, family.help, labels=family.labels)
    for labels, number in numbers:
        made.add_metric(labels, number)
    return made
