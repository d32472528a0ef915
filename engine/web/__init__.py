"""The service over HTTP. The room below the command line, above the node.

What lives here: reading requests, writing answers, running the server. What may not: deciding, reading profiles or
rule files (the node does), state of its own beyond a connection.

1. `app.py` holds the one table of addresses, with who may call each; `door.py` is what all of them have in common, and
   `admin.py` the keys of admins.
2. `request.py` reads a body within its bounds; `ask.py` turns it into plain values, or refuses it; `surroundings.py`
   reads device and place from headers.
3. `decide.py` is the hot path, with `answer(body, …) -> bytes` for whoever has a body; `explain.py` tells why.
4. `refusal.py` is every error that a client can see: one table of codes, one form (RFC 9457).
5. The app is for any ASGI server; `serve.py` runs it in uvicorn, `workers.py` in several processes.
6. `guard.py` is HTTP on one connection, with a limit on everything that a client may do; `clients.py` is the clock of
   its deadlines; `listening.py` shuts the door.
"""
