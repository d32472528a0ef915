"""The event log: every accepted event, durable before it is acknowledged; and the rejected log, kept the same way.

What lives here: lines, files of lines, their one writer, their readers, overwriting in place. What may not: what a
message means (it is bytes that are JSON), profiles, Segment, HTTP, the clock (it comes as an argument).

1. `disk`        the few things that are asked of the disk, in one place, so that a test can let each of them fail;
                 and how the log fails.
2. `line`        one event, one line, with its checksum; the line of an event that is gone, in the same length. Pure.
3. `log`         the writer of one process: durable when `append` returns, whatever failed before.
4. `reading`     files, lines, entries; torn ends and damage are told, never fatal. Which files are finished.
5. `overwriting` lines replaced in place, all or none of them, beside a living writer. `scrub` does it to events.
                 What is being done stands in a `journal`, that somebody else may finish it.
6. `rejected`    the log of messages that were not acceptable: bounded, listed, marked as replayed.
7. `recovery`    what is done once at a start: overwriting finished, torn ends set aside.
8. `archive`     which files the log consists of, and how Parquet takes the place of lines, in one moment.
9. `parquet`     events as rows of Parquet files, by DuckDB; `row` is one of them. Pure.
10. `node_id`    whose log it is, where several nodes keep one each.

Bytes that were appended never move, so a place in a file (its name and an offset) stays good for as long as the file
is there. Files are made with 0600, folders with 0700: they are personal data.
"""
