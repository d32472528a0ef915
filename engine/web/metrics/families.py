"""Every metric, with what it means. A table; no logic but the names that follow from it."""

from typing import Final, Literal, TypeAlias

from msgspec import Struct

from engine.counts import EVERY

Kind: TypeAlias = Literal["counter", "gauge", "histogram"]


class Family(Struct, frozen=True):
    """A metric. `most`: of several workers' gauges the largest counts, not the sum."""

    name: str
    kind: Kind
    labels: tuple[str, ...]
    help: str
    most: bool = False

    @property
    def shown(self) -> str:
        """The name as Prometheus stores it: a counter's ends in `_total`."""
        return f"{self.name}_total" if self.kind == "counter" else self.name


def _counter(name: str, labels: tuple[str, ...], text: str) -> Family:
    return Family(f"mutiny_edge_{name}", "counter", labels, text)


def _gauge(name: str, labels: tuple[str, ...], text: str, *, most: bool = False) -> Family:
    return Family(f"mutiny_edge_{name}", "gauge", labels, text, most)


def _histogram(name: str, text: str) -> Family:
    return Family(f"mutiny_edge_{name}", "histogram", (), text)


DECISIONS: Final = _counter(
    "decisions",
    ("experience", "segment", "group"),
    "Entries of answers, by keys of the rules; control, personalized.",
)
REQUESTS: Final = _counter(
    "decide_requests",
    ("result",),
    "Answers with decisions: matched, unmatched, degraded (made of less than is stored), shed (turned away).",
)
FAULTS: Final = _counter(
    "segment_faults",
    ("segment", "what"),
    "Faults in the code made of a segment, and what it raised; it was evaluated another way.",
)
DURATION: Final = _histogram(
    "decide_duration_seconds",
    f"From a whole request for a decision to its answer, of one in {EVERY} on either road.",
)
INGESTED: Final = _counter("ingest_messages", ("source", "type"), "Messages from Segment that are durable.")
REJECTED: Final = _counter("ingest_rejected", ("source", "code"), "Messages from Segment in the rejected log.")
REFUSALS: Final = _counter("refusals", ("code",), "Requests that were refused, by the code of the refusal.")
SHED: Final = _counter("shed", ("what",), "Requests turned away because too much was asked at once: decide or ingest.")
OVERLOADED: Final = _gauge("overloaded", (), "Workers that turn requests away now.")
IN_FLIGHT: Final = _gauge("requests_in_flight", (), "Requests that wait for the disk or a store.")
CONNECTIONS: Final = _gauge("connections", (), "Open connections.")
LAG: Final = _gauge("event_loop_lag_seconds", (), "How late an event loop was of late, at worst.", most=True)
READS: Final = _histogram(
    "store_read_duration_seconds", "One read of the store a second, which is made to measure it; not of a near-cache."
)
STORE_TROUBLE: Final = _gauge("store_trouble", (), "Workers that have trouble with the store; /readyz says which.")
INTAKE_TROUBLE: Final = _gauge("intake_trouble", (), "Workers that cannot take what Segment sends; /readyz says why.")
NEAR_READS: Final = _counter("near_reads", ("result",), "Reads of the near-cache: hit, miss, stale (still used).")
NEAR_LEFT: Final = _counter("near_left", ("why",), "Profiles that left the near-cache: invalidated or evicted.")
NEAR_ENTRIES: Final = _gauge("near_entries", (), "Profiles in near-caches.")
NEAR_BYTES: Final = _gauge("near_bytes", (), "Memory of near-caches.")
RULESET: Final = _gauge("ruleset_info", ("version",), "Workers that decide by this version of the rules.")
RULESET_AGE: Final = _gauge("ruleset_age_seconds", (), "Since the rules in use were taken.", most=True)
RULES_BROKEN: Final = _gauge("ruleset_errors", (), "Errors that keep the newest rule files from being used.", most=True)
JOBS: Final = _gauge("jobs_up", ("job",), "Workers in which this background job runs.")
RESTARTS: Final = _counter("jobs_restarts", ("job",), "Restarts of a background job that failed.")
WORKERS: Final = _gauge("workers", (), "Worker processes.")

FAMILIES: Final = (
    *(DECISIONS, REQUESTS, FAULTS, DURATION, INGESTED, REJECTED, REFUSALS, SHED, OVERLOADED, IN_FLIGHT, CONNECTIONS),
    *(LAG, READS, STORE_TROUBLE, INTAKE_TROUBLE, NEAR_READS, NEAR_LEFT, NEAR_ENTRIES, NEAR_BYTES),
    *(RULESET, RULESET_AGE, RULES_BROKEN, JOBS, RESTARTS, WORKERS),
)
