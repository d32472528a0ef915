"""Profiles: what is known of people and accounts, kept so that a decision can read it in microseconds.

What lives here: ids and keys, values, records and their merge law, stores, reading a profile, importing a file.
What may not: Segment's or Salesforce's wire forms, HTTP, rules, the clock (a time always comes as an argument).

1. `ids`      what an id may be, and the key of the record that stands under it.
2. `values`   any JSON value made into one that can be stored, or refused.
3. `record`   one record: traits and links as last-writer-wins registers; the law that any order of the same
              changes, with any repeats, ends in the same record. `encoding` its bytes. Both are pure.
4. `store`    the one interface of every store, and how stores fail.
5. `lmdb`     the embedded store, `opening` its file; `identity` the file beside it that says which store a folder
              holds; `trust` whether its file may be believed, `canary` the process that reads it first, `presence` who
              has it open; `applied` how much of the event log is in it; `failures` what LMDB's errors mean.
              `unreadable` and `nothing` stand in for a store that may not be read, and for none.
6. `valkey`   the store that several nodes share, for threads; `near` what a worker remembers of it, for decisions.
7. `read`     from a visitor id to a `Profile`; `origins` the same way, with who said what when.
8. `catalogue` every trait and event by name; `survey` every record by kind. Pure: a scan goes in.
9. `importing` newline-delimited JSON into a store.

The first three know no I/O; `read`, `origins` and `importing` know the interface of a store, and no store.
"""
