"""Lift: from who saw what and who converted to whether it worked (DESIGN section 7).

What lives here: one question in SQL, the log and Segment's warehouse tables as what it is asked of, counts, formulas,
verdicts. What may not: printing, HTTP, the store of profiles, Segment's wire, the clock (a time comes as an argument).

1. `asking`     what is asked, by which rules. `question`: the steps from exposures, conversions and links to counts,
                written once, as SQL. Who a person is, which exposure counts, what is compared with what: it is there.
2. `log`        the event log, lines and Parquet, as the tables that the question is asked of; `goals` finds the events
                that are conversions, by today's rules; `counting` asks.
3. `warehouse`  the same tables made of those that Segment's warehouse destination writes, in the SQL of any of them;
                `cel_sql` says a goal's condition there, `snakecase` spells Segment's names.
4. `figures`    what was counted: of two groups, of one experience, segment and goal.
5. `statistics` the formulas, `math` alone. `verdict` what follows from them, in plain words.

`asking`, `figures`, `statistics`, `verdict`, `question`, `warehouse`, `cel_sql` and `snakecase` are pure.
"""
