"""Segment in: what its libraries and webhooks send, made into messages, and what those say of whom.

What lives here: Segment's wire forms and its rules (times, ids, `integrations`), the sources and their keys, and the
way from a message to changes in a store, and from a deletion to nothing left. What may not: HTTP, how lines and records
are kept, any one store, the clock (a time always comes as an argument), rules and decisions.

1. `unpacking` undoes gzip, never into more than it was told. `envelope` opens a request: its write key and its
              messages as raw slices, so that a bad one costs nobody else (`slices` finds them where a decoder gives
              up). `webhook` opens the signed form.
2. `accept`   judges each message by itself: taken, refused with a reason, or not for us. `again` does so with one
              from the rejected log.
3. `message`  what a message says. **One function, `understood`, reads what has just come and what the log kept.**
              `fields` reads ids and objects as Segment's libraries send them, `moments` times.
4. `reasons`  every reason why something is not acceptable, as a table of codes.
5. `identity` from a message to the changes it makes; `deletion` who is meant by a deletion, and what stays of others.
6. `applying` from messages into the store, live and from the log alike (`logged` reads what the log kept); `standing`
              what the store proves to hold of the log, and `restoring` what it lost, brought back. `erasure` carries a
              deletion out, `elsewhere` tells other nodes of it. `compacting` makes Parquet of the log's lines, for a
              service in a process of its own (`compactor`); `cutting` takes a person's events out of it.
7. `sources`  who may send: names, kinds, keys as digests; `keys` reads them for a service at work, and `ledger` keeps
              the files; `settings` what analytics.js asks before it sends.

1 to 5, `logged` and `settings` are pure: no I/O, no clock, no randomness.
"""
