"""What is asked for: the bars of DESIGN 10 and issue 7, and the floors below which CI fails.

1. What CI fails on is a ratio of two things that were measured in the same run, never a time. What is no ratio
   (megabytes, events a second) is shown beside what was asked for, and asserted nowhere.
2. `floor` is the bar itself unless the comment says why it is another: lower, where the bar is not met, or where a busy
   machine draws the ratio towards 1. So that CI passes does not say that every bar is met; the table says that.
3. Rows without a floor are those that the short run cannot measure, or not steadily: 100,000 segments and ten million
   events take minutes, three percent for counting and a p99 waver by more than that from run to run, megabytes take two
   starts of a service, events a second and seconds are the machine's.
"""

from msgspec import Struct


class Bar(Struct, frozen=True):
    """At least or at most so much; `unit` stands behind a figure. `floor` None: shown, never asserted."""

    unit: str
    least: float | None = None
    most: float | None = None
    floor: float | None = None

    def met(self, figure: float) -> bool:
        """Is it as was asked for?"""
        return _within(figure, self.least, self.most)

    def held(self, figure: float) -> bool:
        """Does CI let it pass?"""
        least, most = (self.floor, None) if self.most is None else (None, self.floor)
        return _within(figure, least, most)

    def in_words(self) -> str:
        """`≥ 1.5x`."""
        return f"≥ {self.least:,g}{self.unit}" if self.least is not None else f"≤ {self.most:,g}{self.unit}"


def _within(figure: float, least: float | None, most: float | None) -> bool:
    return (least is None or figure >= least) and (most is None or figure <= most)


BARS = {
    # Where others are at work too, both sides wait for the same, which draws the ratios towards 1: at a load of 5 it
    # was 1.41 in the lane and 0.58 beside it, where a quiet machine says 1.6 and 0.64.
    "lane": Bar("x", least=1.5, floor=1.1),
    "ordinary": Bar("x", least=0.7, floor=0.45),
    # The way that the package's README shows.
    "cel as shown": Bar("x", least=50, floor=50),
    # Used at its best, a context made once a visitor, it is fifteen times as fast as it shows itself.
    "cel at its best": Bar("x", least=50, floor=40),
    # "At most 2 % of the fastest peer's time": that was written before zen-engine 2 compiled its decision tables into
    # an index. A visitor is one call there, and a table of a single row takes five times as long as all of our match.
    "fastest peer": Bar("x", least=50, floor=5),
    "growth": Bar("x the time", most=3, floor=3),
    # With a hundred times the hits, each an entry of the answer, and beside a page of 100 that takes less than 1 µs.
    # 4.6 to 5 on a quiet machine, 7 to 9 where others fight for the processor's caches, in which hits have to be found.
    "growth with hits": Bar("x the time", most=3, floor=12),
    "growth far": Bar("x the time", most=25),
    "counting": Bar("x the time", most=1.03),
    # A hit in the near-cache beside a read of LMDB, all of a page view; it is 1.0 and more.
    "near": Bar("x", least=0.7, floor=0.7),
    "reload": Bar("x", most=2),
    "ingest": Bar(" events/s", least=10_000),
    "memory": Bar(" MB", most=200),
    "compile": Bar(" s", most=10),
    # Seconds of computing for both: ours beside the reference implementation's, which parses and checks each condition.
    "compile beside reading": Bar("x the time", most=4, floor=4),
    "lift": Bar(" s", most=10),
    "lift memory": Bar(" MB", most=2_000),
    "client": Bar(" bytes", most=4_096),
}
