"""The near-cache: what a worker remembers of a shared store, so that decisions read it as they read an embedded one.

What lives here: reading a shared store from an event loop, and remembering it. What may not: writing to it, blocking,
what records mean.

1. `near`    what decisions read; who has to wait and who must not.
2. `kept`    what is remembered, within so many bytes. Pure.
3. `flights` misses become round trips, at most two for a profile.
4. `shard`   one server's part: what is asked of it, and what is true while it does not answer.
5. `link`    one connection: answers and what has changed, in one stream.
6. `servers` which server has what, and a link to each as long as the process lives; `doors` opens them; `hints` of a
             cluster's records are put right.

Addresses, attempts and the form of a value are those of the blocking store (`profiles.valkey`).
"""
