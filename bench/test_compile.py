"""From rule files to a decider that is ready for its first visitor: seconds of computing."""

import time

import pytest

from bench import audiences
from bench.table import Row
from engine.decide.decider import Decider
from engine.rules.folder import load

pytestmark = pytest.mark.benchmark(timer=time.process_time)

SIZES = [100, 1_000, 10_000, pytest.param(100_000, marks=pytest.mark.long)]


@pytest.mark.parametrize("segments", SIZES)
def test_read(benchmark, tmp_path, segments):
    """Files to a ruleset, as the service reads them: every condition parsed and checked."""
    benchmark.group = "read rule files, by segments"
    audiences.write(tmp_path, audiences.rules(segments))
    loaded = benchmark.pedantic(load, (tmp_path,), {"doubts": False}, rounds=3 if segments <= 1_000 else 1)
    assert loaded.ruleset is not None


@pytest.mark.parametrize("segments", SIZES)
def test_compile(benchmark, table, rules, segments):
    """A ruleset to a decider, with its page ready."""
    benchmark.group = "compile a ruleset, by segments"
    ruleset = rules(segments)
    benchmark.pedantic(lambda: Decider(ruleset).warm(), rounds=3 if segments <= 1_000 else 1)
    if segments == 10_000:
        took_s = benchmark.stats.stats.median
        table.append(Row("compile 10,000 segments", f"{took_s:.2f} s", figure=took_s, unit=" s", bar="compile"))
