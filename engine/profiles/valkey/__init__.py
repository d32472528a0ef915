"""The shared store: Valkey or Redis (6.2 or later), one server, one that Sentinels watch, or a cluster.

What lives here: addresses, connections, the form of a value, writes without transactions, marks, what a server's errors
mean. What may not: what records mean (`record`), the near-cache of a worker (`near`), the clock, a server of its own.

1. `address`    how an address is written; `attempts` when a server that is gone is tried again, for all in a process.
2. `value`      the bytes of a record under its key, and its route: what a reader will want next. Pure.
3. `wire`       one server: connections, many commands in one trip. `topology` which server; `slots` a cluster's map.
4. `scripts`    what happens in one step on the server, in Lua: compare-and-set, raising marks, following a chain.
5. `marks`      how much of this node's log is stored; `scanning` every key; `failures` errors in a store's words.
6. `store`      all of it together: a `Store`, blocking, for threads.
7. `nodes`, `condition`   for people: who shares a store, and what its servers say of themselves.
"""
