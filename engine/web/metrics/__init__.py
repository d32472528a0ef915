"""What the service counts, for Prometheus, in one answer for all workers.

What lives here: the table of metrics, reading the numbers of this process, adding up those of all, the page.
What may not: counting (where things happen, into `engine.counts` and `engine.decide.tally`), the admin's key.

1. `families` is the table: nothing is shown that does not stand in it, and what stands in it is always shown.
2. `snapshot` reads all numbers of a process at one moment. The numbers of decisions outlive the ruleset that they were
   counted in.
3. `together`: where there are several workers, each writes its snapshot into the run folder every second, and whoever
   is asked reads all of them. A worker that is gone leaves its counters there; its gauges go with it.
4. `page` adds up and prints, as text or as OpenMetrics, whichever was asked for.
5. Labels are keys of the rule files, names of sources, codes and types: few, and nothing that a visitor said.
"""
